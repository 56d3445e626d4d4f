import Foundation
package import Model
import Primitives
package import Subjects

/// The key of a recording, wrapped twice: under the key of the called side's subject what is sealed under the caller's. When either is
/// erased, nobody reads the recording.
package enum RecordingKey {
    /// Part of the associated data; never changes.
    private static let mark: UInt8 = 30

    static func seal(
        _ key: [UInt8], of id: UUIDv7, _ started: CallStarted, with keys: SubjectKeys, _ random: inout RandomSource
    ) throws -> [UInt8]? {
        let sides = CallSubjects(started.caller, started.called)
        var bytes = key
        for subject in sides.caller == sides.called ? [sides.caller] : [sides.caller, sides.called] {
            guard let part = try keys.seal(bytes, mark: mark, subject: subject, record: Data(id.bytes), &random) else { return nil }
            bytes = part
        }
        return bytes
    }

    /// nil: a side was erased, or the recording was removed.
    package static func open(_ started: RecordingStarted, with keys: SubjectKeys) throws -> [UInt8]? {
        let sealedBytes = 32 + 45
        var bytes = Array(started.sealedKey)
        guard !bytes.isEmpty else { return nil }
        // One layer or two, by its length: a key may begin with any byte.
        for _ in 0..<(bytes.count > sealedBytes ? 2 : 1) {
            guard let plain = try keys.open(bytes, mark: mark, record: started.recordingID) else { return nil }
            bytes = plain
        }
        return bytes
    }
}

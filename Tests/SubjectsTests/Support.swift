import Foundation
import Model
import Primitives
import Subjects
import SwiftProtobuf

/// A key file in a directory of its own, removed with it.
final class KeyRing {
    let directory: URL
    var random = RandomSource(seed: 7)
    static let master = [UInt8](repeating: 0x5A, count: 32)
    var path: String { directory.path + "/subjects.keys" }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("ledgerline-subjects-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    func open(master: [UInt8] = master, isReadOnly: Bool = false) throws -> SubjectKeys {
        try SubjectKeys(path: path, master: master, isReadOnly: isReadOnly)
    }

    func bytes() throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
}

func id(_ number: UInt8) -> UUIDv7 { UUIDv7(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 + UInt64(number)) }
func data(_ number: UInt8) -> Data { Data(id(number).bytes) }

extension Contact {
    static var alice: Contact {
        .with {
            $0.id = data(1)
            $0.providerID = data(9)
            $0.name = "Alice Liddell"
            $0.email = "alice@wonder.example"
            $0.phone = "+442071838750"
            $0.country = "GB"
        }
    }
}

extension [UInt8] {
    func holds(_ text: String) -> Bool { Data(self).range(of: Data(text.utf8)) != nil }
}

import Bus
import Foundation
import Glibc
import Model
import Primitives

/// Facts on their way, in a file that outlives the process: what a killed worker had not got acknowledged is sent by the
/// next process of that name.
///
/// One record after the other, a torn last one is passed over:
///
///     byte 0        0x01 keep, 0x02 forget
///     1..<17        id of the fact
///     17..<33       call
///     33..<37       length of the body, big-endian (0 for forget)
///     37...         body: a DeskRequest
struct OutboxFile: ~Copyable {
    private static let headBytes = 37
    private let path: String
    private var handle: FileHandle
    private var open: Set<RequestID> = []
    /// The length of what is whole in the file.
    private var written: Int
    /// Records of facts that are forgotten, which go with the next that is kept: a fact that is sent once more is known already.
    private var unwritten: [UInt8] = []

    /// Opens the file and hands over the facts that are still open, in order.
    init(directory: String, facts: inout [Fact]) throws(SignalWorkerError) {
        let path = directory + "/outbox"
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let stored = FileManager.default.contents(atPath: path) ?? Data()
            let found = OutboxFile.read(Array(stored))
            // Rewritten beside and moved over, so that a kill in between leaves the old one whole.
            let fresh = path + ".new"
            try Data(found.flatMap { OutboxFile.record(0x01, $0) }).write(to: URL(fileURLWithPath: fresh))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: fresh)
            guard unsafe rename(fresh, path) == 0, let handle = FileHandle(forWritingAtPath: path) else {
                throw CocoaError(.fileWriteUnknown)
            }
            written = Int(try handle.seekToEnd())
            self.handle = handle
            open = Set(found.map(\.id))
            facts = found
        } catch {
            throw .outbox(path: path, reason: error.localizedDescription)
        }
    }

    deinit {
        _ = OutboxFile.append(unwritten, to: handle.fileDescriptor, at: written)
    }

    mutating func keep(_ fact: Fact) {
        guard open.insert(fact.id).inserted else { return }
        write(OutboxFile.record(0x01, fact))
    }

    mutating func forget(_ fact: Fact) {
        guard open.remove(fact.id) != nil else { return }
        if open.isEmpty, written > 1 << 20 {
            // Nothing is on its way: the file starts anew.
            try? handle.truncate(atOffset: 0)
            written = 0
            unwritten = []
        } else {
            unwritten += OutboxFile.record(0x02, Fact(id: fact.id, call: fact.call, body: []))
            if unwritten.count > 1 << 12 { write([]) }
        }
    }

    private mutating func write(_ bytes: [UInt8]) {
        unwritten += bytes
        // While the disk is full there is no second copy of a fact; the machine goes on sending the first, and the next write has both.
        guard OutboxFile.append(unwritten, to: handle.fileDescriptor, at: written) else { return }
        written += unwritten.count
        unwritten.removeAll(keepingCapacity: true)
    }

    /// Each fact is a write of its own: by way of `FileHandle` and `Data` it took twice as long.
    ///
    /// - Returns: whether all of it was taken. Of a part nothing stays: what came behind it could not be read.
    private static func append(_ bytes: [UInt8], to descriptor: Int32, at length: Int) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || count < 0 && errno == EINTR else {
                ftruncate(descriptor, off_t(length))
                lseek(descriptor, off_t(length), SEEK_SET)
                return false
            }
            rest = rest.dropFirst(max(0, count))
        }
        return true
    }

    private static func record(_ kind: UInt8, _ fact: Fact) -> [UInt8] {
        let count = UInt32(fact.body.count)
        return [kind] + fact.id.bytes + fact.call.value.bytes + (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
            + fact.body
    }

    static func read(_ bytes: [UInt8]) -> [Fact] {
        var facts: [Fact] = []
        var offset = 0
        while offset + headBytes <= bytes.count {
            let count = bytes[(offset + 33)..<(offset + 37)].reduce(0) { $0 << 8 | Int($1) }
            let end = offset + headBytes + count
            guard end <= bytes.count, let id = RequestID(bytes: bytes[(offset + 1)..<(offset + 17)]),
                let call = UUIDv7(bytes: bytes[(offset + 17)..<(offset + 33)])
            else { break }
            switch bytes[offset] {
            case 0x01: facts.append(Fact(id: id, call: CallID(call), body: Array(bytes[(offset + headBytes)..<end])))
            case 0x02: facts.removeAll { $0.id == id }
            default: return facts
            }
            offset = end
        }
        return facts
    }
}

import Foundation
package import LMDB
import Model
import Primitives
import Projections
package import Subjects
import SwiftProtobuf

/// The registrar's contacts on the disk, so that a restart of the control plane does not silence the phones.
///
/// Written without sync: kill -9 loses nothing, and after a stop of the machine the file is thrown away (it may be
/// damaged), as phones register again by themselves.
///
///     table `contacts`: subscriber id (16 bytes) → `ContactRow`
///
/// With keys, the value is a sealed part under the subscriber's key: an address is personal, and old pages stay.
package final class LocationStore {
    private let environment: Environment
    private let contacts: Database
    private let keys: SubjectKeys?
    private let random = RandomSource.pooled()
    private static let mark: UInt8 = 9
    private static let bytesMax = 4 << 30

    /// - Parameter directory: made if it is not there.
    package init(directory: String, keys: SubjectKeys? = nil) throws(LocationStoreError) {
        self.keys = keys
        let boot = BootID.current()
        let markPath = directory + "/boot"
        let files = FileManager.default
        if let mark = files.contents(atPath: markPath), String(decoding: mark, as: UTF8.self) != boot {
            try? files.removeItem(atPath: directory)
        }
        do {
            try files.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .directory(path: directory)
        }
        do throws(LMDBError) {
            environment = try Self.environment(in: directory)
            var transaction = try environment.beginWrite()
            contacts = try transaction.database("contacts")
            try transaction.commit()
        } catch {
            throw .storage(error)
        }
        guard files.createFile(atPath: markPath, contents: Data(boot.utf8), attributes: [.posixPermissions: 0o600])
        else {
            throw .directory(path: directory)
        }
    }

    /// A file that is damaged is thrown away too: phones that are not heard for a moment beat a platform that does not start.
    private static func environment(in directory: String) throws(LMDBError) -> Environment {
        do throws(LMDBError) {
            return try Environment(directory: directory, sizeMax: bytesMax, databasesMax: 1, durability: .none)
        } catch .corrupted, .versionMismatch {
            for name in ["data.mdb", "lock.mdb"] { try? FileManager.default.removeItem(atPath: "\(directory)/\(name)") }
            return try Environment(directory: directory, sizeMax: bytesMax, databasesMax: 1, durability: .none)
        }
    }

    func load() throws(LocationStoreError) -> [(subscriber: SubscriberID, row: ContactRow)] {
        var rows: [(key: [UInt8], value: [UInt8])] = []
        do throws(LMDBError) {
            let transaction = try environment.beginRead()
            let walked = try transaction.withCursor(in: contacts) { cursor throws(LMDBError) in
                var found = try cursor.first()
                while found {
                    rows.append((cursor.key, cursor.value))
                    found = try cursor.next()
                }
            }
            try walked.get()
        } catch {
            throw .storage(error)
        }
        var result: [(subscriber: SubscriberID, row: ContactRow)] = []
        for (key, value) in rows {
            // A row that cannot be read is a phone that registers again.
            guard let id = UUIDv7(bytes: key) else { continue }
            let bytes = keys == nil ? value : (try? keys?.open(value, mark: Self.mark, record: Data(key))) ?? []
            if let row = ContactRow(bytes), !row.isEmpty { result.append((SubscriberID(id), row)) }
        }
        return result
    }

    /// - Parameter changed: a row without contacts is removed.
    func save(_ changed: [(subscriber: SubscriberID, row: ContactRow)]) throws(LocationStoreError) {
        var rows: [(key: [UInt8], value: [UInt8]?)] = []
        var random = random
        for (subscriber, row) in changed {
            var value: [UInt8]? = row.isEmpty ? nil : row.bytes
            if let plain = value, let keys {
                do throws(SubjectKeyError) {
                    value = try keys.seal(
                        plain, mark: Self.mark, subject: subscriber.value, record: subscriber.data, &random)
                } catch {
                    throw .keys(error)
                }
            }
            rows.append((subscriber.value.bytes, value))
        }
        do throws(LMDBError) {
            var transaction = try environment.beginWrite()
            for (key, value) in rows {
                if let value {
                    try transaction.put(key, value, in: contacts)
                } else {
                    try transaction.remove(key, from: contacts)
                }
            }
            try transaction.commit()
        } catch {
            throw .storage(error)
        }
    }
}

package enum LocationStoreError: Error, Equatable, Sendable {
    case directory(path: String)
    case storage(LMDBError)
    case keys(SubjectKeyError)
}

public import Ledger
import Model
public import Primitives
public import Subjects
import SwiftProtobuf

/// Every question that can be asked of the views, the same inside a snapshot and inside the open write transaction,
/// where the answers hold what has been recorded so far.
///
/// The questions themselves are in `ViewQueries+<view>.swift`. Lists come in pages: `after` is the last item of the page
/// before (nil: from the start), and a page shorter than `limit` is the last.
public protocol ViewQueries: ~Copyable {
    /// The sequence of the last event that the views hold; 0: none.
    var applied: UInt64 { get }

    /// Opens what belongs to natural persons; nil: it stays closed.
    var keys: SubjectKeys? { get }

    func value(_ key: Key, in table: Table) throws(ViewsError) -> [UInt8]?

    /// The value in place, where it need not be copied.
    func withValue<R>(_ key: Key, in table: Table, _ body: (RawSpan) throws(ViewsError) -> R) throws(ViewsError) -> R?

    /// Goes over the entries whose keys are `start` or after it, in order, until `body` returns false.
    func scan(
        _ table: Table, from start: Key, _ body: (Key, [UInt8]) throws(ViewsError) -> Bool
    ) throws(ViewsError)

    /// The entry with the greatest key that is not after `key`.
    func last(in table: Table, atOrBefore key: Key) throws(ViewsError) -> (key: Key, value: [UInt8])?

    /// The event that a row leads to.
    func fact(at sequence: UInt64) throws(ViewsError) -> StoredFact

    /// The events of a call's own stream that the log has, the newest first.
    func stream(_ id: UUIDv7) throws(ViewsError) -> [Envelope]

    /// Entities that were decoded before; nil where every question stands alone.
    var entities: EntityCache? { get }
}

extension ViewQueries where Self: ~Copyable {
    public var entities: EntityCache? { nil }

    public func withValue<R>(_ key: Key, in table: Table, _ body: (RawSpan) throws(ViewsError) -> R) throws(ViewsError) -> R? {
        guard let bytes = try value(key, in: table) else { return nil }
        return try unsafe body(bytes.span.bytes)
    }
}

extension ViewQueries where Self: ~Copyable {
    func message<M: Message>(_ type: M.Type, _ key: Key, in table: Table) throws(ViewsError) -> M? {
        if let known = entities?.find(type, key, in: table) { return known }
        guard let bytes = try value(key, in: table) else { return nil }
        let message = try decoded(type, bytes, of: table)
        entities?.remember(message, key, in: table)
        return message
    }

    func decoded<M: Message>(_ type: M.Type, _ bytes: [UInt8], of table: Table) throws(ViewsError) -> M {
        do {
            return try M(wireBytes: bytes)
        } catch {
            throw .unreadable(table: table)
        }
    }

    /// Entries whose keys begin with `prefix`, after `after` if it is given.
    func page(
        _ table: Table, prefix: Key = Key(), after: Key? = nil, limit: Int
    ) throws(ViewsError) -> [(key: Key, value: [UInt8])] {
        var entries: [(key: Key, value: [UInt8])] = []
        guard limit > 0, (after ?? prefix).bytes.count < Key.bytesMax else { return entries }
        try scan(table, from: after?.successor ?? prefix) { key, value in
            guard key.hasPrefix(prefix) else { return false }
            entries.append((key, value))
            return entries.count < limit
        }
        return entries
    }

    func messages<M: Message>(
        _ type: M.Type, in table: Table, prefix: Key = Key(), after: Key? = nil, limit: Int
    ) throws(ViewsError) -> [M] {
        var result: [M] = []
        for (_, value) in try page(table, prefix: prefix, after: after, limit: limit) {
            result.append(try decoded(type, value, of: table))
        }
        return result
    }

    /// A counter or a number that is stored as 8 bytes; nil if there is none.
    func number(_ key: Key, in table: Table) throws(ViewsError) -> UInt64? {
        try withValue(key, in: table) { value throws(ViewsError) in
            guard value.byteCount == 8 else { throw .unreadable(table: table) }
            return unsafe value.unsafeLoadUnaligned(as: UInt64.self).bigEndian
        }
    }
}

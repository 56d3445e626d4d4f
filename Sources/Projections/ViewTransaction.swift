import Foundation
import LMDB
package import Model
package import Primitives
import SwiftProtobuf

/// The open write transaction of the views: asked like a snapshot, and it records events.
///
/// Everything that is decided inside it sees everything that was recorded before; nothing of it is seen by anybody
/// else before `Views.write` returns, and nothing of it remains if its body throws.
package struct ViewTransaction: ~Copyable, ViewQueries {
    var transaction: WriteTransaction
    let databases: TableDatabases
    package internal(set) var applied: UInt64

    /// Takes in an event that the caller will append to the log as the next one. Whoever appends keeps the rules of the
    /// books: breaking one would be a mistake in this program, so it traps. Values that somebody typed in (a name too long
    /// for a key, an amount that an account cannot hold) throw; the transaction is then to be dropped.
    ///
    /// - Returns: where the event will stand.
    package mutating func record(
        _ event: Event, stream: UUIDv7, time: WallTime
    ) throws(ViewsError) -> EventContext {
        let context = EventContext(
            sequence: applied + 1, stream: stream, version: try version(of: stream) + 1, time: time)
        do {
            try evolve(event, context)
        } catch {
            if case .broken(_, let invariant) = error, invariant.isRuleOfTheBooks {
                preconditionFailure("\(event.storedType) of our own breaks a rule of the books: \(invariant)")
            }
            throw error
        }
        return context
    }

    mutating func evolve(_ event: Event, _ context: EventContext) throws(ViewsError) {
        for projection in projections { try projection.evolve(event, context, in: &self) }
        var mark = Key(context.stream)
        mark.add(context.version)
        mark.add(context.time)
        try put(Key(context.sequence).bytes + mark.bytes, Key.lastApplied, in: .meta)
        applied = context.sequence
    }
}

extension ViewTransaction {
    package func value(_ key: Key, in table: Table) throws(ViewsError) -> [UInt8]? {
        try databases.value(key, in: table, transaction)
    }

    package func scan(
        _ table: Table, from start: Key, _ body: (Key, [UInt8]) throws(ViewsError) -> Bool
    ) throws(ViewsError) {
        try databases.scan(table, from: start, transaction, body)
    }

    package func last(in table: Table, atOrBefore key: Key) throws(ViewsError) -> (key: Key, value: [UInt8])? {
        try databases.last(in: table, atOrBefore: key, transaction)
    }
}

// What projections write with.
extension ViewTransaction {
    mutating func put(_ value: [UInt8], _ key: Key, in table: Table) throws(ViewsError) {
        guard key.fits else { throw .broken(sequence: applied + 1, .malformedField(table.rawValue)) }
        do {
            try transaction.put(key.bytes, value, in: databases[table])
        } catch {
            throw .storage(error)
        }
    }

    mutating func putMessage(_ message: some Message, _ key: Key, in table: Table) throws(ViewsError) {
        let bytes: [UInt8]
        do {
            bytes = try message.serializedBytes()
        } catch {
            preconditionFailure("a proto3 message without required fields always serialises: \(error)")
        }
        try put(bytes, key, in: table)
    }

    /// Nothing happens if there is no such key.
    mutating func remove(_ key: Key, in table: Table) throws(ViewsError) {
        guard key.fits else { return }
        do {
            try transaction.remove(key.bytes, from: databases[table])
        } catch {
            throw .storage(error)
        }
    }

    mutating func removeAll(_ table: Table, prefix: Key) throws(ViewsError) {
        while true {
            let entries = try page(table, prefix: prefix, limit: 1_000)
            if entries.isEmpty { return }
            for (key, _) in entries { try remove(key, in: table) }
        }
    }

    mutating func clear(_ table: Table) throws(ViewsError) {
        do {
            try transaction.empty(databases[table])
        } catch {
            throw .storage(error)
        }
    }

    /// The key of an id that an event names.
    func key(_ id: Data, _ field: String, _ context: EventContext) throws(ViewsError) -> Key {
        guard let id = UUIDv7(id) else { throw .broken(sequence: context.sequence, .malformedField(field)) }
        return Key(id)
    }
}

extension Key {
    static var lastApplied: Key { Key(text: "last_applied") }
}

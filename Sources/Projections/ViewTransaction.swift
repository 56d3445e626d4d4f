import Foundation
import LMDB
public import Ledger
public import Model
public import Primitives
public import Subjects
import SwiftProtobuf

/// The open write transaction of the views: asked like a snapshot, and it records events.
///
/// Everything that is decided inside it sees everything that was recorded before; nothing of it is seen by anybody
/// else before `Views.write` returns, and nothing of it remains if its body throws.
public struct ViewTransaction: ~Copyable, ViewQueries {
    var transaction: WriteTransaction
    let databases: TableDatabases
    /// Rows that LMDB does not have yet; questions see them.
    let buffers: ViewBuffers
    public var entities: EntityCache? { buffers.entities }
    /// Another one after each change of an entity.
    public var entityGeneration: UInt64 { buffers.entities.generation(keys) }
    /// Events come from the log, and nobody asks for what they change before `settle`: what one of them brings and a later one
    /// takes away need not be done.
    var isTakingIn = false
    /// The call that the newest fact names, which every projection asks for.
    private var newestCall: (sequence: UInt64, id: UUIDv7)?
    /// The last of a large replay: what it needed is not needed again.
    var givesMemoryBack = false
    public internal(set) var applied: UInt64
    public let keys: SubjectKeys?
    /// The newest event of this transaction.
    var last: EventContext?
    /// Those that events reach. With the projections of the state alone, what they write into journals goes nowhere.
    let projections: [any Projection.Type]
    private let keepsJournals: Bool
    private let log: (any EventLog)?

    init(
        transaction: consuming WriteTransaction, databases: TableDatabases, buffers: ViewBuffers, applied: UInt64,
        keys: SubjectKeys?, log: (any EventLog)? = nil, projections: [any Projection.Type] = Projections.projections, isStateAlone: Bool = false
    ) {
        self.transaction = transaction
        self.databases = databases
        self.buffers = buffers
        self.applied = applied
        self.keys = keys
        self.log = log
        self.projections = isStateAlone ? stateProjections : projections
        keepsJournals = !isStateAlone
    }

    /// Takes in an event that the caller will append to the log as the next one. Whoever appends keeps the rules of the
    /// books: breaking one would be a mistake in this program, so it traps. Values that somebody typed in (a name too long
    /// for a key, an amount that an account cannot hold) throw; the transaction is then to be dropped.
    ///
    /// - Parameter payload: the event's bytes, if the caller has made them already.
    /// - Returns: where the event will stand.
    public mutating func record(
        _ event: Event, payload: [UInt8]? = nil, stream: UUIDv7, time: WallTime
    ) throws(ViewsError) -> EventContext {
        let context = EventContext(
            sequence: applied + 1, stream: stream, version: try version(of: stream) + 1, time: time)
        do {
            if let fact = CallFact(event) {
                let payload = payload ?? event.serialized()
                if fact == .cdrRecorded || fact == .journalPosted {
                    buffers.unlogged[context.sequence] = StoredFact(time: time, payload: payload)
                }
                try unsafe evolve(fact, payload.span.bytes, context)
            } else {
                try evolve(event, context)
            }
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
        last = context
        applied = context.sequence
    }

    mutating func evolve(_ fact: CallFact, _ payload: RawSpan, _ context: EventContext) throws(ViewsError) {
        var event: Event?
        for projection in projections {
            if try projection.evolve(fact, payload, context, in: &self) { continue }
            let decoded: Event
            if let event {
                decoded = event
            } else {
                do {
                    decoded = try Event(
                        storedType: fact.storedType.description, schemaVersion: 1,
                        payload: unsafe payload.withUnsafeBytes { unsafe Array($0) })
                } catch {
                    throw .event(sequence: context.sequence, error)
                }
                event = decoded
            }
            try projection.evolve(decoded, context, in: &self)
        }
        last = context
        applied = context.sequence
    }

    /// Of a fact whose first field is the call's id.
    @inline(__always)
    mutating func callID(_ fact: CallFact, _ payload: RawSpan, _ context: EventContext) throws(ViewsError) -> UUIDv7 {
        if let newestCall, newestCall.sequence == context.sequence { return newestCall.id }
        let id = try fact.callID(payload, context)
        newestCall = (context.sequence, id)
        return id
    }

    /// Does what was put off while events were taken in.
    mutating func settle() throws(ViewsError) {
        guard isTakingIn else { return }
        isTakingIn = false
        for projection in projections { try projection.settle(in: &self) }
    }

    /// Of an event whose change was put off: enough to say which one it was.
    func context(of fact: WaitingFact) -> EventContext {
        EventContext(sequence: fact.sequence, stream: .platform, version: 0, time: WallTime(microseconds: 0))
    }

    /// Hands LMDB everything that was gathered, in the order of the keys, and makes it visible.
    consuming func commit() throws(ViewsError) {
        precondition(!isTakingIn, "what was put off has to be settled first")
        if let last {
            var mark = Key(last.sequence)
            mark.add(last.stream)
            mark.add(last.version)
            mark.add(last.time)
            try put(mark.bytes, Key.lastApplied, in: .meta)
        }
        if !keepsJournals {
            for table in Table.journalTables {
                buffers[table]?.clear()
                buffers.runs(table)?.clear()
            }
        }
        try buffers.flush(databases, transaction)
        do {
            try transaction.commit()
        } catch {
            throw .storage(error)
        }
        if givesMemoryBack { buffers.shrink() }
    }
}

extension ViewTransaction {
    public func fact(at sequence: UInt64) throws(ViewsError) -> StoredFact {
        if let fact = buffers.unlogged[sequence] { return fact }
        return try StoredFact(at: sequence, in: log)
    }

    public func stream(_ id: UUIDv7) throws(ViewsError) -> [Envelope] { try StoredFact.stream(id, in: log) }

    public func value(_ key: Key, in table: Table) throws(ViewsError) -> [UInt8]? {
        guard let buffer = buffers[table] else {
            try flushRuns(table)
            return try databases.value(key, in: table, transaction)
        }
        guard buffer.isIndexed, let fixed = key.fixed else {
            try flush(table, buffer)
            return try databases.value(key, in: table, transaction)
        }
        guard let row = try find(fixed, in: table, buffer) else { return nil }
        return buffer.withValue(row) { value in unsafe value.withUnsafeBytes { unsafe Array($0) } }
    }

    public func withValue<R>(_ key: Key, in table: Table, _ body: (RawSpan) throws(ViewsError) -> R) throws(ViewsError) -> R? {
        guard let buffer = buffers[table], buffer.isIndexed, let fixed = key.fixed else {
            guard let bytes = try value(key, in: table) else { return nil }
            return try unsafe body(bytes.span.bytes)
        }
        guard let row = try find(fixed, in: table, buffer) else { return nil }
        return try buffer.withValue(row, body)
    }

    public func scan(
        _ table: Table, from start: Key, _ body: (Key, [UInt8]) throws(ViewsError) -> Bool
    ) throws(ViewsError) {
        if let buffer = buffers[table] { try flush(table, buffer) }
        try flushRuns(table)
        try databases.scan(table, from: start, transaction, body)
    }

    public func last(in table: Table, atOrBefore key: Key) throws(ViewsError) -> (key: Key, value: [UInt8])? {
        if let buffer = buffers[table] {
            if let fixed = key.fixed {
                try learnLast(of: table, buffer)
                if let (row, last) = buffer.last(atOrBefore: fixed) {
                    let value = buffer.withValue(row) { value in unsafe value.withUnsafeBytes { unsafe Array($0) } }
                    return (Key(last), value)
                }
            }
            try flush(table, buffer)
        }
        try flushRuns(table)
        return try databases.last(in: table, atOrBefore: key, transaction)
    }

    /// The row of a table whose rows change in place: as this transaction left it, or else as LMDB has it.
    @inline(__always)
    func find(_ key: FixedKey, in table: Table, _ buffer: TableBuffer) throws(ViewsError) -> Int? {
        switch buffer.find(key) {
        case .row(let row): row
        case .absent: nil
        case .unknown: try fetch(key, table, buffer)
        }
    }

    func number(_ key: FixedKey, in table: Table, _ buffer: TableBuffer) throws(ViewsError) -> UInt64? {
        guard let row = try find(key, in: table, buffer) else { return nil }
        guard let number = buffer.number(row) else { throw .unreadable(table: table) }
        return number
    }

    private func fetch(_ key: FixedKey, _ table: Table, _ buffer: TableBuffer) throws(ViewsError) -> Int? {
        try learnLast(of: table, buffer)
        if case .absent = buffer.find(key) { return nil }
        do {
            let found: Result<Void, Never>? = try transaction.withValue(of: Key(key).bytes, in: databases[table]) {
                buffer.remember(key, $0)
            }
            if found == nil { buffer.remember(key, nil) }
        } catch {
            throw .storage(error)
        }
        guard case .row(let row) = buffer.find(key) else { return nil }
        return row
    }

    /// Calls and their events are numbered by time, so most of what is looked for comes after all that is there.
    private func learnLast(of table: Table, _ buffer: TableBuffer) throws(ViewsError) {
        guard !buffer.knowsLast else { return }
        do {
            try transaction.withWriteCursor(in: databases[table]) { cursor throws(LMDBError) in
                buffer.setLast(try cursor.withLastKey { TableBuffer.LastKey($0) })
            }
        } catch {
            throw .storage(error)
        }
    }

    private func flushRuns(_ table: Table) throws(ViewsError) {
        if let runs = buffers.runs(table) { try runs.flush(table, databases, transaction) }
    }

    func flush(_ table: Table, _ buffer: TableBuffer) throws(ViewsError) {
        do {
            try buffer.flush(into: databases[table], transaction)
        } catch {
            throw .storage(error)
        }
    }
}

// What projections write with.
extension ViewTransaction {
    mutating func put(_ value: [UInt8], _ key: Key, in table: Table) throws(ViewsError) {
        buffers.forget(key, in: table)
        guard keepsJournals || !table.isJournal else { return }
        guard key.fits else { throw .broken(sequence: applied + 1, .malformedField(table.rawValue)) }
        if let buffer = buffers[table] {
            if let fixed = key.fixed {
                unsafe buffer.put(fixed, value.span.bytes)
                return
            }
            try flush(table, buffer)
        }
        do {
            try transaction.put(key.bytes, value, in: databases[table])
        } catch {
            throw .storage(error)
        }
    }

    mutating func putMessage(_ message: some Message, _ key: Key, in table: Table) throws(ViewsError) {
        try put(message.wireBytes(), key, in: table)
    }

    /// Nothing happens if there is no such key.
    mutating func remove(_ key: Key, in table: Table) throws(ViewsError) {
        guard key.fits else { return }
        buffers.forget(key, in: table)
        if let buffer = buffers[table] {
            if buffer.isIndexed, let fixed = key.fixed {
                buffer.remove(fixed)
                return
            }
            try flush(table, buffer)
        }
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
        buffers[table]?.clear()
        buffers.runs(table)?.clear()
        buffers.entities.clear()
        buffers.carriers.removeAll()
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
    /// nil for a longer one.
    var fixed: FixedKey? { unsafe FixedKey(bytes.span.bytes) }

    init(_ key: FixedKey) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(FixedKey.bytesMax)
        for word in [key.a, key.b, key.c, key.d, key.e] {
            unsafe withUnsafeBytes(of: word.bigEndian) { unsafe bytes.append(contentsOf: $0) }
        }
        self.init(Array(bytes.prefix(key.count)))
    }

    static var lastApplied: Key { Key(text: "last_applied") }
}

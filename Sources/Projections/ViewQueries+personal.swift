public import Ledger
public import Model
import Primitives
public import Subjects
import SwiftProtobuf

// The tables hold personal fields as they came with the event: sealed. So a page of the file that is not used any more, a
// copy and a snapshot hold nothing that outlives the person's key. They are opened here, on the way out.

extension ViewQueries where Self: ~Copyable {
    func opened<Entity: DirectoryEntity>(_ entity: Entity) throws(ViewsError) -> Entity {
        guard let keys else { return entity }
        var entity = entity
        try personal { () throws(SubjectKeyError) in try entity.open(keys) }
        return entity
    }

    func opened(_ call: LiveCall, withSnapshot: Bool = true) throws(ViewsError) -> LiveCall {
        guard let keys else { return call }
        var call = call
        try personal { () throws(SubjectKeyError) in
            try keys.open(&call.started, of: call.started.callID)
            if withSnapshot, call.hasSnapshot { try keys.open(&call.snapshot, of: call.started.callID) }
        }
        return call
    }

    func opened(_ state: LetterState) throws(ViewsError) -> LetterState {
        guard let keys else { return state }
        var state = state
        try personal { () throws(SubjectKeyError) in try keys.open(&state.letter, of: state.letter.id) }
        return state
    }

    func opened(_ record: Cdr) throws(ViewsError) -> Cdr {
        guard let keys else { return record }
        var record = record
        try personal { () throws(SubjectKeyError) in try keys.open(&record, of: record.callID) }
        return record
    }

    /// Whom a running call belongs to. Needs no key.
    public func subjects(ofCall call: CallID) throws(ViewsError) -> CallSubjects? {
        guard let live = try message(LiveCall.self, Key(call.value), in: .liveCalls) else { return nil }
        return CallSubjects(live.started.caller, live.started.called)
    }

    /// The event in an envelope of the log, with what belongs to natural persons, as far as they are not erased.
    public func event(in stored: Envelope) throws(ViewsError) -> Event { try Event(opening: stored, keys) }
}

extension Event {
    /// As it is stored: personal fields are empty, and sealed beside.
    public init(closed stored: Envelope) throws(ViewsError) {
        do {
            try self.init(storedType: stored.type, schemaVersion: stored.schemaVersion, payload: stored.payload)
        } catch {
            throw .event(sequence: stored.sequence, error)
        }
    }

    /// As it was recorded, less what belongs to erased persons.
    public init(opening stored: Envelope, _ keys: SubjectKeys?) throws(ViewsError) {
        try self.init(closed: stored)
        guard let keys else { return }
        do throws(SubjectKeyError) {
            try keys.open(&self)
        } catch {
            throw .personal(error)
        }
    }
}

private func personal(_ body: () throws(SubjectKeyError) -> Void) throws(ViewsError) {
    do throws(SubjectKeyError) {
        try body()
    } catch {
        throw .personal(error)
    }
}

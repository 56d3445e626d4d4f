import Model
import Primitives

extension AuditProjection {
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool {
        try count(context, in: &views)
        switch fact {
        case .callStarted, .callAnswered, .callUpdated, .callAdopted, .creditRenewed, .callEnded:
            // What is in the call's own stream is found there.
            let call = try views.callID(fact, payload, context)
            guard call != context.stream else { break }
            add(context.stream, context, views)
            add(call, context, views)
        case .cdrRecorded:
            var call: UUIDv7?
            var reader = WireReader(payload)
            while reader.next(in: payload) {
                guard reader.tag == 1 << 3 | 2 else { continue }
                call = try id(2 << 3 | 2, fact, payload, reader.range, context)
            }
            guard call != context.stream else { break }
            add(context.stream, context, views)
            if let call { add(call, context, views) }
        case .journalPosted:
            let isChange = try addJournal(payload, context, views)
            if isChange { try views.put([], Key(context.sequence), in: .changes) }
        }
        return true
    }

    private static func count(_ context: EventContext, in views: inout ViewTransaction) throws(ViewsError) {
        let (key, streams) = (FixedKey(context.stream), views.buffers.streams)
        let expected = (try views.number(key, in: .streams, streams) ?? 0) + 1
        guard context.version == expected else {
            throw .broken(sequence: context.sequence, .streamVersion(expected: expected, actual: context.version))
        }
        streams.put(key, number: context.version)
    }

    /// The last field of that tag, if it is an id.
    @inline(__always)
    private static func id(
        _ tag: UInt64, _ fact: CallFact, _ payload: RawSpan, _ range: Range<Int>, _ context: EventContext
    ) throws(ViewsError) -> UUIDv7? {
        var id: UUIDv7?
        var reader = WireReader(range)
        while reader.next(in: payload) {
            if reader.tag == tag { id = reader.id(in: payload) }
        }
        if reader.isMalformed { throw fact.malformed(context) }
        return id
    }

    @inline(__always)
    private static func add(_ id: UUIDv7, _ context: EventContext, _ views: borrowing ViewTransaction) {
        views.buffers.history.putNothing(FixedKey(id, context.sequence))
    }

    /// The charges of calls are found by their records; what people did to an account is the history of its owner.
    ///
    /// - Returns: whether it is more than the charge of a call.
    private static func addJournal(
        _ payload: RawSpan, _ context: EventContext, _ views: borrowing ViewTransaction
    ) throws(ViewsError) -> Bool {
        var (journal, call): (UUIDv7?, UUIDv7?)
        var hasCall = false
        // Of a journal without a call.
        var owners: [UUIDv7] = []
        var kind = JournalKind.call
        var reader = WireReader(payload)
        while reader.next(in: payload) {
            switch reader.tag {
            case 1 << 3 | 2: journal = reader.id(in: payload)
            case 2 << 3: kind = JournalKind(rawValue: Int(truncatingIfNeeded: reader.number)) ?? .call
            case 3 << 3 | 2:
                hasCall = !reader.range.isEmpty
                call = reader.id(in: payload)
            case 5 << 3 | 2 where !hasCall:
                var posting = WireReader(reader.range)
                while posting.next(in: payload) {
                    guard posting.tag == 1 << 3 | 2 else { continue }
                    if let owner = try id(2 << 3 | 2, .journalPosted, payload, posting.range, context) { owners.append(owner) }
                }
                if posting.isMalformed { throw CallFact.journalPosted.malformed(context) }
            default: break
            }
        }
        if reader.isMalformed { throw CallFact.journalPosted.malformed(context) }
        // What is in its call's stream is found there.
        if call != context.stream {
            var subjects = [context.stream]
            for id in [journal, call] + owners {
                if let id, !subjects.contains(id) { subjects.append(id) }
            }
            for id in subjects { add(id, context, views) }
        }
        return !kind.isOfOtherFact
    }
}

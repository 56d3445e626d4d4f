import Model
import Primitives

extension CDRsProjection {
    /// Nothing of the record is kept but where it is.
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool {
        switch fact {
        case .cdrRecorded: try record(payload, context, in: &views)
        case .callStarted, .callAnswered, .callUpdated, .callAdopted, .creditRenewed, .callEnded, .journalPosted: break
        }
        return true
    }

    private static func record(
        _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let fact = CallFact.cdrRecorded
        var cdr = 0..<0
        var outer = WireReader(payload)
        while outer.next(in: payload) {
            if outer.tag == 1 << 3 | 2 { cdr = outer.range }
        }
        var call: UUIDv7?
        var number: UInt64 = 0
        var started: Int64 = 0
        var parties = PartyIDs()
        var reader = WireReader(cdr)
        while reader.next(in: payload) {
            switch reader.tag {
            case 1 << 3: number = reader.number
            case 2 << 3 | 2: call = reader.id(in: payload)
            case 4 << 3 | 2: parties.readCaller(payload, reader.range)
            case 5 << 3 | 2: parties.readCalled(payload, reader.range)
            case 8 << 3: started = Int64(bitPattern: reader.number)
            default: break
            }
        }
        guard !outer.isMalformed, !reader.isMalformed, !parties.isMalformed else { throw fact.malformed(context) }
        guard let call else { throw .broken(sequence: context.sequence, .malformedField("cdr.call_id")) }
        let buffers = views.buffers
        let last = buffers.cdrs.last(atOrBefore: FixedKey(.max))
        let expected = if let last { last.key.a + 1 } else { try views.nextCDRNumber() }
        guard number == expected else {
            throw .broken(sequence: context.sequence, .cdrNumber(expected: expected, actual: number))
        }
        if try views.find(FixedKey(call), in: .cdrsByCall, buffers.cdrsByCall) != nil {
            throw .broken(sequence: context.sequence, .secondCDR(CallID(call)))
        }
        buffers.cdrs.put(FixedKey(number), number: context.sequence)
        buffers.cdrsByCall.put(FixedKey(call), number: number)
        buffers.cdrsByStart.putNothing(FixedKey(WallTime(microseconds: started), number))
        parties.forEach { buffers.cdrsByParty.add($0, number) }
    }
}

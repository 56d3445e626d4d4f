import Primitives

/// Whom a call concerns, taken from the two `CallParty` of a message: providers, customers, tenants, subscribers and
/// carriers of both sides, each once, in the order of `parties(_:_:)`.
struct PartyIDs {
    private struct Side {
        var provider: UUIDv7?
        var customer: UUIDv7?
        var tenant: UUIDv7?
        var subscriber: UUIDv7?
        var carrier: UUIDv7?
    }

    private var caller = Side()
    private var called = Side()
    private(set) var isMalformed = false

    @inline(__always) mutating func readCaller(_ bytes: RawSpan, _ range: Range<Int>) {
        Self.read(bytes, range, &caller, &isMalformed)
    }

    @inline(__always) mutating func readCalled(_ bytes: RawSpan, _ range: Range<Int>) {
        Self.read(bytes, range, &called, &isMalformed)
    }

    private static func read(_ bytes: RawSpan, _ range: Range<Int>, _ side: inout Side, _ isMalformed: inout Bool) {
        var reader = WireReader(range)
        while reader.next(in: bytes) {
            switch reader.tag {
            case 1 << 3 | 2: side.subscriber = reader.id(in: bytes)
            case 2 << 3 | 2: side.tenant = reader.id(in: bytes)
            case 3 << 3 | 2: side.customer = reader.id(in: bytes)
            case 4 << 3 | 2: side.provider = reader.id(in: bytes)
            case 5 << 3 | 2: side.carrier = reader.id(in: bytes)
            default: break
            }
        }
        if reader.isMalformed { isMalformed = true }
    }

    @inline(__always) func forEach<E: Error>(_ body: (UUIDv7) throws(E) -> Void) throws(E) {
        var ids = InlineArray<10, UUIDv7>(repeating: .platform)
        var count = 0
        for side in 0..<2 {
            let side = side == 0 ? caller : called
            for field in 0..<5 {
                let id =
                    switch field {
                    case 0: side.provider
                    case 1: side.customer
                    case 2: side.tenant
                    case 3: side.subscriber
                    default: side.carrier
                    }
                guard let id else { continue }
                var isKnown = false
                for index in 0..<count where ids[index] == id { isKnown = true }
                if isKnown { continue }
                ids[count] = id
                count += 1
                try body(id)
            }
        }
    }
}

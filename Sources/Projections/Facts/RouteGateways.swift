import Primitives

/// The gateways that stand in a call's first event because they have limits.
struct RouteGateways {
    /// Where the call takes a place, each once: gateways, and carriers under the id that `asLimit` makes of theirs.
    private(set) var counted: [UUIDv7] = []
    /// By which gateways each of them is reached.
    private var gateways: [(place: UUIDv7, gateway: UUIDv7)] = []
    /// Where it was a start.
    private(set) var paced: [UUIDv7] = []

    init(ofStarted bytes: RawSpan, _ started: Range<Int>) throws(ViewsError) {
        var reader = WireReader(started)
        while reader.next(in: bytes) {
            guard reader.tag == 80 << 3 | 2 else { continue }
            var (gateway, isCounted, isPaced): (UUIDv7?, Bool, Bool) = (nil, false, false)
            var (carrier, carrierIsCounted, carrierIsPaced): (UUIDv7?, Bool, Bool) = (nil, false, false)
            var step = WireReader(reader.range)
            while step.next(in: bytes) {
                switch step.tag {
                case 1 << 3 | 2: gateway = step.id(in: bytes)
                case 2 << 3 | 2: carrier = step.id(in: bytes)
                case 4 << 3: isCounted = step.number != 0
                case 5 << 3: isPaced = step.number != 0
                case 120 << 3: carrierIsCounted = step.number != 0
                case 121 << 3: carrierIsPaced = step.number != 0
                default: break
                }
            }
            guard !step.isMalformed else { throw .unreadable(table: .liveCalls) }
            if let carrier, carrierIsPaced { paced.append(carrier) }
            guard let gateway else { continue }
            if isCounted { take(gateway, of: gateway) }
            if let carrier, carrierIsCounted { take(carrier.asLimit, of: gateway) }
            if isPaced { paced.append(gateway) }
        }
        guard !reader.isMalformed else { throw .unreadable(table: .liveCalls) }
    }

    private mutating func take(_ place: UUIDv7, of gateway: UUIDv7) {
        if !counted.contains(place) { counted.append(place) }
        gateways.append((place, gateway))
    }

    /// What is left of it when that gateway has answered.
    func counted(answeredBy answered: [UInt8]) -> [UUIDv7] {
        counted.filter { place in gateways.contains { $0.place == place && $0.gateway.bytes == answered } }
    }
}

extension UUIDv7 {
    /// Under which the calls of a carrier with a limit are counted: those counted under its own id are all that were meant for it,
    /// these all that it carries or may still carry.
    var asLimit: UUIDv7 { UUIDv7(high: high, low: ~low) }
}

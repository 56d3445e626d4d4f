import Primitives

/// The gateways that stand in a call's first event because they have limits.
struct RouteGateways {
    /// Where the call takes a place, each once.
    private(set) var counted: [UUIDv7] = []
    /// Where it was a start.
    private(set) var paced: [UUIDv7] = []

    init(ofStarted bytes: RawSpan, _ started: Range<Int>) throws(ViewsError) {
        var reader = WireReader(started)
        while reader.next(in: bytes) {
            guard reader.tag == 80 << 3 | 2 else { continue }
            var (gateway, isCounted, isPaced): (UUIDv7?, Bool, Bool) = (nil, false, false)
            var step = WireReader(reader.range)
            while step.next(in: bytes) {
                switch step.tag {
                case 1 << 3 | 2: gateway = step.id(in: bytes)
                case 4 << 3: isCounted = step.number != 0
                case 5 << 3: isPaced = step.number != 0
                default: break
                }
            }
            guard !step.isMalformed else { throw .unreadable(table: .liveCalls) }
            guard let gateway else { continue }
            if isCounted, !counted.contains(gateway) { counted.append(gateway) }
            if isPaced { paced.append(gateway) }
        }
        guard !reader.isMalformed else { throw .unreadable(table: .liveCalls) }
    }
}

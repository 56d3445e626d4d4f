import Primitives

/// Where the fields of a stored `LiveCall` are in its bytes.
struct LiveCallRow {
    // Number of the field << 3 | wire type, of views.proto.
    static let started: UInt8 = 1 << 3 | 2
    static let worker: UInt8 = 2 << 3 | 2
    static let answeredAt: UInt8 = 3 << 3
    static let gateway: UInt8 = 4 << 3 | 2
    static let subscriber: UInt8 = 5 << 3 | 2
    static let snapshot: UInt8 = 6 << 3 | 2
    static let startedSequence: UInt8 = 8 << 3

    private var started = 0..<0
    private var worker = 0..<0
    private var answeredAt: UInt64 = 0
    private var gateway = 0..<0
    private var subscriber = 0..<0
    private var snapshot: Range<Int>?
    private var startedSequence: UInt64 = 0

    init(_ bytes: RawSpan) throws(ViewsError) {
        var reader = WireReader(bytes)
        while reader.next(in: bytes) {
            switch reader.tag {
            case UInt64(Self.started): started = reader.range
            case UInt64(Self.worker): worker = reader.range
            case UInt64(Self.answeredAt): answeredAt = reader.number
            case UInt64(Self.gateway): gateway = reader.range
            case UInt64(Self.subscriber): subscriber = reader.range
            case UInt64(Self.snapshot): snapshot = reader.range
            case UInt64(Self.startedSequence): startedSequence = reader.number
            default: break
            }
        }
        if reader.isMalformed { throw .unreadable(table: .liveCalls) }
    }

    /// Writes the row as it is after the fact.
    ///
    /// - Returns: if another worker carries the call now, the key by which the old one found it, and the new one's name.
    func write(
        changedBy fact: CallFact, _ payload: RawSpan, _ bytes: RawSpan, _ context: EventContext, _ writer: WireWriter
    ) throws(ViewsError) -> (old: Key, new: Range<Int>)? {
        var answeredAt = answeredAt
        var newWorker, newGateway, newSubscriber, newSnapshot: Range<Int>?
        var id: UUIDv7?
        if fact == .callAnswered {
            (answeredAt, newGateway, newSubscriber, newSnapshot) = (0, 0..<0, 0..<0, 0..<0)
        } else if fact == .callUpdated {
            newSnapshot = 0..<0
        } else {
            newWorker = 0..<0
        }
        var reader = WireReader(payload)
        while reader.next(in: payload) {
            switch (fact, reader.tag) {
            case (_, 1 << 3 | 2): id = reader.id(in: payload)
            case (.callAnswered, 2 << 3): answeredAt = reader.number
            case (.callAnswered, 3 << 3 | 2): newGateway = reader.range
            case (.callAnswered, 4 << 3 | 2): newSubscriber = reader.range
            case (.callAnswered, 5 << 3 | 2), (.callUpdated, 2 << 3 | 2): newSnapshot = reader.range
            case (.callAdopted, 2 << 3 | 2): newWorker = reader.range
            default: break
            }
        }
        guard !reader.isMalformed, let id else { throw fact.malformed(context) }
        func bytesField(_ tag: UInt8, _ new: Range<Int>?, _ old: Range<Int>) {
            if let new { writer.bytes(tag, payload, new) } else { writer.bytes(tag, bytes, old) }
        }
        func message(_ tag: UInt8, _ new: Range<Int>?, _ old: Range<Int>?) {
            if let new { writer.message(tag, payload, new) } else if let old { writer.message(tag, bytes, old) }
        }
        writer.begin()
        writer.message(Self.started, bytes, started)
        bytesField(Self.worker, newWorker, worker)
        writer.number(Self.answeredAt, answeredAt)
        bytesField(Self.gateway, newGateway, gateway)
        bytesField(Self.subscriber, newSubscriber, subscriber)
        message(Self.snapshot, newSnapshot, snapshot)
        writer.number(Self.startedSequence, startedSequence)
        guard let newWorker else { return nil }
        return (workerKey(bytes, FixedKey(id)), newWorker)
    }

    func parties(_ bytes: RawSpan) throws(ViewsError) -> PartyIDs {
        var parties = PartyIDs()
        var reader = WireReader(started)
        while reader.next(in: bytes) {
            switch reader.tag {
            case 4 << 3 | 2: parties.readCaller(bytes, reader.range)
            case 5 << 3 | 2: parties.readCalled(bytes, reader.range)
            default: break
            }
        }
        guard !reader.isMalformed, !parties.isMalformed else { throw .unreadable(table: .liveCalls) }
        return parties
    }

    /// Where the call takes a place: before an answer at every gateway that it may go to, after it at the one that carries it.
    func countedGateways(_ bytes: RawSpan) throws(ViewsError) -> [UUIDv7] {
        let route = try RouteGateways(ofStarted: bytes, started)
        guard !route.counted.isEmpty, !gateway.isEmpty else { return route.counted }
        let answered = unsafe bytes.extracting(gateway).withUnsafeBytes { unsafe Array($0) }
        return route.counted(answeredBy: answered)
    }

    func workerKey(_ bytes: RawSpan, _ call: FixedKey) -> Key { Self.workerKey(bytes, worker, call) }

    static func workerKey(_ bytes: RawSpan, _ worker: Range<Int>, _ call: FixedKey) -> Key {
        var key: [UInt8] = []
        key.reserveCapacity(worker.count + 17)
        unsafe bytes.extracting(worker).withUnsafeBytes { unsafe key.append(contentsOf: $0) }
        key.append(0)
        return Key(key).adding(call.a).adding(call.b)
    }
}

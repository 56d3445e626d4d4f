import Model
import Primitives

// Rows are the protobuf message `LiveCall`; the fields that an event brings are put in as they are stored. What is held for a
// call stands in the table `holds` alone: it changes every few seconds, and the row is long.
extension LiveCallsProjection {
    /// A fact about a call that has ended already changes nothing here.
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool {
        switch fact {
        case .callStarted: try start(payload, context, in: &views)
        case .callAnswered, .callUpdated, .callAdopted: try update(fact, payload, context, in: &views)
        case .callEnded: try end(FixedKey(try views.callID(fact, payload, context)), in: &views)
        case .creditRenewed, .cdrRecorded, .journalPosted: break
        }
        return true
    }

    private static func start(
        _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let key = FixedKey(try views.callID(.callStarted, payload, context))
        views.buffers.entities.forgetCall(key)
        let calls = views.buffers.liveCalls
        if views.isTakingIn {
            // Nearly all calls end before anybody asks for them.
            if let row = try views.find(key, in: .liveCalls, calls), !calls.isWaiting(row) { try end(key, in: &views) }
            calls.putWaiting(key, WaitingFact(kind: .callStarted, sequence: context.sequence), payload)
            return
        }
        try end(key, in: &views)  // a second start replaces the first, and the counts stay right
        var (worker, parties) = (0..<0, PartyIDs())
        writeStarted(payload, context.sequence, views.buffers.writer, &worker, &parties)
        guard !parties.isMalformed else { throw CallFact.callStarted.malformed(context) }
        views.buffers.writer.withBytes { calls.put(key, $0) }
        try views.putWorkerKey(payload, worker, key)
        try count(parties, 1, in: &views)
        for gateway in try RouteGateways(ofStarted: payload, 0..<payload.byteCount).counted { try count(gateway, 1, in: &views) }
    }

    /// The row of a call that has just started.
    private static func writeStarted(
        _ payload: RawSpan, _ sequence: UInt64, _ writer: WireWriter, _ worker: inout Range<Int>,
        _ parties: inout PartyIDs
    ) {
        var reader = WireReader(payload)
        while reader.next(in: payload) {
            switch reader.tag {
            case 2 << 3 | 2: worker = reader.range
            case 4 << 3 | 2: parties.readCaller(payload, reader.range)
            case 5 << 3 | 2: parties.readCalled(payload, reader.range)
            default: break
            }
        }
        writer.begin()
        writer.message(LiveCallRow.started, payload, 0..<payload.byteCount)
        writer.bytes(LiveCallRow.worker, payload, worker)
        writer.number(LiveCallRow.startedSequence, sequence)
    }

    private static func update(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let key = FixedKey(try views.callID(fact, payload, context))
        let calls = views.buffers.liveCalls
        if fact == .callAdopted { views.buffers.entities.forgetCall(key) }
        guard let row = try views.find(key, in: .liveCalls, calls) else { return }
        if calls.isWaiting(row) {
            calls.append(to: row, WaitingFact(kind: fact, sequence: context.sequence), payload)
            return
        }
        let writer = views.buffers.writer
        let (moved, before): ((old: Key, new: Range<Int>)?, [UUIDv7]) = try calls.withValue(row) { bytes throws(ViewsError) in
            let old = try LiveCallRow(bytes)
            let gateways = fact == .callAnswered ? try old.countedGateways(bytes) : []
            return (try old.write(changedBy: fact, payload, bytes, context, writer), gateways)
        }
        writer.withBytes { calls.put(key, $0) }
        if !before.isEmpty {
            // It was held at each gateway that it might have gone to; now it is known which one carries it.
            let after = try writer.withBytes { bytes throws(ViewsError) in try LiveCallRow(bytes).countedGateways(bytes) }
            for gateway in before where !after.contains(gateway) { try count(gateway, -1, in: &views) }
            for gateway in after where !before.contains(gateway) { try count(gateway, 1, in: &views) }
        }
        if let moved {
            try views.remove(moved.old, in: .liveCallsByWorker)
            try views.putWorkerKey(payload, moved.new, key)
        }
    }

    /// Makes the rows of the calls that have not ended, and counts them.
    public static func settle(in views: inout ViewTransaction) throws(ViewsError) {
        let (calls, writer) = (views.buffers.liveCalls, views.buffers.writer)
        try calls.forEachWaiting { key, facts throws(ViewsError) in
            var parties = PartyIDs()
            var row: [UInt8] = []
            try unsafe WaitingFact.forEach(in: facts.span.bytes) { fact, payload throws(ViewsError) in
                let context = views.context(of: fact)
                if fact.kind == .callStarted {
                    var worker = 0..<0
                    writeStarted(payload, fact.sequence, writer, &worker, &parties)
                    guard !parties.isMalformed else { throw CallFact.callStarted.malformed(context) }
                } else {
                    let bytes = unsafe row.span.bytes
                    _ = try LiveCallRow(bytes).write(changedBy: fact.kind, payload, bytes, context, writer)
                }
                row = writer.withBytes { bytes in unsafe bytes.withUnsafeBytes { unsafe Array($0) } }
            }
            let bytes = unsafe row.span.bytes
            calls.put(key, bytes)
            let live = try LiveCallRow(bytes)
            try views.put([], live.workerKey(bytes, key), in: .liveCallsByWorker)
            try count(parties, 1, in: &views)
            for gateway in try live.countedGateways(bytes) { try count(gateway, 1, in: &views) }
        }
    }

    private static func end(_ key: FixedKey, in views: inout ViewTransaction) throws(ViewsError) {
        views.buffers.entities.forgetCall(key)
        let calls = views.buffers.liveCalls
        guard let row = try views.find(key, in: .liveCalls, calls) else { return }
        // Nobody was told that it runs.
        if calls.isWaiting(row) { return calls.remove(row: row) }
        let (parties, gateways, workerKey) = try calls.withValue(row) { bytes throws(ViewsError) in
            let call = try LiveCallRow(bytes)
            return (try call.parties(bytes), try call.countedGateways(bytes), call.workerKey(bytes, key))
        }
        if let fixed = workerKey.fixed {
            views.buffers.liveCallsByWorker.remove(fixed)
        } else {
            try views.remove(workerKey, in: .liveCallsByWorker)
        }
        try count(parties, -1, in: &views)
        for gateway in gateways { try count(gateway, -1, in: &views) }
        calls.remove(row: row)
    }

    private static func count(_ parties: PartyIDs, _ step: Int64, in views: inout ViewTransaction) throws(ViewsError) {
        try count(.platform, step, in: &views)
        try parties.forEach { id throws(ViewsError) in try count(id, step, in: &views) }
    }

    @inline(__always)
    private static func count(_ id: UUIDv7, _ step: Int64, in views: inout ViewTransaction) throws(ViewsError) {
        let (key, counts) = (FixedKey(id), views.buffers.liveCallCounts)
        guard let row = try views.find(key, in: .liveCallCounts, counts) else {
            guard step > 0 else { throw .unreadable(table: .liveCallCounts) }
            return counts.put(key, number: UInt64(step))
        }
        guard let before = counts.number(row), Int64(before) + step >= 0 else { throw .unreadable(table: .liveCallCounts) }
        let count = Int64(before) + step
        if count == 0 { counts.remove(row: row) } else { counts.set(row, number: UInt64(count)) }
    }
}

extension ViewTransaction {
    /// A worker's name in a message, a 0, and the call.
    fileprivate mutating func putWorkerKey(
        _ bytes: RawSpan, _ worker: Range<Int>, _ call: FixedKey
    ) throws(ViewsError) {
        let key = LiveCallRow.workerKey(bytes, worker, call)
        if let fixed = key.fixed {
            buffers.liveCallsByWorker.putNothing(fixed)
        } else {
            try put([], key, in: .liveCallsByWorker)
        }
    }
}

public import Model
public import Primitives

extension ViewQueries where Self: ~Copyable {
    /// nil: it has ended, or never was.
    public func liveCall(_ id: CallID) throws(ViewsError) -> LiveCall? {
        guard let call = try message(LiveCall.self, Key(id.value), in: .liveCalls) else { return nil }
        return try whole(call)
    }

    /// The same, with what belongs to natural persons left sealed.
    public func closedLiveCall(_ id: CallID) throws(ViewsError) -> LiveCall? {
        try message(LiveCall.self, Key(id.value), in: .liveCalls)
    }

    /// The same, with the state of its dialogs left sealed: what its record is made of.
    public func startedLiveCall(_ id: CallID) throws(ViewsError) -> LiveCall? {
        guard let call = try closedLiveCall(id) else { return nil }
        return try holding(try opened(call, withSnapshot: false))
    }

    public func liveCalls(after: CallID? = nil, limit: Int) throws(ViewsError) -> [LiveCall] {
        var calls = try messages(LiveCall.self, in: .liveCalls, after: after.map { Key($0.value) }, limit: limit)
        for index in calls.indices { calls[index] = try whole(calls[index]) }
        return calls
    }

    /// The calls that a signal worker carries.
    public func liveCalls(worker: String, after: CallID? = nil, limit: Int) throws(ViewsError) -> [LiveCall] {
        let prefix = Key(worker: worker)
        var calls: [LiveCall] = []
        let last = after.map { prefix.adding($0.value) }
        for (key, _) in try page(.liveCallsByWorker, prefix: prefix, after: last, limit: limit) {
            let id = Key(Array(key.bytes.dropFirst(prefix.bytes.count)))
            guard let call = try message(LiveCall.self, id, in: .liveCalls) else {
                throw .unreadable(table: .liveCallsByWorker)
            }
            calls.append(try whole(call))
        }
        return calls
    }

    /// With what is held for it now.
    private func whole(_ call: LiveCall) throws(ViewsError) -> LiveCall {
        try holding(try opened(call))
    }

    private func holding(_ call: LiveCall) throws(ViewsError) -> LiveCall {
        var call = call
        if let hold = try CallID(call.started.callID).flatMap({ id throws(ViewsError) in try hold(call: id) }) { call.hold = hold }
        return call
    }

    /// How many calls run now on the whole platform.
    public func liveCallCount() throws(ViewsError) -> UInt64 { try liveCallCount(party: .platform) }
    public func liveCallCount(of id: ProviderID) throws(ViewsError) -> UInt64 { try liveCallCount(party: id.value) }
    public func liveCallCount(of id: CustomerID) throws(ViewsError) -> UInt64 { try liveCallCount(party: id.value) }
    public func liveCallCount(of id: TenantID) throws(ViewsError) -> UInt64 { try liveCallCount(party: id.value) }
    public func liveCallCount(of id: SubscriberID) throws(ViewsError) -> UInt64 { try liveCallCount(party: id.value) }
    public func liveCallCount(of id: CarrierID) throws(ViewsError) -> UInt64 { try liveCallCount(party: id.value) }

    /// Those that it carries, and those that may still go there. Counted while the gateway takes only so many.
    public func liveCallCount(of id: GatewayID) throws(ViewsError) -> UInt64 { try liveCallCount(party: id.value) }

    /// Those that any of its gateways carries, and those that may still go there. Counted while the carrier takes only so many.
    public func limitedCallCount(of id: CarrierID) throws(ViewsError) -> UInt64 { try liveCallCount(party: id.value.asLimit) }

    /// The same of all of a carrier's gateways.
    public func starts(at id: CarrierID, before time: WallTime) throws(ViewsError) -> UInt64 { try starts(id.value, time) }

    /// Calls that were sent to it in the second up to then. Counted while it takes only so many.
    public func starts(at id: GatewayID, before time: WallTime) throws(ViewsError) -> UInt64 { try starts(id.value, time) }

    private func starts(_ id: UUIDv7, _ time: WallTime) throws(ViewsError) -> UInt64 {
        guard let row = try value(Key(id), in: .gatewayStarts) else { return 0 }
        guard let window = StartWindow(row) else { throw .unreadable(table: .gatewayStarts) }
        return window.count(at: time)
    }

    private func liveCallCount(party id: UUIDv7) throws(ViewsError) -> UInt64 {
        try number(Key(id), in: .liveCallCounts) ?? 0
    }
}

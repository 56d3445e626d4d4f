import Model

/// The calls that run here. Each stays where it is while it is worked on: a call is some kilobytes, and a message of it changes a few.
struct CallTable: Sendable {
    /// One element each, so that the table grows and is looked up without moving calls about.
    private var kept: [CallID: [CallMachine]] = [:]

    var count: Int { kept.count }
    var isEmpty: Bool { kept.isEmpty }
    var ids: some Collection<CallID> { kept.keys }

    func contains(_ id: CallID) -> Bool { kept[id] != nil }

    /// Made where it is kept.
    mutating func insert(_ id: CallID, _ call: @autoclosure () -> CallMachine) { kept[id] = [call()] }

    mutating func remove(_ id: CallID) { kept[id] = nil }

    /// Works on a call, or looks at it, in place; nil when it is not here.
    @discardableResult
    mutating func update<Result>(_ id: CallID, _ body: (inout CallMachine) -> Result) -> Result? {
        guard let place = kept.index(forKey: id) else { return nil }
        return body(&kept.values[place][0])
    }

    /// In no order.
    func ids(where holds: (CallMachine) -> Bool) -> [CallID] { kept.compactMap { holds($0.value[0]) ? $0.key : nil } }
}

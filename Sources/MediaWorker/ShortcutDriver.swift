internal import Primitives

/// Carries out what a shard's core wants of shortcuts, and tells it what has passed. It decides nothing.
struct ShortcutDriver: ~Copyable {
    private let table: (any ShortcutTable)?
    private let firstPort: UInt16
    /// For each port the number of its flow, -1 for none.
    private var numbers: [Int32]
    /// Sessions that are to be closed when their last packets have been counted.
    var closing: [MediaSessionID] = []

    init(_ table: (any ShortcutTable)?, ports: ClosedRange<UInt16>) {
        self.table = table
        firstPort = ports.lowerBound
        numbers = table == nil ? [] : Array(repeating: -1, count: ports.count)
    }

    deinit {
        guard let table else { return }
        for number in numbers where number >= 0 {
            table.close(UInt32(number))
            table.end(UInt32(number))
        }
    }

    var nextCheck: Instant? { table?.nextCheck }

    mutating func takeClosing() -> [MediaSessionID] {
        defer { closing = [] }
        return closing
    }

    func catchUp(_ core: inout RelayCore, port: UInt16) {
        guard let table, let number = number(of: port) else { return }
        core.passed(port: port, table.counts(number))
    }

    func catchUpAll(_ core: inout RelayCore) {
        guard table != nil else { return }
        for place in numbers.indices where numbers[place] >= 0 { catchUp(&core, port: firstPort + UInt16(place)) }
    }

    mutating func tend(_ core: inout RelayCore, at now: Instant) {
        guard let table else { return }
        if let next = table.nextCheck, next <= now {
            for port in table.check(at: now) { core.shortcutLost(port: port, at: now) }
        }
        guard core.hasShortcutOrders else { return }
        for order in core.takeShortcutOrders() { carryOut(order, table, &core, at: now) }
    }

    private mutating func carryOut(_ order: ShortcutOrder, _ table: any ShortcutTable, _ core: inout RelayCore, at now: Instant) {
        switch order {
        case .open(let flow, let position):
            let number = table.open(flow, from: position)
            numbers[Int(flow.port - firstPort)] = number.map { Int32($0) } ?? -1
            core.shortcutOpened(port: flow.port, isOpen: number != nil, at: now)
        case .move(let port, let position):
            if let number = number(of: port) { table.move(number, to: position) }
        case .close(let port):
            if let number = number(of: port) { table.close(number) }
        case .end(let port):
            guard let number = number(of: port) else { return }
            core.passed(port: port, table.counts(number))
            table.end(number)
            numbers[Int(port - firstPort)] = -1
            core.shortcutEnded(port: port, at: now)
        }
    }

    private func number(of port: UInt16) -> UInt32? {
        // A socket that ports are steered to has a port of its own, which anybody can send to: what is below the first wraps to far above the last.
        let place = Int(port &- firstPort)
        guard place < numbers.count, numbers[place] >= 0 else { return nil }
        return UInt32(numbers[place])
    }
}

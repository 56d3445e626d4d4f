internal import Bus
package import Primitives
internal import RTP

/// Packets that pass without the worker: it says which may, and is told what has passed before anything else is made of them.
extension RelayCore {
    package var hasShortcutOrders: Bool { !shortcutOrders.isEmpty }

    /// To be carried out at once, in this order.
    package mutating func takeShortcutOrders() -> [ShortcutOrder] {
        defer { shortcutOrders = [] }
        return shortcutOrders
    }

    /// What was asked for with `ShortcutOrder.open`.
    package mutating func shortcutOpened(port: UInt16, isOpen: Bool, at now: Instant) {
        guard let shortcuts, let (place, side) = route(of: port) else { return }
        sessions.withElement(at: place) { session in session.withShortcut(side) { $0.answered(isOpen: isOpen, at: now, rules: shortcuts) } }
    }

    /// What has passed to a port since its shortcut was opened. To be said before a packet to that port is handled, and before an order about its session.
    package mutating func passed(port: UInt16, _ counts: ShortcutCounts) {
        guard let (place, side) = route(of: port) else { return }
        sessions.withElement(at: place) { $0.passed(side, counts) }
    }

    /// What was asked for with `ShortcutOrder.end`.
    package mutating func shortcutEnded(port: UInt16, at now: Instant) {
        guard let shortcuts, let (place, side) = route(of: port) else { return }
        sessions.withElement(at: place) { session in session.withShortcut(side) { $0.ended(at: now, rules: shortcuts) } }
    }

    /// The flow's way is not there any more.
    package mutating func shortcutLost(port: UInt16, at now: Instant) {
        guard let (place, side) = route(of: port) else { return }
        closeShortcut(at: place, side, isLost: true, now)
    }

    /// Takes a session's packets back, because it is about to be closed.
    /// - Returns: whether all have been counted, and none is on its way to be opened; else it is asked again when shortcuts have ended.
    package mutating func prepareClose(_ id: MediaSessionID, at now: Instant) -> Bool {
        guard shortcuts != nil, let place = places[id] else { return true }
        sessions.withElement(at: place) { $0.isEnding = true }
        reviewShortcuts(at: place, now)
        return sessions.withElement(at: place) { !$0.a.shortcut.isHeld && !$0.b.shortcut.isHeld }
    }

    /// After anything that may have changed what the worker does with a session's packets.
    mutating func reviewShortcuts(at place: Int, _ now: Instant) {
        guard shortcuts != nil else { return }
        review(place, .a, now)
        review(place, .b, now)
        sessions.withElement(at: place) { $0.shortcutsNeedReview = false }
    }

    private mutating func review(_ place: Int, _ side: Side, _ now: Instant) {
        guard let shortcuts else { return }
        let order: ShortcutOrder? = sessions.withElement(at: place) { (session: inout RelaySession) -> ShortcutOrder? in
            let wanted = session.shortcut(from: side)
            let position = side == .a ? session.a.counters.quality.heard.position : session.b.counters.quality.heard.position
            return session.withShortcut(side) { (shortcut: inout Shortcut) -> ShortcutOrder? in
                switch shortcut.state {
                case .learning(let count):
                    guard count >= shortcuts.settled, let wanted else { return nil }
                    shortcut.ask(wanted)
                    return .open(wanted, from: position)
                case .open:
                    guard let wanted, wanted == shortcut.flow else { return .close(port: shortcut.flow?.port ?? 0) }
                    return .move(port: wanted.port, to: position)
                case .asked, .closing, .waiting: return nil
                }
            }
        }
        switch order {
        case .close: closeShortcut(at: place, side, isLost: false, now)
        case .open, .move: if let order { shortcutOrders.append(order) }
        case .end, nil: break
        }
    }

    private mutating func closeShortcut(at place: Int, _ side: Side, isLost: Bool, _ now: Instant) {
        guard let shortcuts else { return }
        let port: UInt16? = sessions.withElement(at: place) { (session: inout RelaySession) -> UInt16? in
            session.withShortcut(side) { (shortcut: inout Shortcut) -> UInt16? in
                guard shortcut.state == .open else { return nil }
                shortcut.close(isLost: isLost)
                return shortcut.flow?.port
            }
        }
        guard let port else { return }
        shortcutOrders.append(.close(port: port))
        closingShortcuts.insert(port, at: now + shortcuts.closing)
    }

    mutating func tickShortcuts(at now: Instant) {
        while let first = closingShortcuts.first, first <= now, let port = closingShortcuts.popFirst(dueBy: now) { shortcutOrders.append(.end(port: port)) }
    }
}

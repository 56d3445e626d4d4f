import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

// What a line has set for calls to it.
extension Line {
    enum Answer: Equatable {
        case ring
        case forward(ForwardTarget)
        case refuse(Refusal, String)
    }

    /// What becomes of a call, before any phone is rung. What is set for all calls goes before what is set for some.
    /// - Parameters:
    ///   - isFull: which limit of calls another one would break.
    ///   - isReachable: whether there is a phone to be rung.
    func answer(at time: WallTime, isFull: String?, isReachable: Bool) -> Answer {
        let forwards = subscriber.forwards
        if let target = forward(.always, to: forwards.always) { return .forward(target) }
        if !isOpen(at: time) {
            return forward(.outsideHours, to: forwards.outsideHours).map { .forward($0) } ?? .refuse(.closed, "the line is not rung at this time")
        }
        if subscriber.doNotDisturb {
            return forward(.busy, to: forwards.busy).map { .forward($0) } ?? .refuse(.doNotDisturb, "the line is not to be disturbed")
        }
        if let isFull { return forward(.busy, to: forwards.busy).map { .forward($0) } ?? .refuse(.limitReached, isFull) }
        if !isReachable {
            return forward(.notRegistered, to: forwards.notRegistered).map { .forward($0) } ?? .refuse(.notRegistered, "no contact is registered")
        }
        return .ring
    }

    /// What the worker does by itself when phones do not answer.
    func setForwards(of plan: inout CallPlan) {
        let forwards = subscriber.forwards
        if let target = forward(.busy, to: forwards.busy) { plan.onBusy = target }
        if let target = forward(.noAnswer, to: forwards.noAnswer) { plan.onNoAnswer = target }
        if let target = forward(.notRegistered, to: forwards.notRegistered) { plan.onUnreachable = target }
    }

    private func forward(_ kind: ForwardKind, to number: String) -> ForwardTarget? {
        guard !number.isEmpty else { return nil }
        return .with {
            $0.subscriberID = subscriber.id
            $0.number = number
            $0.kind = kind
        }
    }

    // MARK: - hours

    /// By the nearest time zone that is set; UTC if none is.
    func isOpen(at time: WallTime) -> Bool {
        guard subscriber.hasHours else { return true }
        let clock = CivilClock(zone: [subscriber.timeZone, tenant.timeZone, customer.timeZone].first { !$0.isEmpty } ?? provider.timeZone)
        let today = clock.date(time)
        // `--12-25` is the end of every year's `2026-12-25`.
        if subscriber.hours.closedDays.contains(where: { $0 == today || $0 == "-" + today.dropFirst(4) }) { return false }
        return subscriber.hours.windows.isEmpty || subscriber.hours.windows.contains { clock.isInside($0, at: time) }
    }

    // MARK: - blocks

    /// nil: whoever it is may call.
    /// - Parameter numbers: by which the caller may be known; a colleague's names are as good as its extension.
    func refusal<State: ViewQueries & ~Copyable>(
        ofCaller numbers: [String], _ caller: Line?, isAnonymous: Bool, in state: borrowing State
    ) throws -> (Refusal, detail: String)? {
        guard subscriber.hasBlocks else { return nil }
        var numbers = numbers
        if let caller, caller.tenantID == tenantID {
            numbers += caller.subscriber.names
            // Of a call that a colleague sends on: who called first, if that is a colleague, too.
            if let shown = numbers.first, !caller.subscriber.names.contains(shown), let first = try state.subscriber(tenant: tenantID, user: shown) {
                numbers += first.names
            }
        }
        if subscriber.blocks.anonymous, isAnonymous { return (.anonymous, "the line takes no calls of callers who do not show their number") }
        let isBlocked = subscriber.blocks.callers.contains { entry in numbers.contains { Line.matches($0, entry) } }
        return isBlocked ? (.callerBlocked, "the caller is on the line's list of blocked callers") : nil
    }

    func blocksCalls(to number: String) -> Bool {
        subscriber.hasBlocks && subscriber.blocks.called.contains { Line.matches(number, $0) }
    }

    /// A colleague is blocked by any of the names and numbers that it has, whichever of them is dialled.
    func blocksCalls<State: ViewQueries & ~Copyable>(to called: Subscriber, in state: borrowing State) throws -> Bool {
        guard subscriber.hasBlocks, !subscriber.blocks.called.isEmpty else { return false }
        if called.tenantID == tenant.id, called.names.contains(where: { blocksCalls(to: $0) }) { return true }
        // Beginnings of numbers are there for the outside: they do not keep the line from a colleague who has such a number.
        let numbers = subscriber.blocks.called.filter { !$0.hasSuffix("*") && $0.utf8.count > 7 }
        guard !numbers.isEmpty, let id = SubscriberID(called.id) else { return false }
        return try state.numbers(of: id, limit: 100).contains { number in numbers.contains { Line.matches(number.e164, $0) } }
    }

    /// A star at the end stands for whatever follows. Carriers, and people, write numbers with or without the plus; what is shorter
    /// than any number of the outside is an extension.
    private static func matches(_ number: String, _ entry: String) -> Bool {
        let isBeginning = entry.hasSuffix("*")
        let body = isBeginning ? entry.dropLast() : entry[...]
        func digits(_ text: Substring) -> Substring? {
            let digits = text.hasPrefix("+") ? text.dropFirst() : text
            return (text.hasPrefix("+") || text.utf8.count > 7) && digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? digits : nil
        }
        func isSame(_ text: Substring, _ body: Substring) -> Bool { isBeginning ? text.hasPrefix(body) : text == body }
        if let number = digits(number[...]), let body = digits(body) { return isSame(number, body) }
        return isSame(number[...], body)
    }

    // MARK: - phones

    func target(_ binding: Binding, for number: String) -> ContactTarget {
        var target = target(at: binding.contactUri, for: number)
        target.flow = binding.flow
        target.path = binding.path
        return target
    }

    /// What holds wherever the line is reached.
    private func target(at contact: String, for number: String) -> ContactTarget {
        .with {
            $0.subscriberID = subscriber.id
            $0.tenantID = tenant.id
            $0.domain = tenant.domain
            $0.uri = requestURI(contact, for: number)
            $0.mediaSecurity = subscriber.mediaSecurity
            $0.codecs = subscriber.codecs
        }
    }

    // MARK: - trunks

    /// A trunk of an address of its own needs no registration to be reached.
    var isFixed: Bool { subscriber.trunk.isTrunk && !subscriber.trunk.addresses.isEmpty }

    /// The trunk's addresses, one after the other.
    func fixedTargets(for number: String) -> [TargetGroup] {
        guard isFixed else { return [] }
        return subscriber.trunk.addresses.map { address in
            var contact = target(at: "sip:\(address)", for: number)
            contact.flow.remote = address
            return .with { group in
                group.targets = [
                    .with {
                        $0.contact = contact
                        $0.timeoutSeconds = ringSeconds
                    }
                ]
            }
        }
    }

    /// A telephone system is told which of its numbers was called; a phone is called as it has registered.
    func requestURI(_ contact: String, for number: String) -> String {
        guard subscriber.trunk.isTrunk, let colon = contact.firstIndex(of: ":") else { return contact }
        let scheme = contact[...colon]
        let rest = contact[contact.index(after: colon)...]
        // Before an @ that belongs to the user, and not to a parameter.
        let end = rest.firstIndex { $0 == ";" || $0 == "?" } ?? rest.endIndex
        let host = rest[..<end].lastIndex(of: "@").map { rest[rest.index(after: $0)...] } ?? rest
        return "\(scheme)\(number)@\(host)"
    }
}

extension Subscriber {
    /// What colleagues dial to reach it.
    fileprivate var names: [String] { [username] + aliases }
}

import Foundation
public import Model
import SwiftProtobuf

// Numbers and addresses of a call. What the books need stays: amounts, times, durations, ids, and the prefix of the price
// list that matched (in `RateLock.entry` and `Charge.entry`).

extension CallStarted: PersonalRecord {
    public static var mark: UInt8 { 4 }

    public mutating func withdraw() -> (first: CallStarted, second: CallStarted) {
        var (caller, called) = (CallStarted(), CallStarted())
        if hasCaller { move(\.caller.number, "", from: &self, to: &caller) }
        move(\.sourceAddress, "", from: &self, to: &caller)
        move(\.sipCallID, "", from: &self, to: &caller)
        if hasCalled { move(\.called.number, "", from: &self, to: &called) }
        move(\.dialled, "", from: &self, to: &called)
        move(\.calledE164, "", from: &self, to: &called)
        return (caller, called)
    }

    /// Every call has these: written as they stand here, in the order of their numbers, without a message for each part.
    public mutating func withdrawBytes(isOne: Bool) -> (first: [UInt8], second: [UInt8]) {
        var (first, second) = (WireEncoder(capacity: 128), WireEncoder(capacity: isOne ? 0 : 128))
        if hasCaller { Self.withdraw(&caller, 4, into: &first) }
        withdrawCalled(into: &second, isOne, &first)
        Self.withdraw(&sipCallID, 8, into: &first)
        Self.withdraw(&sourceAddress, 9, into: &first)
        return (first.bytes, second.bytes)
    }

    private mutating func withdrawCalled(into second: inout WireEncoder, _ isOne: Bool, _ first: inout WireEncoder) {
        func take(_ encoder: inout WireEncoder) {
            if hasCalled { Self.withdraw(&called, 5, into: &encoder) }
            Self.withdraw(&dialled, 6, into: &encoder)
            Self.withdraw(&calledE164, 7, into: &encoder)
        }
        if isOne { take(&first) } else { take(&second) }
    }

    private static func withdraw(_ text: inout String, _ number: Int, into encoder: inout WireEncoder) {
        guard !text.isEmpty else { return }
        encoder.visitSingularStringField(value: text, fieldNumber: number)
        text = ""
    }

    private static func withdraw(_ party: inout CallParty, _ number: Int, into encoder: inout WireEncoder) {
        guard !party.number.isEmpty else { return }
        var part = CallParty()
        swap(&part.number, &party.number)
        encoder.encode(part, as: number)
    }
}

/// The state of two dialogs. Each leg's own addresses are of its side, and the other's name in it of the other side; the
/// SDP that we send to one side is made of the other side's.
extension CallSnapshot: PersonalRecord {
    public static var mark: UInt8 { 5 }

    public mutating func withdraw() -> (first: CallSnapshot, second: CallSnapshot) {
        var (caller, called) = (CallSnapshot(), CallSnapshot())
        // Taken out, changed and put back: a change of a message within another copies it.
        if hasA {
            var leg = a
            clearA()
            let (own, other) = leg.withdraw()
            a = leg
            if let own { caller.a = own }
            if let other { called.a = other }
        }
        if hasB {
            var leg = b
            clearB()
            let (own, other) = leg.withdraw()
            b = leg
            if let own { called.b = own }
            if let other { caller.b = other }
        }
        (caller.remoteSdpA, remoteSdpA) = (remoteSdpA, "")
        (caller.sdpB, sdpB) = (sdpB, "")
        (called.remoteSdpB, remoteSdpB) = (remoteSdpB, "")
        (called.sdpA, sdpA) = (sdpA, "")
        return (caller, called)
    }
}

extension DialogState {
    /// - Returns: what belongs to the person at that end, and how the other one is called there; nil where there is nothing.
    fileprivate mutating func withdraw() -> (own: DialogState?, other: DialogState?) {
        var (own, other) = (DialogState(), DialogState())
        (own.callID, callID) = (callID, "")
        (own.remoteUri, remoteUri) = (remoteUri, "")
        (own.remoteTarget, remoteTarget) = (remoteTarget, "")
        (own.routeSet, routeSet) = (routeSet, [])
        (other.localUri, localUri) = (localUri, "")
        if hasFlow, !flow.remote.isEmpty {
            own.flow = .with { $0.remote = flow.remote }
            var rest = flow
            rest.remote = ""
            flow = rest
        }
        let isBare = own.callID.isEmpty && own.remoteUri.isEmpty && own.remoteTarget.isEmpty && own.routeSet.isEmpty && !own.hasFlow
        return (isBare ? nil : own, other.localUri.isEmpty ? nil : other)
    }
}

extension CallEnded: PersonalRecord {
    public static var mark: UInt8 { 6 }

    public mutating func withdraw() -> (first: CallEnded, second: CallEnded) {
        var called = CallEnded()
        called.attempts = attempts.withdrawTargets()
        return (CallEnded(), called)
    }

    public mutating func restore(_ part: [UInt8]) throws {
        let before = attempts
        attempts = []
        try merge(serializedBytes: part)
        attempts = before.restored(with: attempts)
    }
}

extension Cdr: PersonalRecord {
    public static var mark: UInt8 { 7 }

    public mutating func withdraw() -> (first: Cdr, second: Cdr) {
        var (caller, called) = (Cdr(), Cdr())
        if !self.caller.number.isEmpty { (caller.caller.number, self.caller.number) = (self.caller.number, "") }
        if !self.called.number.isEmpty { (called.called.number, self.called.number) = (self.called.number, "") }
        (caller.sipCallID, sipCallID) = (sipCallID, "")
        (called.dialled, dialled) = (dialled, "")
        (called.calledE164, calledE164) = (calledE164, "")
        called.attempts = attempts.withdrawTargets()
        return (caller, called)
    }

    public mutating func restore(_ part: [UInt8]) throws {
        let before = attempts
        attempts = []
        try merge(serializedBytes: part)
        attempts = before.restored(with: attempts)
    }
}

extension [CallAttempt] {
    /// As many attempts as there are, with nothing but the addresses tried; none if there is no address.
    fileprivate mutating func withdrawTargets() -> [CallAttempt] {
        guard contains(where: { !$0.target.isEmpty }) else { return [] }
        let targets = map { attempt in CallAttempt.with { $0.target = attempt.target } }
        for index in indices { self[index].target = "" }
        return targets
    }

    /// Lists are put back place by place: merging would put one behind the other.
    fileprivate func restored(with part: [CallAttempt]) -> [CallAttempt] {
        var result = self
        for (index, attempt) in part.enumerated() where index < result.count && !attempt.target.isEmpty {
            result[index].target = attempt.target
        }
        return result
    }
}

import Primitives
import Testing

@testable import SIP

private func at(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

/// A machine of any of the four kinds, driven by its own wakes: what happens when nobody answers.
private func silence<Action>(
    until limit: UInt64 = 200_000, wake: () -> Instant?, tick: (Instant, inout [Action]) -> Void
) -> [String] {
    var told: [String] = []
    while let next = wake(), next <= at(limit) {
        var actions: [Action] = []
        tick(next, &actions)
        for action in actions { told.append("\(next.nanoseconds / 1_000_000) \(action)") }
    }
    return told
}

// RFC 3261 §17.1.1, table 4.

@Test func inviteIsRepeatedByTimerAUntilTimerB() {
    var actions: [InviteClientMachine.Action] = []
    var machine = InviteClientMachine(now: at(0), timers: .standard, isReliable: false, into: &actions)
    #expect(actions == [.transmit])
    let told = silence(wake: { machine.nextWake }) { machine.handle(.tick, now: $0, timers: .standard, into: &$1) }
    #expect(
        told == [
            "500 transmit", "1500 transmit", "3500 transmit", "7500 transmit", "15500 transmit", "31500 transmit",
            "32000 timeOut", "32000 end",
        ])
}

@Test func inviteOverAReliableTransportIsSentOnce() {
    var actions: [InviteClientMachine.Action] = []
    var machine = InviteClientMachine(now: at(0), timers: .standard, isReliable: true, into: &actions)
    #expect(
        silence(wake: { machine.nextWake }) { machine.handle(.tick, now: $0, timers: .standard, into: &$1) } == [
            "32000 timeOut", "32000 end",
        ])
}

@Test func ringingStopsRepetitionWithoutALimit() {
    var actions: [InviteClientMachine.Action] = []
    var machine = InviteClientMachine(now: at(0), timers: .standard, isReliable: false, into: &actions)
    actions = []
    machine.handle(.provisional, now: at(600), timers: .standard, into: &actions)
    #expect(actions == [.deliver])
    #expect(machine.nextWake == nil)
    machine.handle(.cancel, now: at(1_000), timers: .standard, into: &actions)
    #expect(machine.nextWake == at(33_000))
    machine.handle(.provisional, now: at(2_000), timers: .standard, into: &actions)
    #expect(machine.nextWake == at(33_000), "a late 180 does not revive a cancelled call")
}

/// Timer D: at least 32 s over UDP, nothing over TCP.
@Test(arguments: [(false, UInt64(32_000)), (true, 0)])
func failureIsAcknowledgedEachTimeUntilTimerD(isReliable: Bool, wait: UInt64) {
    var actions: [InviteClientMachine.Action] = []
    var machine = InviteClientMachine(now: at(0), timers: .standard, isReliable: isReliable, into: &actions)
    actions = []
    machine.handle(.failure, now: at(100), timers: .standard, into: &actions)
    #expect(actions == (isReliable ? [.acknowledge, .deliver, .end] : [.acknowledge, .deliver]))
    actions = []
    machine.handle(.failure, now: at(700), timers: .standard, into: &actions)
    #expect(actions == (isReliable ? [] : [.acknowledge]))
    actions = []
    machine.handle(.tick, now: at(100 + wait), timers: .standard, into: &actions)
    #expect(actions == (isReliable ? [] : [.end]))
}

/// RFC 6026 §8.4: Accepted lasts for timer M and passes every 2xx up.
@Test func everySuccessIsDeliveredUntilTimerM() {
    var actions: [InviteClientMachine.Action] = []
    var machine = InviteClientMachine(now: at(0), timers: .standard, isReliable: false, into: &actions)
    actions = []
    machine.handle(.success, now: at(100), timers: .standard, into: &actions)
    machine.handle(.success, now: at(700), timers: .standard, into: &actions)
    machine.handle(.failure, now: at(800), timers: .standard, into: &actions)
    machine.handle(.tick, now: at(32_099), timers: .standard, into: &actions)
    #expect(actions == [.deliver, .deliver])
    machine.handle(.tick, now: at(32_100), timers: .standard, into: &actions)
    #expect(actions == [.deliver, .deliver, .end])
}

// §17.1.2.

@Test func requestIsRepeatedByTimerEUntilTimerF() {
    var actions: [ClientMachine.Action] = []
    var machine = ClientMachine(now: at(0), timers: .standard, isReliable: false, into: &actions)
    let told = silence(wake: { machine.nextWake }) { machine.handle(.tick, now: $0, timers: .standard, into: &$1) }
    #expect(
        told == [
            "500 transmit", "1500 transmit", "3500 transmit", "7500 transmit", "11500 transmit", "15500 transmit",
            "19500 transmit", "23500 transmit", "27500 transmit", "31500 transmit", "32000 timeOut", "32000 end",
        ])
}

@Test func provisionalSlowsRepetitionToT2() {
    var actions: [ClientMachine.Action] = []
    var machine = ClientMachine(now: at(0), timers: .standard, isReliable: false, into: &actions)
    machine.handle(.provisional, now: at(100), timers: .standard, into: &actions)
    let told = silence(wake: { machine.nextWake }) { machine.handle(.tick, now: $0, timers: .standard, into: &$1) }
    #expect(told.prefix(3) == ["500 transmit", "4500 transmit", "8500 transmit"])
    #expect(told.suffix(2) == ["32000 timeOut", "32000 end"])
}

@Test(arguments: [(false, UInt64(5_000)), (true, 0)])
func repeatedFinalResponsesAreAbsorbedUntilTimerK(isReliable: Bool, wait: UInt64) {
    var actions: [ClientMachine.Action] = []
    var machine = ClientMachine(now: at(0), timers: .standard, isReliable: isReliable, into: &actions)
    actions = []
    machine.handle(.final, now: at(100), timers: .standard, into: &actions)
    machine.handle(.final, now: at(200), timers: .standard, into: &actions)
    #expect(actions == (isReliable ? [.deliver, .end] : [.deliver]))
    machine.handle(.tick, now: at(100 + wait), timers: .standard, into: &actions)
    #expect(actions == [.deliver, .end])
}

// §17.2.1.

@Test func tryingIsSaidAfter200Milliseconds() {
    var machine = InviteServerMachine(now: at(0), timers: .standard, isReliable: false)
    #expect(silence(wake: { machine.nextWake }) { machine.handle(.tick, now: $0, timers: .standard, into: &$1) } == ["200 sendTrying"])
}

@Test func failureIsRepeatedByTimerGUntilTimerH() {
    var machine = InviteServerMachine(now: at(0), timers: .standard, isReliable: false)
    var actions: [InviteServerMachine.Action] = []
    machine.handle(.failure, now: at(0), timers: .standard, into: &actions)
    #expect(actions == [.transmit])
    let told = silence(wake: { machine.nextWake }) { machine.handle(.tick, now: $0, timers: .standard, into: &$1) }
    #expect(
        told == [
            "500 retransmit", "1500 retransmit", "3500 retransmit", "7500 retransmit", "11500 retransmit",
            "15500 retransmit",
            "19500 retransmit", "23500 retransmit", "27500 retransmit", "31500 retransmit",
            "32000 end",
        ])
}

@Test func failureOverAReliableTransportWaitsForItsAcknowledgement() {
    var machine = InviteServerMachine(now: at(0), timers: .standard, isReliable: true)
    var actions: [InviteServerMachine.Action] = []
    machine.handle(.failure, now: at(0), timers: .standard, into: &actions)
    var copy = machine
    #expect(
        silence(wake: { copy.nextWake }) { copy.handle(.tick, now: $0, timers: .standard, into: &$1) }
            == ["32000 end"])
    actions = []
    machine.handle(.acknowledged, now: at(100), timers: .standard, into: &actions)
    #expect(actions == [.end], "timer I is zero")
}

@Test func acknowledgedFailureIsQuietUntilTimerI() {
    var machine = InviteServerMachine(now: at(0), timers: .standard, isReliable: false)
    var actions: [InviteServerMachine.Action] = []
    machine.handle(.failure, now: at(0), timers: .standard, into: &actions)
    machine.handle(.acknowledged, now: at(100), timers: .standard, into: &actions)
    machine.handle(.acknowledged, now: at(200), timers: .standard, into: &actions)
    machine.handle(.repeated, now: at(300), timers: .standard, into: &actions)
    #expect(actions == [.transmit])
    #expect(silence(wake: { machine.nextWake }) { machine.handle(.tick, now: $0, timers: .standard, into: &$1) } == ["5100 end"])
}

/// RFC 6026 §8.5: an INVITE repeated after the 2xx is absorbed until timer L.
@Test func acceptedInviteIsAbsorbedUntilTimerL() {
    var machine = InviteServerMachine(now: at(0), timers: .standard, isReliable: false)
    var actions: [InviteServerMachine.Action] = []
    machine.handle(.success, now: at(0), timers: .standard, into: &actions)
    machine.handle(.repeated, now: at(500), timers: .standard, into: &actions)
    machine.handle(.failure, now: at(600), timers: .standard, into: &actions)
    #expect(actions == [.transmit])
    #expect(silence(wake: { machine.nextWake }) { machine.handle(.tick, now: $0, timers: .standard, into: &$1) } == ["32000 end"])
}

@Test func repeatedInviteGetsTheLastProvisionalAgain() {
    var machine = InviteServerMachine(now: at(0), timers: .standard, isReliable: false)
    var actions: [InviteServerMachine.Action] = []
    machine.handle(.repeated, now: at(50), timers: .standard, into: &actions)
    machine.handle(.provisional, now: at(60), timers: .standard, into: &actions)
    machine.handle(.repeated, now: at(70), timers: .standard, into: &actions)
    #expect(actions == [.sendTrying, .transmit, .retransmit])
}

// §17.2.2.

@Test(arguments: [(false, UInt64(32_000)), (true, 0)])
func answeredRequestIsAnsweredAgainUntilTimerJ(isReliable: Bool, wait: UInt64) {
    var machine = ServerMachine(isReliable: isReliable)
    var actions: [ServerMachine.Action] = []
    machine.handle(.repeated, now: at(0), timers: .standard, into: &actions)
    #expect(actions.isEmpty, "nothing to repeat yet")
    machine.handle(.provisional, now: at(0), timers: .standard, into: &actions)
    machine.handle(.repeated, now: at(0), timers: .standard, into: &actions)
    machine.handle(.final, now: at(0), timers: .standard, into: &actions)
    machine.handle(.repeated, now: at(10), timers: .standard, into: &actions)
    machine.handle(.final, now: at(20), timers: .standard, into: &actions)
    machine.handle(.tick, now: at(wait), timers: .standard, into: &actions)
    #expect(
        actions
            == (isReliable
                ? [.transmit, .retransmit, .transmit, .end] : [.transmit, .retransmit, .transmit, .retransmit, .end]))
}

// §13.3.1.4.

@Test func answerIsRepeatedUntilItsAcknowledgement() {
    var machine = AnswerMachine(now: at(0), timers: .standard)
    var abandoned = machine
    let told = silence(wake: { abandoned.nextWake }) { abandoned.tick(now: $0, timers: .standard, into: &$1) }
    #expect(
        told == [
            "500 retransmit", "1500 retransmit", "3500 retransmit", "7500 retransmit", "11500 retransmit",
            "15500 retransmit",
            "19500 retransmit", "23500 retransmit", "27500 retransmit", "31500 retransmit",
            "32000 reportUnacknowledged",
        ])
    let isFirst = machine.acknowledge()
    let isSecond = machine.acknowledge()
    #expect(isFirst && !isSecond)
    #expect(machine.nextWake == nil)
}

@Test func otherBaseValuesScaleEveryTimer() {
    let timers = Timers(t1: .milliseconds(100), t2: .milliseconds(400), t4: .seconds(1))
    var actions: [ClientMachine.Action] = []
    var machine = ClientMachine(now: at(0), timers: timers, isReliable: false, into: &actions)
    let told = silence(wake: { machine.nextWake }) { machine.handle(.tick, now: $0, timers: timers, into: &$1) }
    #expect(told.prefix(4) == ["100 transmit", "300 transmit", "700 transmit", "1100 transmit"])
    #expect(told.last == "6400 end")
}

@Test func transportFailureEndsEveryMachineThatWaits() {
    var invite: [InviteClientMachine.Action] = []
    var inviteMachine = InviteClientMachine(now: at(0), timers: .standard, isReliable: true, into: &invite)
    inviteMachine.handle(.unreachable, now: at(1), timers: .standard, into: &invite)
    #expect(invite == [.transmit, .reportUnreachable, .end])
    var plain: [ClientMachine.Action] = []
    var plainMachine = ClientMachine(now: at(0), timers: .standard, isReliable: true, into: &plain)
    plainMachine.handle(.unreachable, now: at(1), timers: .standard, into: &plain)
    #expect(plain == [.transmit, .reportUnreachable, .end])
    #expect(plainMachine.nextWake == nil)
}

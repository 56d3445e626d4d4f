import ICE
import Primitives
import Testing

private let ours = ICECredentials(fragment: "ours", password: "ourpasswordourpassword")
private let peer = SocketAddress("192.0.2.7:4000")!
private let other = SocketAddress("198.51.100.9:5000")!

private func agent() -> ICEAgent { ICEAgent(ICEAgent.Setup(local: ours, remoteFragment: "theirs")) }

/// A check as a browser makes it.
private func check(
    _ credentials: ICECredentials = ours, user: String? = nil, nominates: Bool = false, controlled: Bool = false, more: [UInt16] = []
) -> [UInt8] {
    var writer = STUNWriter(0x0001, transaction: (1...12).map { UInt8($0) })
    writer.add(STUNAttribute.username, Array((user ?? credentials.fragment + ":theirs").utf8))
    writer.add(STUNAttribute.priority, [0x6E, 0, 1, 0xFF])
    writer.add(controlled ? STUNAttribute.iceControlled : STUNAttribute.iceControlling, [1, 2, 3, 4, 5, 6, 7, 8])
    if nominates { writer.add(STUNAttribute.useCandidate, []) }
    for type in more { writer.add(type, [0, 0]) }
    return writer.finished(password: credentials.password)
}

@Test func aCheckIsAnsweredWithTheAddressThatItCameFrom() throws {
    var agent = agent()
    guard case .answer(let bytes, isNominated: false) = agent.receive(check(), from: peer, .media) else {
        Issue.record("no answer")
        return
    }
    let answer = try #require(STUNMessage(parsing: bytes))
    #expect(answer.kind == .bindingSuccess)
    #expect(answer.mappedAddress == peer)
    #expect(answer.transaction.elementsEqual((1...12).map { UInt8($0) }))
    #expect(answer.hasValidFingerprint && answer.hasValidIntegrity(password: ours.password))
    #expect(agent.isChecked(peer, .media))
    #expect(!agent.isChecked(peer, .control) && !agent.isChecked(other, .media))
    #expect(agent.destination(.media) == nil)
}

@Test func sendingFollowsTheNewestNomination() {
    var agent = agent()
    _ = agent.receive(check(nominates: true), from: peer, .media)
    #expect(agent.destination(.media) == peer)
    _ = agent.receive(check(), from: other, .media)
    #expect(agent.destination(.media) == peer)
    _ = agent.receive(check(nominates: true), from: other, .media)
    #expect(agent.destination(.media) == other)
    #expect(agent.destination(.control) == nil)
}

@Test func aWrongPasswordAnotherUserAndNoFingerprintTeachNothing() {
    var agent = agent()
    let wrong = ICECredentials(fragment: "ours", password: "otherpasswordotherpasswd")
    #expect(agent.receive(check(wrong, nominates: true), from: other, .media) == .wrongPassword)
    #expect(agent.receive(check(user: "ours:somebody", nominates: true), from: other, .media) == .wrongPassword)
    #expect(agent.receive(check(user: "our:theirs", nominates: true), from: other, .media) == .wrongPassword)
    #expect(agent.receive(Array(check(nominates: true).dropLast(8)), from: other, .media) == .malformed)
    #expect(agent.receive([0, 1, 2], from: other, .media) == .malformed)
    #expect(!agent.isChecked(other, .media))
    #expect(agent.destination(.media) == nil)
}

@Test func aPeerThatTakesUsForTheOneInControlIsToldSo() throws {
    var agent = agent()
    guard case .answer(let bytes, isNominated: false) = agent.receive(check(controlled: true), from: peer, .media) else {
        Issue.record("no answer")
        return
    }
    let answer = try #require(STUNMessage(parsing: bytes))
    #expect(answer.kind == .bindingError)
    #expect(answer.value(STUNAttribute.errorCode).map { Array($0) } == [0, 0, 4, 87])
    #expect(!agent.isChecked(peer, .media))
}

@Test func whatMustBeUnderstoodAndIsNotIsNamed() throws {
    var agent = agent()
    guard case .answer(let bytes, _) = agent.receive(check(more: [0x7001, 0xC057]), from: peer, .media) else {
        Issue.record("no answer")
        return
    }
    let answer = try #require(STUNMessage(parsing: bytes))
    #expect(answer.value(STUNAttribute.errorCode).map { Array($0) } == [0, 0, 4, 20])
    #expect(answer.value(STUNAttribute.unknownAttributes).map { Array($0) } == [0x70, 0x01])
}

@Test func aRestartKeepsTheOldPathUntilTheNewOneIsNominated() {
    var agent = agent()
    _ = agent.receive(check(nominates: true), from: peer, .media)
    let fresh = ICECredentials(fragment: "fresh", password: "freshpasswordfreshpassword")
    agent.change(to: ICEAgent.Setup(local: fresh, remoteFragment: "theirs"))
    #expect(agent.destination(.media) == peer && agent.isChecked(peer, .media))
    // The old path is still kept alive with the old password, and cannot choose any more.
    _ = agent.receive(check(nominates: true), from: other, .media)
    #expect(agent.destination(.media) == peer)
    _ = agent.receive(check(fresh, nominates: true), from: other, .media)
    #expect(agent.destination(.media) == other)
    #expect(!agent.isChecked(peer, .media))
    #expect(agent.receive(check(), from: peer, .media) == .wrongPassword)
}

@Test func aPeerWithManyAddressesIsForgottenOldestFirstAndNeverItsChoice() {
    var agent = agent()
    _ = agent.receive(check(nominates: true), from: peer, .media)
    for port in 1...20 as ClosedRange<UInt16> { _ = agent.receive(check(), from: SocketAddress(.v4(0xC000_0201), port: port), .media) }
    #expect(agent.isChecked(peer, .media))
    #expect(!agent.isChecked(SocketAddress(.v4(0xC000_0201), port: 1), .media))
    #expect(agent.isChecked(SocketAddress(.v4(0xC000_0201), port: 20), .media))
}

@Test func credentialsAreWrittenAsDescriptionsMayCarryThem() {
    var random = RandomSource(seed: 1)
    let made = ICECredentials(random: &random)
    #expect(made.isValid && made.fragment.count == 8 && made.password.count == 24)
    #expect(ICECredentials(random: &random) != made)
    #expect(!ICECredentials(fragment: "a b c", password: made.password).isValid)
    #expect(!ICECredentials(fragment: "abcd", password: "short").isValid)
}

import ICE
import MediaWorker
import OpenSSL
import Primitives
import RTP
import Testing

private let ours = ICECredentials(fragment: "ours", password: "ourpasswordourpassword")
private let browser = address("192.0.2.7:4000")
private let phone = address("203.0.113.9:6000")
private let mallory = address("192.0.2.66:666")

/// A browser's side: it checks our address, shakes hands, and protects its packets.
private struct Browser {
    let identity: DTLSIdentity
    let session: DTLSSession
    var keys: DTLSSession.Keys?

    init(_ role: DTLSSession.Role = .client) throws {
        identity = try DTLSIdentity()
        session = try DTLSSession(role, as: identity)
    }

    func setup(checks: Bool = true, role: DTLSSession.Role = .server, fingerprint: [UInt8]? = nil, remote: SocketAddress? = nil) -> LegSetup {
        LegSetup(
            remote: remote, sharesControlPort: true,
            handshake: LegSetup.Handshake(hash: .sha256, fingerprint: fingerprint ?? identity.fingerprint, role: role),
            checks: checks ? ICEAgent.Setup(local: ours, remoteFragment: "theirs") : nil)
    }

    static func check(nominates: Bool = true, password: String = ours.password) -> [UInt8] {
        var writer = STUNWriter(0x0001, transaction: (1...12).map { UInt8($0) })
        writer.add(STUNAttribute.username, Array("ours:theirs".utf8))
        writer.add(STUNAttribute.iceControlling, [1, 2, 3, 4, 5, 6, 7, 8])
        if nominates { writer.add(STUNAttribute.useCandidate, []) }
        return writer.finished(password: password)
    }

    /// Passes datagrams to and fro until both are silent.
    func shakeHands(_ core: inout RelayCore, from source: SocketAddress = browser, port: UInt16 = 30_000) throws {
        if session.role == .client { try session.start() }
        for _ in 0..<8 {
            for datagram in session.takeDatagrams() { _ = core.pass(datagram, to: port, from: source, at: milliseconds(20)) }
            for reply in core.takeReplies() where (20...63).contains(reply.bytes[0]) {
                #expect(reply.port == port && reply.destination == source)
                try session.receive(reply.bytes)
            }
        }
    }

    func sender() throws -> SRTPSession {
        let keys = try #require(session.keys)
        let suite = try #require(SRTPSuite(rawValue: keys.suite))
        return try SRTPSession(.outbound, suite: suite, key: #require(SRTPMasterKey(keys.sending, for: suite)))
    }

    func receiver() throws -> SRTPSession {
        let keys = try #require(session.keys)
        let suite = try #require(SRTPSuite(rawValue: keys.suite))
        return try SRTPSession(.inbound, suite: suite, key: #require(SRTPMasterKey(keys.receiving, for: suite)))
    }
}

private func openRelay(_ a: LegSetup, _ identity: DTLSIdentity) throws -> RelayCore {
    var core = RelayCore(ports: 30_000...30_015, identity: identity)
    try core.open(sessionID(1), portA: 30_000, portB: 30_002, a: a, b: LegSetup(remote: phone), at: milliseconds(0))
    return core
}

@Test func aBrowserAndAPhoneHearEachOther() throws {
    let (worker, peer) = (try DTLSIdentity(), try Browser())
    var core = try openRelay(peer.setup(), worker)
    // Before its address has been checked, nobody listens to it, and nothing is sent to it.
    #expect(core.pass(rtpPacket(sequence: 1), to: 30_000, from: browser, at: milliseconds(1)) == .drop(.stranger))
    #expect(core.pass(rtpPacket(sequence: 1), to: 30_002, from: phone, at: milliseconds(1)) == .drop(.undeliverable))
    #expect(core.pass(Browser.check(), to: 30_000, from: browser, at: milliseconds(2)) == .consumed)
    let answers = core.takeReplies()
    #expect(answers.count == 1 && answers[0].destination == browser && answers[0].port == 30_000)
    #expect(STUNMessage(parsing: answers[0].bytes)?.mappedAddress == browser)
    #expect(core.pass(rtpPacket(sequence: 2), to: 30_002, from: phone, at: milliseconds(3)) == .drop(.keyMissing))
    try peer.shakeHands(&core)
    #expect(peer.session.isDone && peer.session.peerFingerprint(.sha256) == worker.fingerprint)
    var sender = try peer.sender()
    var receiver = try peer.receiver()
    let spoken = rtpPacket(sequence: 9)
    #expect(core.pass(try sender.protect(spoken), to: 30_000, from: browser, at: milliseconds(30)) == .forward(from: 30_002, to: phone, spoken))
    guard case .forward(from: 30_000, to: browser, let sent) = core.pass(rtpPacket(sequence: 3), to: 30_002, from: phone, at: milliseconds(31)) else {
        Issue.record("nothing was sent to the browser")
        return
    }
    #expect(try receiver.unprotect(sent) == rtpPacket(sequence: 3))
    let report = receiverReport()
    #expect(core.pass(try sender.protectControl(report), to: 30_000, from: browser, at: milliseconds(32)) == .forward(from: 30_003, to: address("203.0.113.9:6001"), report))
    // In clear, or from elsewhere, even if it is right.
    #expect(core.pass(rtpPacket(sequence: 10), to: 30_000, from: browser, at: milliseconds(33)) == .drop(.wrongKey))
    #expect(core.pass(try sender.protect(rtpPacket(sequence: 11)), to: 30_000, from: mallory, at: milliseconds(34)) == .drop(.stranger))
    let counted = try #require(core.report(sessionID(1))?.a)
    #expect(counted.protection == "dtls AEAD_AES_128_GCM")
    #expect(counted.packetsIn == 1 && counted[.stranger] == 2 && counted[.wrongKey] == 1)
}

@Test func aBrowserThatMovesIsFollowedOnlyAfterItsChecks() throws {
    let peer = try Browser()
    var core = try openRelay(peer.setup(), try DTLSIdentity())
    _ = core.pass(Browser.check(), to: 30_000, from: browser, at: milliseconds(1))
    try peer.shakeHands(&core)
    var sender = try peer.sender()
    let elsewhere = address("198.51.100.77:9000")
    #expect(core.pass(try sender.protect(rtpPacket(sequence: 1)), to: 30_000, from: elsewhere, at: milliseconds(30)) == .drop(.stranger))
    _ = core.pass(Browser.check(), to: 30_000, from: elsewhere, at: milliseconds(31))
    _ = core.takeReplies()
    #expect(core.pass(try sender.protect(rtpPacket(sequence: 2)), to: 30_000, from: elsewhere, at: milliseconds(32)) == .forward(from: 30_002, to: phone, rtpPacket(sequence: 2)))
    guard case .forward(from: 30_000, to: elsewhere, _) = core.pass(rtpPacket(sequence: 3), to: 30_002, from: phone, at: milliseconds(33)) else {
        Issue.record("the old address is still sent to")
        return
    }
}

@Test func wrongPasswordsWrongPeersAndFloodsAreDroppedAndCounted() throws {
    let peer = try Browser()
    var core = try openRelay(peer.setup(fingerprint: Array(repeating: 1, count: 32)), try DTLSIdentity())
    #expect(core.pass(Browser.check(password: "anotherpasswordanother"), to: 30_000, from: mallory, at: milliseconds(1)) == .drop(.wrongPassword))
    // A handshake from where no check has come from.
    let hello = try Browser()
    try hello.session.start()
    let first = try #require(hello.session.takeDatagrams().first)
    for _ in 0..<500 { #expect(core.pass(first, to: 30_000, from: mallory, at: milliseconds(2)) == .drop(.stranger)) }
    #expect(core.takeReplies().isEmpty)
    // The right address, and somebody else's certificate.
    _ = core.pass(Browser.check(), to: 30_000, from: browser, at: milliseconds(3))
    try peer.shakeHands(&core)
    #expect(!peer.session.isDone)
    #expect(core.pass(rtpPacket(sequence: 1), to: 30_000, from: browser, at: milliseconds(30)) == .drop(.keyMissing))
    #expect(core.pass(rtpPacket(sequence: 1), to: 30_002, from: phone, at: milliseconds(31)) == .drop(.keyMissing))
    let counted = try #require(core.report(sessionID(1))?.a)
    #expect(counted[.wrongPassword] == 1 && counted[.stranger] == 500 && counted[.wrongFingerprint] == 1)
    #expect(counted.protection.isEmpty)
}

@Test func aPhoneWithoutChecksShakesHandsFromItsAddressAndAStrangerCannotKeepItOut() throws {
    let peer = try Browser()
    var core = try openRelay(peer.setup(checks: false, remote: browser), try DTLSIdentity())
    let stranger = try Browser()
    try stranger.shakeHands(&core, from: mallory)
    #expect(!stranger.session.isDone)
    let counted = try #require(core.report(sessionID(1))?.a)
    #expect(counted[.wrongFingerprint] == 1)
    try peer.shakeHands(&core)
    #expect(peer.session.isDone)
    var sender = try peer.sender()
    #expect(core.pass(try sender.protect(rtpPacket(sequence: 1)), to: 30_000, from: browser, at: milliseconds(30)) == .forward(from: 30_002, to: phone, rtpPacket(sequence: 1)))
}

@Test func aHandshakeThatBeginsBeforeItIsExpectedIsNotLost() throws {
    let peer = try Browser()
    var core = try openRelay(LegSetup(), try DTLSIdentity())
    try peer.session.start()
    let hello = try #require(peer.session.takeDatagrams().first)
    #expect(core.pass(hello, to: 30_000, from: browser, at: milliseconds(1)) == .drop(.notMedia))
    try core.change(sessionID(1), a: peer.setup(checks: false, remote: browser), b: nil, at: milliseconds(3))
    let replies = core.takeReplies()
    #expect(replies.first?.destination == browser)
    for reply in replies { try peer.session.receive(reply.bytes) }
    for _ in 0..<6 {
        for datagram in peer.session.takeDatagrams() { _ = core.pass(datagram, to: 30_000, from: browser, at: milliseconds(20)) }
        for reply in core.takeReplies() { try peer.session.receive(reply.bytes) }
    }
    #expect(peer.session.isDone)
}

@Test func weBeginWhenThePeerWaits() throws {
    let peer = try Browser(.server)
    let worker = try DTLSIdentity()
    var core = try openRelay(peer.setup(checks: false, role: .client, remote: browser), worker)
    let (hasReplies, nextWake) = (core.hasReplies, core.nextWake)
    #expect(hasReplies && nextWake != nil)
    try peer.shakeHands(&core)
    #expect(peer.session.isDone)
    var sender = try peer.sender()
    #expect(core.pass(try sender.protect(rtpPacket(sequence: 1)), to: 30_000, from: browser, at: milliseconds(30)) == .forward(from: 30_002, to: phone, rtpPacket(sequence: 1)))
}

@Test func aChangeThatRepeatsTheFingerprintKeepsTheKeys() throws {
    let peer = try Browser()
    var core = try openRelay(peer.setup(), try DTLSIdentity())
    _ = core.pass(Browser.check(), to: 30_000, from: browser, at: milliseconds(1))
    try peer.shakeHands(&core)
    var sender = try peer.sender()
    var restarted = peer.setup()
    restarted.checks?.local = ICECredentials(fragment: "fresh", password: "freshpasswordfreshpassword")
    try core.change(sessionID(1), a: restarted, b: nil, at: milliseconds(29))
    #expect(core.pass(try sender.protect(rtpPacket(sequence: 1)), to: 30_000, from: browser, at: milliseconds(30)) == .forward(from: 30_002, to: phone, rtpPacket(sequence: 1)))
    var other = peer.setup(fingerprint: Array(repeating: 2, count: 32))
    other.checks = restarted.checks
    try core.change(sessionID(1), a: other, b: nil, at: milliseconds(31))
    #expect(core.pass(try sender.protect(rtpPacket(sequence: 2)), to: 30_000, from: browser, at: milliseconds(32)) == .drop(.keyMissing))
}

@Test func packetsUnderTheOldKeyAreHeardForAMomentAfterItChanged() throws {
    let (old, new) = (PeerKeys(seed: 1), PeerKeys(seed: 2))
    var core = RelayCore(ports: 30_000...30_015)
    try core.open(sessionID(1), portA: 30_000, portB: 30_002, a: LegSetup(remote: browser, protection: old.protection), b: LegSetup(remote: phone), at: milliseconds(0))
    var before = try old.sender()
    var after = try new.sender()
    #expect(core.pass(try before.protect(rtpPacket(sequence: 1)), to: 30_000, from: browser, at: milliseconds(1)) != .drop(.wrongKey))
    try core.change(sessionID(1), a: LegSetup(remote: browser, protection: new.protection), b: nil, at: milliseconds(10))
    #expect(core.pass(try before.protect(rtpPacket(sequence: 2)), to: 30_000, from: browser, at: milliseconds(20)) == .forward(from: 30_002, to: phone, rtpPacket(sequence: 2)))
    #expect(core.pass(try after.protect(rtpPacket(sequence: 3)), to: 30_000, from: browser, at: milliseconds(40)) == .forward(from: 30_002, to: phone, rtpPacket(sequence: 3)))
    #expect(core.pass(try before.protect(rtpPacket(sequence: 4)), to: 30_000, from: browser, at: milliseconds(3_000)) == .drop(.wrongKey))
}

/// The name under which a packet of the phone's reaches a peer with SRTP; nil: it did not.
private func name(of sequence: UInt16, _ core: inout RelayCore, _ receiver: inout SRTPSession) throws -> UInt32? {
    guard case .forward(_, _, let sent) = core.pass(rtpPacket(sequence: sequence), to: 30_000, from: phone, at: milliseconds(1)) else { return nil }
    let clear = try receiver.unprotect(sent)
    #expect(Array(clear[12...]) == Array(rtpPacket(sequence: sequence)[12...]))
    return clear[8..<12].reduce(0) { $0 << 8 | UInt32($1) }
}

@Test func aStreamThatBeginsAnewUnderItsNameIsHeardUnderSRTPToo() throws {
    let keys = PeerKeys(seed: 1)
    var core = RelayCore(ports: 30_000...30_015)
    try core.open(sessionID(1), portA: 30_000, portB: 30_002, a: LegSetup(remote: phone), b: LegSetup(remote: browser, protection: keys.protection), at: milliseconds(0))
    var receiver = try keys.receiver()
    var names: [UInt32?] = []
    // Twice it jumps back: one packet that lies far behind may be late, the next one is a stream.
    for sequence in Array(30_000...30_010 as ClosedRange<UInt16>) + Array(10_000...10_010) + Array(5_000...5_010) {
        names.append(try name(of: sequence, &core, &receiver))
    }
    #expect(names[..<11].allSatisfy { $0 == 0xA11CE })
    #expect(names[11] == nil && names[22] == nil)
    #expect(Set(names[12..<22]).count == 1 && names[12] != nil)
    #expect(Set(names[23...]).count == 1 && names[23] != nil)
    #expect(Set(names.compactMap(\.self)).count == 3)
}

@Test(arguments: 1...4 as ClosedRange<UInt64>)
func noBytesStopChecksAndHandshakes(seed: UInt64) throws {
    var random = RandomSource(seed: seed)
    let peer = try Browser()
    var core = try openRelay(seed % 2 == 0 ? peer.setup() : peer.setup(checks: false, remote: browser), try DTLSIdentity())
    try peer.session.start()
    let parts = [Browser.check(), try #require(peer.session.takeDatagrams().first), rtpPacket(sequence: 1), receiverReport()]
    for step in 0..<3_000 {
        var packet = parts[Int(random.next() % 4)]
        for _ in 0..<random.next() % 4 { packet[Int(random.next() % UInt64(packet.count))] = UInt8(truncatingIfNeeded: random.next()) }
        packet.removeLast(random.next() % 3 == 0 ? Int(random.next() % UInt64(packet.count + 1)) : 0)
        _ = core.pass(packet, to: 30_000 + UInt16(random.next() % 2), from: random.next() % 3 == 0 ? mallory : browser, at: milliseconds(step))
        core.tick(at: milliseconds(step))
        _ = core.takeReplies()
    }
    let count = core.sessionCount
    #expect(count == 1)
}

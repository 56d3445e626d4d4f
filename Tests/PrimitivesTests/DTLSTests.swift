import OpenSSL
import Testing

/// Two ends that pass each other their datagrams.
private func shakeHands(_ client: DTLSSession, _ server: DTLSSession, losing lost: Set<Int> = []) throws -> Int {
    try client.start()
    var count = 0
    for _ in 0..<10 {
        for datagram in client.takeDatagrams() {
            count += 1
            #expect(datagram.count <= 1_200)
            if !lost.contains(count) { try server.receive(datagram) }
        }
        for datagram in server.takeDatagrams() {
            count += 1
            #expect(datagram.count <= 1_200)
            if !lost.contains(count) { try client.receive(datagram) }
        }
    }
    return count
}

@Test func bothEndsOfDTLSGetTheSameKeysAndKnowEachOther() throws {
    let (one, other) = (try DTLSIdentity(), try DTLSIdentity())
    let client = try DTLSSession(.client, as: one)
    let server = try DTLSSession(.server, as: other)
    let count = try shakeHands(client, server)
    #expect(client.isDone && server.isDone)
    #expect(count <= 6)
    let keys = try #require(client.keys)
    #expect(keys.suite == "AEAD_AES_128_GCM")
    #expect(keys.sending.count == 28)
    #expect(keys.sending == server.keys?.receiving)
    #expect(keys.receiving == server.keys?.sending)
    #expect(keys.sending != keys.receiving)
    #expect(client.peerFingerprint(.sha256) == other.fingerprint)
    #expect(server.peerFingerprint(.sha256) == one.fingerprint)
    #expect(server.peerFingerprint(.sha1)?.count == 20)
    #expect(one.fingerprint != other.fingerprint)
    #expect(client.timeout == nil)
}

@Test func aClientWhoseAddressIsUnknownFirstGetsACookieAndNothingElse() throws {
    let identity = try DTLSIdentity()
    let client = try DTLSSession(.client, as: identity)
    let server = try DTLSSession(.server, as: identity, cookie: Array(repeating: 7, count: 16))
    try client.start()
    let hello = client.takeDatagrams()
    #expect(hello.count == 1)
    try server.receive(hello[0])
    let verify = server.takeDatagrams()
    #expect(verify.count == 1)
    // HelloVerifyRequest: smaller than what was asked with, and without the certificate.
    #expect(verify[0][13] == 3)
    #expect(verify[0].count < hello[0].count)
    // Somebody who cannot read the answer says hello again, and again.
    for _ in 0..<3 { try server.receive(hello[0]) }
    #expect(server.takeDatagrams().allSatisfy { $0.count < hello[0].count })
    try client.receive(verify[0])
    for _ in 0..<6 {
        for datagram in client.takeDatagrams() { try server.receive(datagram) }
        for datagram in server.takeDatagrams() { try client.receive(datagram) }
    }
    #expect(client.isDone && server.isDone)
}

@Test func rubbishDoesNotEndAHandshake() throws {
    let identity = try DTLSIdentity()
    let client = try DTLSSession(.client, as: identity)
    let server = try DTLSSession(.server, as: identity)
    for length in [1, 5, 13, 14, 40, 1_400] {
        _ = try? server.receive([22, 0xFE, 0xFD] + [UInt8](repeating: 0xAB, count: length))
    }
    _ = try shakeHands(client, server)
    #expect(client.isDone)
}

@Test func whatIsNotAnsweredIsDueToBeSentAgain() throws {
    let client = try DTLSSession(.client, as: try DTLSIdentity())
    #expect(client.takeDatagrams().isEmpty)
    try client.start()
    #expect(client.takeDatagrams().count == 1)
    let wait = try #require(client.timeout)
    #expect(wait > .zero && wait <= .seconds(1))
    // Too early: nothing.
    try client.tick()
    #expect(client.takeDatagrams().isEmpty)
}

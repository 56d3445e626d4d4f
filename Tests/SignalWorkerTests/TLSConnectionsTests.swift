import Foundation
import OpenSSL
import Primitives
import SIP
import Testing

@testable import SignalWorker

/// TLS over real sockets on loopback: certificates by domain, reloading, peers that stall. The client is a session of our own ring.
@Suite struct TLSConnectionsTests {
    private static let hello = Array("OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n".utf8)

    /// A directory of certificates, signed by one authority.
    final class Authority: Sendable {
        let directory: String
        var root: String { directory + "/root.pem" }
        var served: String { directory + "/served" }

        init() async throws {
            directory = FileManager.default.temporaryDirectory.appending(path: "ledgerline-tls-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: directory + "/served", withIntermediateDirectories: true)
            try await openssl(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=root", "-keyout", directory + "/root.key", "-out", root])
        }

        deinit { try? FileManager.default.removeItem(atPath: directory) }

        /// - Parameter file: what the certificate is called; its name in it is `domain`.
        func issue(_ domain: String, as file: String? = nil) async throws {
            let (stem, extensions) = (directory + "/" + UUID().uuidString, directory + "/extensions-\(UUID().uuidString)")
            try "subjectAltName=DNS:\(domain)".write(toFile: extensions, atomically: true, encoding: .utf8)
            try await openssl(["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout", stem + ".key", "-out", stem + ".csr"])
            try await openssl(["x509", "-req", "-in", stem + ".csr", "-CA", root, "-CAkey", directory + "/root.key", "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", stem + ".crt"])
            for end in [".key", ".crt"] {
                let target = "\(served)/\(file ?? domain)\(end)"
                try? FileManager.default.removeItem(atPath: target)
                try FileManager.default.moveItem(atPath: stem + end, toPath: target)
            }
        }

        private func openssl(_ arguments: [String]) async throws {
            let status: Int32 = try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread {
                    let process = Process()
                    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
                    process.arguments = arguments
                    process.standardError = FileHandle.nullDevice
                    continuation.resume(
                        with: Result {
                            try process.run()
                            process.waitUntilExit()
                            return process.terminationStatus
                        })
                }
            }
            try #require(status == 0)
        }
    }

    /// Shakes hands with the listener, and says one message.
    /// - Returns: whether it was heard; throws when the certificate is not the one that was asked for.
    private func call(_ bench: inout Bench, _ domain: String, trusting authority: Authority) throws -> Bool {
        let peer = try StreamPeer(bench.address)
        let session = try TLSSession(connecting: try TLSContext(trusting: authority.root), to: domain, isAddress: false)
        try session.send(Self.hello)
        let before = bench.messages.count
        var taken = 0
        let end = Date().addingTimeInterval(60)
        while bench.messages.count == before, Date() < end {
            peer.send(session.takeOutput())
            bench.turn()
            let bytes = peer.receive()
            let news = Array(bytes[taken...])
            taken = bytes.count
            if !news.isEmpty { _ = try session.receive(news) }
        }
        return bench.messages.count > before && session.isOpen
    }

    @Test func eachDomainIsShownItsOwnCertificateAndNewOnesAreTakenUp() async throws {
        let authority = try await Authority()
        for domain in ["sip.one.example", "*.two.example"] { try await authority.issue(domain) }
        var bench = try Bench([.tls], certificates: try Certificates(directory: authority.served, authorities: authority.root, now: Bench.start))
        #expect(try call(&bench, "sip.one.example", trusting: authority))
        #expect(try call(&bench, "any.two.example", trusting: authority))
        #expect(bench.messages.allSatisfy { $0.hop.transport == .tls && $0.bytes == Self.hello })
        // The first is shown for a name that is not served, which the client does not take.
        #expect(throws: TLSError.self) { try call(&bench, "sip.three.example", trusting: authority) }
        try await authority.issue("sip.three.example")
        bench.pass(.seconds(6))
        #expect(bench.counts["certificates"] == 1)
        #expect(try call(&bench, "sip.three.example", trusting: authority))
        // Files that cannot be used change nothing.
        try "no certificate".write(toFile: authority.served + "/sip.four.example.crt", atomically: true, encoding: .utf8)
        bench.pass(.seconds(6))
        #expect(bench.counts["certificates"] == 2)
        #expect(try call(&bench, "sip.three.example", trusting: authority))
        #expect(throws: TLSError.self) { _ = try Certificates(directory: authority.served, authorities: nil, now: Bench.start) }
        #expect(throws: TLSError.noCertificate) { _ = try Certificates(directory: authority.directory + "/none", authorities: nil, now: Bench.start) }
    }

    @Test func handshakesThatStallOrAreNoneAreEndedAndHurtNobody() async throws {
        let authority = try await Authority()
        try await authority.issue("sip.one.example")
        var bench = try Bench([.tls], certificates: try Certificates(directory: authority.served, authorities: authority.root, now: Bench.start))
        // Ten say nothing, ten begin and do not go on, ten speak something else.
        let silent = try (0..<10).map { _ in try StreamPeer(bench.address) }
        let begun = try (0..<10).map { _ in
            let peer = try StreamPeer(bench.address)
            let session = try TLSSession(connecting: try TLSContext(trusting: authority.root), to: "sip.one.example", isAddress: false)
            peer.send(Array(session.takeOutput().prefix(100)))
            return peer
        }
        let strange = try (0..<10).map { _ in
            let peer = try StreamPeer(bench.address)
            peer.send(Self.hello)
            return peer
        }
        #expect(bench.run { $0.counts["connection_handshake_failed"] == 10 && $0.connections.count == 20 })
        #expect(strange.allSatisfy { $0.isEnded(within: 10) })
        #expect(try call(&bench, "sip.one.example", trusting: authority))
        bench.pass(.milliseconds(9_900))
        #expect(bench.counts["connection_slow_handshake"] == nil)
        bench.pass(.milliseconds(200))
        #expect(bench.counts["connection_slow_handshake"] == 20)
        #expect((silent + begun).allSatisfy { $0.isEnded(within: 10) })
        #expect(bench.run { _ in true })
        #expect(bench.messages.count == 1)
    }

    @Test func twoWorkersReachEachOtherAndDoNotTakeAStranger() async throws {
        let authority = try await Authority()
        try await authority.issue("sip.one.example")
        func certificates() throws -> Certificates { try Certificates(directory: authority.served, authorities: authority.root, now: Bench.start) }
        var near = try Bench([.tls], certificates: try certificates())
        var far = try Bench([.tls], certificates: try certificates())
        near.send(Self.hello, by: Hop(.tls, listener: near.address, remote: far.address, name: "sip.one.example"))
        #expect(near.run { _ in far.run(briefly: true) { $0.messages.count == 1 } })
        // The same peer by a name that its certificate does not have.
        let wrong = Hop(.tls, listener: near.address, remote: far.address, name: "sip.two.example")
        near.send(Self.hello, by: wrong)
        #expect(near.run { bench in
            _ = far.run(briefly: true) { _ in false }
            return bench.counts["connection_handshake_failed"] == 1
        })
        #expect(near.lost.contains { $0.hop == wrong })
        #expect(far.messages.count == 1)
    }
}

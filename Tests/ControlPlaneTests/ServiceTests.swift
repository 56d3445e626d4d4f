import Bus
import Foundation
import Ledger
import Model
import OpenSSL
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

@Suite struct ServiceTests {
    private func configuration(_ directory: TemporaryDirectory) -> ControlPlaneConfiguration {
        var configuration = ControlPlaneConfiguration(directory: directory.path + "/data")
        configuration.deskEndpoint = "tcp://127.0.0.1:*"
        configuration.feedEndpoint = "tcp://127.0.0.1:*"
        configuration.logBytesMax = 1 << 34
        return configuration
    }

    private func contact(_ name: String) -> AdminRequest {
        let provider = Provider.with {
            $0.name = name
            $0.namespace = "\(name).example"
            $0.currency = "EUR"
        }
        return AdminRequest(.createProvider(provider), actor: "admin", requestID: name)
    }

    @Test func theFirstStartMakesOneTokenAndTheSecondGoesOn() async throws {
        let directory = TemporaryDirectory()
        let head: UInt64
        do {
            let service = try ControlPlaneService(configuration(directory))
            let token = try #require(service.firstToken)
            let found = try service.views.read { views throws(ViewsError) in
                try views.token(secretHash: Hash.sha256(Array(token.text.utf8)))
            }
            #expect(found?.name == "admin")
            #expect(found?.role == .platformAdmin)
            try service.start()
            let outcome = try await service.driver.submit(contact("one"))
            #expect(outcome.sequence == service.log.head)
            head = service.log.head
            service.stop()
            service.stop()
            await #expect(throws: AdminRejection.self) { try await service.driver.submit(contact("two")) }
        }
        let service = try ControlPlaneService(configuration(directory))
        #expect(service.firstToken == nil)
        #expect(service.log.head == head)
        try service.start()
        #expect(try await service.driver.submit(contact("two")).sequence == head + 1)
        service.stop()
    }

    @Test func aDirectoryIsServedOnce() throws {
        let directory = TemporaryDirectory()
        let service = try ControlPlaneService(configuration(directory))
        #expect(throws: ControlPlaneError.directoryInUse(path: directory.path + "/data")) {
            try ControlPlaneService(configuration(directory))
        }
        service.stop()
    }

    @Test func aTakenPortIsNamed() throws {
        let first = try ControlPlaneService(configuration(TemporaryDirectory()))
        try first.start()
        let desk = try #require(first.endpoints?.desk)
        var taken = configuration(TemporaryDirectory())
        taken.deskEndpoint = desk
        let second = try ControlPlaneService(taken)
        do {
            try second.start()
            Issue.record("two listen on \(desk)")
        } catch {
            #expect("\(error)".contains(desk))
        }
        second.stop()
        first.stop()
    }

    @Test(arguments: ["log-signing.pem", "vault.key", "curve.key"])
    func aKeyThatTheLogDependsOnIsNotMadeAnew(name: String) throws {
        let directory = TemporaryDirectory()
        try ControlPlaneService(configuration(directory)).stop()
        let path = directory.path + "/data/keys/" + name
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(throws: ControlPlaneError.self) { try ControlPlaneService(configuration(directory)) }
        try FileManager.default.removeItem(atPath: path)
        do {
            _ = try ControlPlaneService(configuration(directory))
            Issue.record("opened without \(name)")
        } catch {
            guard case .keyUnusable(path, _) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test func aSigningKeySurvivesPEM() throws {
        let key = try #require(SigningKey(seed: [UInt8](repeating: 3, count: 32)))
        #expect(SigningKey(pem: key.pem)?.seed == key.seed)
        #expect(SigningKey(pem: key.pem.replacing("MC4", with: "MC5")) == nil)
        #expect(SigningKey(pem: "") == nil)
    }

    @Test func anEnrolledWorkerIsHeardOverTheBusAndARevokedOneIsNot() async throws {
        let service = try ControlPlaneService(configuration(TemporaryDirectory()))
        try service.start()
        let endpoints = try #require(service.endpoints)
        let keys = try CurveKeyPair.generate()
        let worker = Worker.with {
            $0.name = "s1"
            $0.kind = .signal
            $0.curvePublicKey = Data(keys.publicKey.bytes)
        }
        _ = try await service.driver.submit(AdminRequest(.enrollWorker(worker), actor: "admin", requestID: "enroll"))
        var line = try Line(to: endpoints.desk, server: service.busKey, as: keys)
        let hello = DeskRequest.with {
            $0.hello.worker = "s1"
            $0.hello.kind = .signal
            $0.hello.incarnation = Data([1])
        }
        let welcome = try line.ask(hello)
        #expect(welcome.welcome.roster.workers.map(\.worker) == ["s1"])
        #expect(await service.driver.workers().map(\.state) == [.alive])
        // A repeated id gets the first answer again.
        #expect(
            try line.ask(hello, id: RequestID(high: 1, low: 1))
                == line.ask(DeskRequest(), id: RequestID(high: 1, low: 1)))
        #expect(try line.ask(DeskRequest()).error.code == .malformed)
        service.stop()
    }
}

/// A worker's end of the desk.
private struct Line: ~Copyable {
    private var dealer: Dealer
    private var poller = Poller()
    private let token: Poller.Token
    private var ids: UInt64 = 100

    init(to endpoint: String, server: CurvePublicKey, as keys: CurveKeyPair) throws {
        dealer = try Dealer(to: endpoint, server: server, as: keys, in: BusContext())
        token = poller.add(dealer)
    }

    mutating func ask(_ request: DeskRequest, id: RequestID? = nil) throws -> DeskReply {
        ids += 1
        let id = id ?? RequestID(high: 0, low: ids)
        let message = BusMessage(id: id, body: try request.serializedBytes())
        poller.watchWriting(token, true)
        while dealer.send(message) != .sent { _ = poller.wait(for: .seconds(5)) }
        poller.watchWriting(token, false)
        while true {
            guard poller.wait(for: .seconds(60)) > 0 else { throw TestFailure.noAnswer }
            while let reply = dealer.receive() {
                if reply.id == id { return try DeskReply(serializedBytes: reply.body) }
            }
        }
    }
}

import Foundation
import Ledger
import Model
import Primitives
import Projections
import Subjects
import SwiftProtobuf
import Testing

@testable import ControlPlane

@Suite struct ReadingTests {
    private func reading(of id: Data, by token: UInt64) -> AdminCommand {
        .recordReading(
            .with {
                $0.what = "cdrs"
                $0.scopeID = id
                $0.count = 3
                $0.tokenID = Data(UUIDv7(high: 0x7000, low: 1 << 63 | token).bytes)
            })
    }

    @Test func whoReadsRecordsIsInTheLogWithTheOrigin() throws {
        let town = try Town()
        let request = AdminRequest(
            reading(of: town.customer.id, by: 1), actor: "anna", requestID: "r-1",
            origin: Origin(address: "192.0.2.7", onBehalfOf: "Berta"))
        _ = town.platform.process([.admin(ticket: 1, request)])
        let stored = try #require(try town.platform.log.event(at: town.platform.head))
        #expect(stored.type == "records.read" && stored.actor == "anna" && stored.cause == "r-1")
        #expect(try town.platform.keys.open(origin: stored.origin, cause: stored.cause) == Origin(address: "192.0.2.7", onBehalfOf: "Berta"))
        // Who gets the event with its proof learns neither, and the sealed part is worth nothing beside another event.
        #expect(stored.bytes.firstRange(of: Array("192.0.2.7".utf8)) == nil && stored.bytes.firstRange(of: Array("Berta".utf8)) == nil)
        #expect(throws: SubjectKeyError.self) { try town.platform.keys.open(origin: stored.origin, cause: "r-2") }
        let customer = try #require(UUIDv7(bytes: town.customer.id))
        let history = try town.platform.read { views throws(ViewsError) in try views.history(of: customer, limit: 100) }
        #expect(history.last == stored.sequence)
    }

    @Test func lookingAtAnEntityDoesNotChangeItsVersion() throws {
        let town = try Town()
        let customer = try #require(UUIDv7(bytes: town.customer.id))
        func version() throws -> UInt64 { try town.platform.read { views throws(ViewsError) in try views.version(of: customer) } }
        let before = try version()
        for token in 1...3 { try town.platform.admin(reading(of: town.customer.id, by: UInt64(token))) }
        #expect(try version() == before)
        try town.platform.admin(.changeCustomer(town.customer, expectedVersion: before))
    }

    @Test func manyReadingsAtOnceShareOneBatch() throws {
        let town = try Town()
        let head = town.platform.head
        let outputs = town.platform.process((0..<100).map { town.platform.work(reading(of: town.tenant.id, by: $0 % 4)) })
        #expect(outputs.count { if case .adminResult(_, .success) = $0 { true } else { false } } == 100)
        #expect(town.platform.head == head + 100)
        let check = try town.platform.views.check(
            against: town.platform.log, replayingInto: town.platform.directory.path + "/replay")
        #expect(check.difference == nil)
    }
}

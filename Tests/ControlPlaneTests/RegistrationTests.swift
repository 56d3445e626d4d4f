import Model
import Primitives
import SwiftProtobuf
import Testing

@testable import ControlPlane
@testable import Projections

/// What the control plane does with registrations, beyond what the registrar itself does.
@Suite struct RegistrationTests {
    private func bind(_ subscriber: Subscriber, _ contact: String, cseq: UInt32 = 1) -> BindContacts {
        .with {
            $0.subscriberID = subscriber.id
            $0.bindings = [
                .with {
                    $0.contactUri = contact
                    $0.callID = "a phone"
                    $0.cseq = cseq
                    $0.expiresSeconds = 3_600
                }
            ]
        }
    }

    private func ask(_ town: Town, _ binds: [BindContacts]) throws -> BindBatchReply {
        try town.platform.desk("s1", .with { $0.bindBatch.binds = binds }).bindBatch
    }

    @Test func registrationsThatCameTogetherAreAnsweredInTheirOrder() throws {
        let town = try Town()
        let nobody = Subscriber.with { $0.id = CallID(UUIDv7(high: 9, low: 9)).data }
        let reply = try ask(
            town,
            [
                bind(town.alice, "sip:alice@a", cseq: 2), bind(nobody, "sip:nobody@a"), bind(town.bob, "sip:bob@a"),
                bind(town.alice, "sip:alice@a", cseq: 1), bind(town.alice, "sip:alice@b"),
            ])
        #expect(reply.replies.map(\.outcome) == [.ok, .unknownSubscriber, .ok, .stale, .ok])
        #expect(reply.replies.map { $0.bindings.map(\.contactUri) } == [["sip:alice@a"], [], ["sip:bob@a"], ["sip:alice@a"], ["sip:alice@a", "sip:alice@b"]])
        #expect(reply.logPosition == town.platform.head)
        #expect(try town.platform.desk("s1", .with { $0.bind = bind(town.bob, "sip:bob@a", cseq: 2) }).bind.bindings.map(\.cseq) == [2])
        #expect(try ask(town, []).replies.isEmpty)
    }

    @Test func anAnswerThatWouldBeTooLongBesideTheOthersIsAskedForAlone() throws {
        let town = try Town()
        let long = "sip:" + String(repeating: "a", count: 300_000) + "@a"
        let reply = try ask(town, [bind(town.alice, long), bind(town.bob, long)])
        #expect(reply.replies.map(\.outcome) == [.ok, .alone])
        #expect(try town.platform.desk("s1", .with { $0.bindBatch.binds = [bind(town.alice, long)] }).bindBatch.replies.map(\.outcome) == [.ok])
        let alone = try town.platform.desk("s1", .with { $0.bind = bind(town.bob, long) })
        #expect(alone.bind.outcome == .ok)
        #expect(alone.bind.bindings.map(\.contactUri) == [long])
    }

    /// What is kept of lines is for calls: phones register for hours between two of them.
    @Test func aLineThatOnlyRegistersIsNotKeptOpen() throws {
        let town = try Town()
        func kept() throws -> Int {
            try town.platform.views.write(publishing: false) { views throws(ViewsError) in views.entities?.count ?? 0 }
        }
        func register(_ subscriber: Subscriber) throws {
            let query = DeskRequest.with {
                $0.credential.domain = town.tenant.domain
                $0.credential.username = subscriber.username
            }
            #expect(try town.platform.desk("s1", query).credential.found)
            try town.register(subscriber, contact: "sip:\(subscriber.username)@a")
        }
        try town.platform.views.write(publishing: false) { views throws(ViewsError) in views.entities?.clear() }
        try register(town.alice)
        let shared = try kept()
        try register(town.bob)
        #expect(try kept() == shared)
        let reply = try town.platform.desk("s1", town.startRequest(town.newCall(), from: town.alice, to: "1001"))
        #expect(!reply.callPlan.groups.isEmpty)
        #expect(try kept() >= shared + 2)
    }
}

import Model
import Primitives
import Testing

@testable import ControlPlane

@Suite struct RegistrarTests {
    private let alice = SubscriberID(UUIDv7(high: 1, low: 1))
    private let start = WallTime(microseconds: 1_000_000_000_000)

    private func binding(
        _ uri: String, cseq: UInt32 = 1, callID: String = "call", expires: UInt32 = 60, q: UInt32 = 0,
        instance: String = ""
    ) -> Binding {
        var binding = Binding()
        binding.contactUri = uri
        binding.callID = callID
        binding.cseq = cseq
        binding.expiresSeconds = expires
        binding.qPermille = q
        binding.instanceID = instance
        return binding
    }

    private func request(_ bindings: Binding...) -> BindContacts {
        var request = BindContacts()
        request.subscriberID = alice.data
        request.bindings = bindings
        return request
    }

    @Test func contactsLapseWithTime() {
        var registrar = Registrar()
        let reply = registrar.bind(request(binding("sip:a")), subscriber: alice, at: start)
        #expect(reply.outcome == .ok)
        #expect(reply.bindings.map(\.expiresSeconds) == [60])
        #expect(registrar.bindings(of: alice, at: start + .seconds(59)).map(\.expiresSeconds) == [1])
        #expect(registrar.bindings(of: alice, at: start + .seconds(60)).isEmpty)
        _ = registrar.takeChanged()
        registrar.sweep(at: start + .seconds(200))
        #expect(registrar.takeChanged().map(\.contacts.count) == [0])
    }

    @Test func aLowerOrEqualSequenceIsStaleAndARepetitionIsNot() {
        var registrar = Registrar()
        _ = registrar.bind(request(binding("sip:a", cseq: 5)), subscriber: alice, at: start)
        #expect(registrar.bind(request(binding("sip:a", cseq: 4)), subscriber: alice, at: start).outcome == .stale)
        #expect(
            registrar.bind(request(binding("sip:a", cseq: 5, expires: 0)), subscriber: alice, at: start).outcome
                == .stale)
        #expect(registrar.bind(request(binding("sip:a", cseq: 5)), subscriber: alice, at: start).outcome == .ok)
        #expect(
            registrar.bind(request(binding("sip:a", cseq: 1, callID: "other")), subscriber: alice, at: start).outcome
                == .ok)
    }

    @Test func aStaleContactSpoilsTheWholeRequest() {
        var registrar = Registrar()
        _ = registrar.bind(request(binding("sip:a", cseq: 5)), subscriber: alice, at: start)
        let reply = registrar.bind(
            request(binding("sip:b", cseq: 4), binding("sip:a", cseq: 4)), subscriber: alice, at: start)
        #expect(reply.outcome == .stale)
        #expect(reply.bindings.map(\.contactUri) == ["sip:a"])
    }

    @Test func tenContactsHoldAndTheEleventhDoesNot() {
        var registrar = Registrar()
        for index in 0..<10 {
            #expect(registrar.bind(request(binding("sip:\(index)")), subscriber: alice, at: start).outcome == .ok)
        }
        #expect(registrar.bind(request(binding("sip:10")), subscriber: alice, at: start).outcome == .tooMany)
        #expect(registrar.contacts(of: alice, at: start).count == 10)
        #expect(registrar.bind(request(binding("sip:0", cseq: 2)), subscriber: alice, at: start).outcome == .ok)
    }

    @Test func zeroSecondsRemovesOneAndTheStarRemovesAll() {
        var registrar = Registrar()
        _ = registrar.bind(request(binding("sip:a"), binding("sip:b")), subscriber: alice, at: start)
        #expect(
            registrar.bind(request(binding("sip:a", cseq: 2, expires: 0)), subscriber: alice, at: start).bindings.map(
                \.contactUri) == ["sip:b"])
        var star = request()
        star.removeAll = true
        #expect(registrar.bind(star, subscriber: alice, at: start).bindings.isEmpty)
    }

    @Test func aDeviceThatMovesReplacesItsContact() {
        var registrar = Registrar()
        _ = registrar.bind(request(binding("sip:a@1", instance: "urn:1")), subscriber: alice, at: start)
        let reply = registrar.bind(
            request(binding("sip:a@2", callID: "new", instance: "urn:1")), subscriber: alice, at: start)
        #expect(reply.bindings.map(\.contactUri) == ["sip:a@2"])
    }

    @Test func theMostWantedContactComesFirst() {
        var registrar = Registrar()
        _ = registrar.bind(
            request(binding("sip:low", q: 100), binding("sip:none"), binding("sip:high", q: 900)), subscriber: alice,
            at: start)
        #expect(
            registrar.contacts(of: alice, at: start).map(\.binding.contactUri) == ["sip:none", "sip:high", "sip:low"])
    }

    @Test func contactsSurviveOnTheDisk() throws {
        let directory = TemporaryDirectory()
        var registrar = Registrar()
        _ = registrar.bind(request(binding("sip:a"), binding("sip:b")), subscriber: alice, at: start)
        do {
            let store = try LocationStore(directory: directory.path + "/location")
            try store.save(registrar.takeChanged())
        }
        let store = try LocationStore(directory: directory.path + "/location")
        let rows = try store.load()
        #expect(rows.map(\.subscriber) == [alice])
        #expect(rows.first?.contacts == registrar.contacts(of: alice, at: start))
        try store.save([(alice, [])])
        #expect(try store.load().isEmpty)
    }
}

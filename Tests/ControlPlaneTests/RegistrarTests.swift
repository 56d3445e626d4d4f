import Model
import Primitives
import SwiftProtobuf
import Testing

@testable import ControlPlane

@Suite struct RegistrarTests {
    private let alice = SubscriberID(UUIDv7(high: 1, low: 1))
    private let start = WallTime(microseconds: 1_000_000_000_000)

    private func binding(
        _ uri: String, cseq: UInt32 = 1, callID: String = "call", expires: UInt32 = 60, q: UInt32 = 1_000,
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
        #expect(registrar.takeChanged().map(\.row) == [ContactRow()])
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

    /// A device that has moved takes its former address back in the request that brings the new one, in either order.
    @Test(arguments: [false, true]) func contactsOfOneRequestDoNotComeOneAfterTheOther(isReversed: Bool) {
        var registrar = Registrar()
        _ = registrar.bind(request(binding("sip:a", cseq: 1, instance: "x")), subscriber: alice, at: start)
        let moved = [binding("sip:a", cseq: 2, expires: 0, instance: "x"), binding("sip:b", cseq: 2, instance: "x")]
        let move = BindContacts.with { $0.bindings = isReversed ? moved.reversed() : moved }
        let reply = registrar.bind(move, subscriber: alice, at: start)
        #expect(reply.outcome == .ok)
        #expect(reply.bindings.map(\.contactUri) == ["sip:b"])
        // Said again it changes nothing.
        #expect(registrar.bind(move, subscriber: alice, at: start) == reply)
        // Two addresses of one device: the second is where it is.
        let two = registrar.bind(request(binding("sip:c", cseq: 3, instance: "x"), binding("sip:d", cseq: 3, instance: "x")), subscriber: alice, at: start)
        #expect(two.outcome == .ok)
        #expect(two.bindings.map(\.contactUri) == ["sip:d"])
        #expect(registrar.bind(request(binding("sip:e", cseq: 2, instance: "x")), subscriber: alice, at: start).outcome == .stale)
    }

    /// RFC 3261 §10.3, step 6.
    @Test func anOlderRequestDoesNotRemoveAll() {
        var registrar = Registrar()
        _ = registrar.bind(request(binding("sip:a", cseq: 5)), subscriber: alice, at: start)
        var all = request(binding("", cseq: 5, expires: 0))
        all.removeAll = true
        #expect(registrar.bind(all, subscriber: alice, at: start).outcome == .stale)
        #expect(registrar.bindings(of: alice, at: start).count == 1)
        all.bindings[0].cseq = 6
        #expect(registrar.bind(all, subscriber: alice, at: start).outcome == .ok)
        #expect(registrar.bindings(of: alice, at: start).isEmpty)
        // Of another device nothing is older.
        _ = registrar.bind(request(binding("sip:b", cseq: 9, callID: "other")), subscriber: alice, at: start)
        #expect(registrar.bind(all, subscriber: alice, at: start).outcome == .ok)
        #expect(registrar.bindings(of: alice, at: start).isEmpty)
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
            request(binding("sip:last", q: 0), binding("sip:low", q: 100), binding("sip:none"), binding("sip:high", q: 900)), subscriber: alice,
            at: start)
        #expect(
            registrar.contacts(of: alice, at: start).map(\.binding.contactUri) == ["sip:none", "sip:high", "sip:low", "sip:last"])
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
        #expect(rows.first?.row.contacts == registrar.contacts(of: alice, at: start))
        try store.save([(alice, ContactRow())])
        #expect(try store.load().isEmpty)
    }

    // MARK: - devices, flows and limits

    private func flow(_ uri: String, instance: String, reg: UInt32, callID: String = "call", expires: UInt32 = 60) -> Binding {
        var binding = binding(uri, callID: callID, expires: expires, instance: instance)
        binding.regID = reg
        return binding
    }

    @Test func twoFlowsOfADeviceAreKeptAndOneRings() {
        var registrar = Registrar()
        _ = registrar.bind(request(flow("sip:a@1", instance: "<urn:1>", reg: 1)), subscriber: alice, at: start)
        _ = registrar.bind(request(flow("sip:a@2", instance: "<urn:1>", reg: 2, callID: "second", expires: 90)), subscriber: alice, at: start)
        #expect(registrar.bindings(of: alice, at: start).map(\.contactUri) == ["sip:a@1", "sip:a@2"])
        #expect(registrar.ringing(of: alice, at: start).map(\.binding.contactUri) == ["sip:a@2"])
        // The first flow comes by another address: it replaces what it was.
        _ = registrar.bind(request(flow("sip:a@3", instance: "<urn:1>", reg: 1, callID: "third", expires: 300)), subscriber: alice, at: start)
        #expect(registrar.bindings(of: alice, at: start).map(\.contactUri) == ["sip:a@3", "sip:a@2"])
        #expect(registrar.ringing(of: alice, at: start).map(\.binding.contactUri) == ["sip:a@3"])
        // The others of the device are ways to it, too.
        let first = registrar.ringing(of: alice, at: start)[0]
        #expect(registrar.otherFlows(of: first, of: alice, at: start).allSatisfy { $0.binding.contactUri != "sip:a@3" && $0.binding.instanceID == first.binding.instanceID })
        #expect(registrar.otherFlows(of: first, of: alice, at: start).count == 1)
    }

    /// One batch has one time.
    @Test func ofFlowsThatCameTogetherTheLaterOneRings() {
        for order in [[1, 2], [2, 1]] as [[UInt32]] {
            var registrar = Registrar()
            for reg in order {
                _ = registrar.bind(request(flow("sip:a@\(reg)", instance: "<urn:1>", reg: reg, callID: "\(reg)")), subscriber: alice, at: start)
            }
            let ringing = registrar.ringing(of: alice, at: start)
            #expect(ringing.map(\.binding.regID) == [order[1]])
            #expect(registrar.otherFlows(of: ringing[0], of: alice, at: start).map(\.binding.regID) == [order[0]])
        }
    }

    @Test func aDeviceIsCalledByItsName() {
        var registrar = Registrar()
        _ = registrar.bind(request(binding("sip:desk", instance: "<urn:uuid:1>"), binding("sip:mobile", instance: "<urn:uuid:2>")), subscriber: alice, at: start)
        #expect(registrar.ringing(of: alice, instance: "urn:uuid:2", at: start).map(\.binding.contactUri) == ["sip:mobile"])
        #expect(registrar.ringing(of: alice, instance: "urn:uuid:3", at: start).isEmpty)
    }

    @Test func aLineAndItsTenantHaveLimitsOfTheirOwn() {
        var registrar = Registrar()
        let tenant = TenantID(UUIDv7(high: 3, low: 3))
        let bob = SubscriberID(UUIDv7(high: 1, low: 2))
        let room = Registrar.Room(line: 2, tenant: tenant, ofTenant: 3)
        func bind(_ uri: String, _ line: SubscriberID, cseq: UInt32 = 1, expires: UInt32 = 60) -> BindOutcome {
            registrar.bind(request(binding(uri, cseq: cseq, callID: uri, expires: expires)), subscriber: line, room, at: start).outcome
        }
        #expect([bind("sip:1", alice), bind("sip:2", alice), bind("sip:3", alice)] == [.ok, .ok, .tooMany])
        #expect([bind("sip:4", bob), bind("sip:5", bob)] == [.ok, .tenantFull])
        // Who is there already may stay, and who leaves makes room.
        #expect(bind("sip:4", bob, cseq: 2) == .ok)
        #expect([bind("sip:1", alice, cseq: 2, expires: 0), bind("sip:5", bob)] == [.ok, .ok])
        registrar.sweep(at: start + .seconds(300))
        #expect([bind("sip:6", alice), bind("sip:7", alice), bind("sip:8", bob), bind("sip:9", bob)] == [.ok, .ok, .ok, .tenantFull])
    }

    @Test func whatWasRestoredCountsForTheTenant() {
        var before = Registrar()
        _ = before.bind(request(binding("sip:1"), binding("sip:2")), subscriber: alice, at: start)
        var registrar = Registrar()
        let tenant = TenantID(UUIDv7(high: 3, low: 3))
        registrar.restore(alice, ContactRow(before.contacts(of: alice, at: start)), of: tenant)
        let bob = SubscriberID(UUIDv7(high: 1, low: 2))
        let room = Registrar.Room(line: 0, tenant: tenant, ofTenant: 2)
        #expect(registrar.bind(request(binding("sip:3")), subscriber: bob, room, at: start).outcome == .tenantFull)
    }

    // MARK: - what a line takes

    @Test func aRowHoldsWhatWasPutIn() throws {
        var first = binding("sip:a@192.0.2.1", cseq: 7, callID: "a call", expires: 3_600, q: 500, instance: "<urn:uuid:1>")
        first.path = ["<sip:p1;lr>", "<sip:p2;lr>"]
        first.flow.remote = "192.0.2.1:5060"
        first.userAgent = "a phone"
        first.isBehindNat = true
        let contacts = [
            Registrar.Held(binding: first, expiresAt: start), Registrar.Held(binding: binding("sip:b"), expiresAt: start + .seconds(5)),
        ]
        let row = ContactRow(contacts)
        #expect(row.contacts == contacts)
        #expect(try #require(ContactRow(row.bytes)).contacts == contacts)
        for length in 1..<row.bytes.count {
            guard let part = ContactRow(Array(row.bytes.prefix(length))) else { continue }
            #expect(part.contacts == [contacts[0]], "cut to \(length) bytes")
        }
        #expect(ContactRow([1, 2, 3]) == nil)
        #expect(ContactRow().isEmpty)
    }

    @Test func aContactThatIsRenewedAllDayIsRememberedOnceAndLapsesAtItsEnd() {
        var registrar = Registrar()
        var time = start
        for cseq in 1...500 as ClosedRange<UInt32> {
            #expect(registrar.bind(request(binding("sip:a", cseq: cseq, expires: 3_600)), subscriber: alice, at: time).outcome == .ok)
            registrar.sweep(at: time)
            #expect(registrar.dueCount == 1)
            time = time + .seconds(61)
        }
        // One that lapses before the others is seen first.
        #expect(registrar.bind(request(binding("sip:b", expires: 60)), subscriber: alice, at: time).outcome == .ok)
        #expect(registrar.dueCount == 1)
        registrar.sweep(at: time + .seconds(125))
        #expect(registrar.contacts(of: alice, at: time).map(\.binding.contactUri) == ["sip:a"])
        #expect(registrar.dueCount == 1)
        registrar.sweep(at: time + .seconds(3_590 - 61))
        #expect(registrar.contacts(of: alice, at: time).count == 1)
        registrar.sweep(at: time + .seconds(3_660))
        #expect(registrar.contacts(of: alice, at: time).isEmpty)
        #expect(registrar.dueCount == 0)
    }

    @Test func aLineThatComesAndGoesLeavesNothing() {
        var registrar = Registrar()
        for cseq in 1...100 as ClosedRange<UInt32> {
            _ = registrar.bind(request(binding("sip:a", cseq: 2 * cseq, expires: 60 * cseq)), subscriber: alice, at: start)
            #expect(registrar.bind(request(binding("sip:a", cseq: 2 * cseq + 1, expires: 0)), subscriber: alice, at: start).bindings.isEmpty)
        }
        #expect(registrar.dueCount == 0)
    }

    @Test func roomIsAskedForOnlyWhereItIsNeeded() {
        var registrar = Registrar()
        var asked = 0
        func room() -> Registrar.Room? {
            asked += 1
            return Registrar.Room(tenant: TenantID(UUIDv7(high: 3, low: 3)))
        }
        #expect(registrar.bind(request(binding("sip:a")), subscriber: alice, at: start, room: room).outcome == .ok)
        #expect(asked == 1)
        #expect(registrar.bind(request(binding("sip:a", cseq: 2)), subscriber: alice, at: start, room: room).outcome == .ok)
        #expect(asked == 1)
        #expect(registrar.bind(request(binding("sip:b")), subscriber: alice, at: start, room: room).outcome == .ok)
        #expect(asked == 2)
        #expect(registrar.bind(request(), subscriber: SubscriberID(UUIDv7(high: 9, low: 9)), at: start, room: { nil }).outcome == .unknownSubscriber)
    }
}

extension Registrar {
    fileprivate mutating func bind(_ request: BindContacts, subscriber: SubscriberID, _ room: Room = Room(), at wall: WallTime) -> BindReply {
        bind(request, subscriber: subscriber, at: wall) { room }
    }
}

import Foundation
import Ledger
import Model
import Primitives
import Rating
import Subjects
import SwiftProtobuf

/// A log as a platform with many calls writes it: what stands in the events, how long they are and how calls overlap are those
/// of real ones; only the voices are missing. Repeats exactly for a seed.
///
/// Six of ten calls go out to a carrier and are charged on three edges, the others stay inside; three of four are answered. About two
/// thousand run at a time. An answered outbound call is five events: started, answered, ended, charged, recorded; credit is renewed
/// in about one of four. With keys, personal parts are sealed as a control plane seals them. After the first hundred thousand events
/// the same calls come again as others: see `CallTape`.
struct SyntheticCalls {
    private var random: RandomSource
    private var now = WallTime(microseconds: 1_790_000_000_000_000)
    private let currency = Currency("USD")!
    private(set) var providers: [UUIDv7] = []
    private var customers: [(id: UUIDv7, provider: Int)] = []
    private var subscribers: [(id: UUIDv7, tenant: UUIDv7, customer: Int, number: String)] = []
    private var carriers: [(id: UUIDv7, gateway: UUIDv7)] = []
    private let deck: UUIDv7
    private var live: [CallStarted] = []
    private var answered: [CallAnswered?] = []
    private var records: UInt64 = 0
    private let keys: SubjectKeys?
    private var sealing: RandomSource

    private var tape = CallTape()
    private var isTapeWhole = false

    private static let liveMax = 2_000
    private static let tapeEvents = 100_000

    init(seed: UInt64, subscribers count: Int = 20_000, providers providerCount: Int = 20, carriers carrierCount: Int = 10, keys: SubjectKeys? = nil) {
        random = RandomSource(seed: seed)
        sealing = RandomSource(seed: seed &+ 1)
        self.keys = keys
        deck = UUIDv7(at: now, random: &random)
        for _ in 0..<providerCount { providers.append(id()) }
        for _ in 0..<carrierCount { carriers.append((id(), id())) }
        for index in 0..<(count / 10) { customers.append((id(), index % providers.count)) }
        for index in 0..<count {
            let customer = index % customers.count
            subscribers.append((id(), customers[customer].id, customer, "+1209\(1_000_000 + index)"))
        }
    }

    /// One commit after the other: `count` events or a few more, appended in batches.
    mutating func append(_ count: UInt64, to log: LMDBEventLog) throws {
        let end = log.head + count
        if records == 0 { _ = try log.append([directory()]) }
        while log.head < end {
            var commits: [Commit] = []
            for _ in 0..<min(2_000, end - log.head) { commits.append(try next()) }
            _ = try log.append(commits)
        }
    }

    /// Who is named in calls and asked for by name.
    private func directory() -> Commit {
        var events: [(UUIDv7, Event)] = []
        for (index, id) in providers.enumerated() {
            var provider = Provider()
            provider.id = Data(id.bytes)
            provider.name = "Provider \(index)"
            provider.namespace = "p\(index).example"
            provider.currency = currency.code
            provider.timeZone = "UTC"
            events.append((id, .providerCreated(.with { $0.provider = provider })))
        }
        for (index, (id, gateway)) in carriers.enumerated() {
            var carrier = Carrier()
            carrier.id = Data(id.bytes)
            carrier.providerID = Data(providers[0].bytes)
            carrier.name = "Carrier \(index)"
            carrier.gateways = [.with { ($0.id, $0.name, $0.host, $0.port) = (Data(gateway.bytes), "one", "203.0.113.\(index)", 5060) }]
            events.append((id, .carrierCreated(.with { $0.carrier = carrier })))
        }
        return Commit(
            events: events.map { NewEvent(stream: $0, type: $1.storedType, schemaVersion: $1.schemaVersion, payload: $1.serialized()) },
            actor: "admin", cause: "desk 0f3a9c2e", time: now)
    }

    private mutating func next() throws -> Commit {
        if tape.eventCount >= Self.tapeEvents, live.isEmpty { isTapeWhole = true }
        if isTapeWhole { return try tape.next(&records, &sealing, keys: keys) }
        now = now + .milliseconds(Int.random(in: 1...40, using: &random))
        if tape.eventCount >= Self.tapeEvents { return try end(live.count - 1) }
        if live.count < Self.liveMax / 2 { return try start() }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<36: return live.count < Self.liveMax ? try start() : try end(Int.random(in: 0..<live.count, using: &random))
        case 36..<50:
            let index = Int.random(in: 0..<live.count, using: &random)
            guard answered[index] != nil else { return try answer(index) }
            return live[index].hasHold ? try renew(index) : try end(index)
        case 50..<63:
            let index = Int.random(in: 0..<live.count, using: &random)
            return answered[index] == nil ? try answer(index) : try end(index)
        default: return try end(Int.random(in: 0..<live.count, using: &random))
        }
    }

    private mutating func id() -> UUIDv7 { UUIDv7(at: now, random: &random) }

    private mutating func commit(
        _ call: CallStarted, _ events: [Event], answer: CallAnswered? = nil, journal: Data = Data()
    ) throws -> Commit {
        let stream = UUIDv7(bytes: call.callID)!
        let sides = CallSubjects(call.caller, call.called)
        var stored: [(event: Event, payload: [UInt8])] = []
        for event in events {
            var event = event
            try keys?.seal(&event, &sealing) { _ in sides }
            stored.append((event, event.serialized()))
        }
        let times = [call.startedAt, call.startedAt + 900_000, answer?.answeredAt ?? now.microseconds, now.microseconds]
        try tape.record(call.callID, stored, at: now, journal: journal, times: times, keys: keys)
        return Commit(
            events: stored.map { event, payload in
                NewEvent(stream: stream, type: event.storedType, schemaVersion: event.schemaVersion, payload: payload)
            }, actor: "s1", cause: "desk 0f3a9c2e", time: now)
    }

    private mutating func party() -> CallParty {
        let subscriber = subscribers[Int.random(in: 0..<subscribers.count, using: &random)]
        return .with {
            $0.subscriberID = Data(subscriber.id.bytes)
            $0.tenantID = Data(subscriber.tenant.bytes)
            $0.customerID = Data(customers[subscriber.customer].id.bytes)
            $0.providerID = Data(providers[customers[subscriber.customer].provider].bytes)
            $0.number = subscriber.number
        }
    }

    private func lock(_ edge: String, _ payer: AccountRef, _ payee: AccountRef, _ micros: Int64) -> RateLock {
        .with {
            $0.edge = edge
            $0.deckID = Data(deck.bytes)
            $0.deckVersion = 7
            $0.currency = currency.code
            $0.decimals = 4
            $0.entry.prefix = "1209"
            $0.entry.destination = "United States, California"
            $0.entry.firstIncrementSeconds = 30
            $0.entry.nextIncrementSeconds = 6
            $0.entry.perMinuteMicros = micros
            $0.payer = payer
            $0.payee = payee
        }
    }

    private mutating func start() throws -> Commit {
        var call = CallStarted()
        call.callID = Data(id().bytes)
        call.worker = "s\(Int.random(in: 1...4, using: &random))"
        call.startedAt = now.microseconds
        call.caller = party()
        call.sipCallID = "\(hex(random.bytes(10)))@198.51.100.7"
        call.sourceAddress = "198.51.100.7:5060"
        call.logPosition = records * 5
        if Int.random(in: 0..<10, using: &random) < 6 {
            let carrier = carriers[Int.random(in: 0..<carriers.count, using: &random)]
            call.direction = .outbound
            call.called.carrierID = Data(carrier.id.bytes)
            call.called.number = "+1\(Int.random(in: 2_000_000_000...9_999_999_999, using: &random))"
            call.dialled = String(call.called.number.dropFirst(2))
            call.calledE164 = call.called.number
            call.dialRule = "national"
            let payer = AccountRef.customer(CustomerID(call.caller.customerID)!, currency)
            let provider = ProviderID(call.caller.providerID)!
            call.rates = [
                lock("carrier", .carrierCost(provider, currency), .carrierPayable(CarrierID(carrier.id), currency), 3_000),
                lock("wholesale", .providerCost(provider, currency), .platformRevenue(currency), 4_000),
                lock("retail", payer, .providerRevenue(provider, currency), 6_000),
            ]
            call.hold = .with {
                $0.account = payer
                $0.amountMicros = 12_000
                $0.grantedSeconds = 120
            }
        } else {
            call.called = party()
            call.dialled = "1001"
        }
        live.append(call)
        answered.append(nil)
        return try commit(call, [.callStarted(call)])
    }

    private mutating func dialog(_ tag: Int) -> DialogState {
        .with {
            $0.callID = live[tag].sipCallID
            $0.localTag = "s1.\(hex(random.bytes(8)))"
            $0.remoteTag = hex(random.bytes(6))
            $0.localUri = "<sip:\(live[tag].dialled)@acme.kages.example>"
            $0.remoteUri = "\"Reception\" <sip:1001@acme.kages.example>"
            $0.remoteTarget = "sip:1001@198.51.100.7:5060;transport=udp"
            $0.localCseq = 1
            $0.remoteCseq = 20
            $0.flow = .with {
                $0.worker = "s1"
                $0.listener = "192.0.2.10:5060"
                $0.remote = "198.51.100.7:5060"
            }
        }
    }

    private static let description = """
        v=0\r\no=- 1790000000 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 30042 RTP/AVP 8 0 101\r
        a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n
        """

    private mutating func answer(_ index: Int) throws -> Commit {
        let call = live[index]
        let (a, b) = (dialog(index), dialog(index))
        let fact = CallAnswered.with {
            $0.callID = call.callID
            $0.answeredAt = now.microseconds
            if call.direction == .outbound { $0.gatewayID = Data(carriers[0].gateway.bytes) } else { $0.subscriberID = call.called.subscriberID }
            $0.snapshot.a = a
            $0.snapshot.b = b
            $0.snapshot.mediaWorker = "m1"
            $0.snapshot.mediaSession = call.callID
            $0.snapshot.sdpA = Self.description
            $0.snapshot.sdpB = Self.description
            $0.snapshot.remoteSdpA = Self.description
            $0.snapshot.remoteSdpB = Self.description
        }
        answered[index] = fact
        return try commit(call, [.callAnswered(fact)], answer: fact)
    }

    /// Credit for another two minutes.
    private mutating func renew(_ index: Int) throws -> Commit {
        live[index].hold.amountMicros += 12_000
        live[index].hold.grantedSeconds += 120
        let call = live[index]
        return try commit(
            call,
            [
                .creditRenewed(
                    .with {
                        $0.callID = call.callID
                        $0.hold = call.hold
                    })
            ])
    }

    private mutating func end(_ index: Int) throws -> Commit {
        // Nearly all calls are answered before they end; the others gave up.
        if answered[index] == nil, Int.random(in: 0..<4, using: &random) > 0 { return try answer(index) }
        live.swapAt(index, live.count - 1)
        answered.swapAt(index, answered.count - 1)
        let (call, answer) = (live.removeLast(), answered.removeLast())
        records += 1
        let media = MediaReport.with {
            $0.mediaWorker = "m1"
            $0.a = .with { ($0.packetsIn, $0.bytesIn, $0.packetsOut, $0.bytesOut, $0.lastPacketAt) = (4_500, 774_000, 4_498, 773_656, now.microseconds) }
            $0.b = .with { ($0.packetsIn, $0.bytesIn, $0.packetsOut, $0.bytesOut, $0.lastPacketAt) = (4_498, 773_656, 4_500, 774_000, now.microseconds) }
        }
        let attempt = CallAttempt.with {
            $0.target = "sip:\(call.dialled)@203.0.113.9:5060"
            $0.gatewayID = answer?.gatewayID ?? Data()
            $0.startedAt = call.startedAt
            $0.ringingAt = call.startedAt + 900_000
            $0.endedAt = answer?.answeredAt ?? now.microseconds
            $0.sipStatus = answer == nil ? 487 : 200
        }
        let ended = CallEnded.with {
            $0.callID = call.callID
            $0.endedAt = now.microseconds
            $0.cause = answer == nil ? .cancelled : .callerHungUp
            $0.sipStatus = answer == nil ? 487 : 200
            $0.worker = call.worker
        }
        var cdr = Cdr.with {
            $0.number = records
            $0.callID = call.callID
            $0.direction = call.direction
            $0.caller = call.caller
            $0.called = call.called
            $0.dialled = call.dialled
            $0.calledE164 = call.calledE164
            $0.startedAt = call.startedAt
            $0.answeredAt = answer?.answeredAt ?? 0
            $0.endedAt = now.microseconds
            $0.durationMs = answer == nil ? 0 : UInt64.random(in: 1_000...180_000, using: &random)
            $0.cause = ended.cause
            $0.sipStatus = ended.sipStatus
            $0.attempts = [attempt]
            if answer != nil { $0.media = media }
            $0.sipCallID = call.sipCallID
            $0.worker = call.worker
            $0.logPosition = records * 5
            $0.answeredGatewayID = answer?.gatewayID ?? Data()
            $0.answeredSubscriberID = answer?.subscriberID ?? Data()
        }
        var events: [Event] = [.callEnded(ended)]
        if answer != nil, !call.rates.isEmpty, let charges = try? Rater.charges(call.rates, milliseconds: cdr.durationMs),
            let postings = try? Rater.postings(for: charges)
        {
            cdr.charges = charges
            cdr.journalID = Data(id().bytes)
            events.append(
                .journalPosted(
                    .with {
                        $0.id = cdr.journalID
                        $0.kind = .call
                        $0.callID = call.callID
                        $0.postings = postings
                    }))
        }
        events.append(.cdrRecorded(.with { $0.cdr = cdr }))
        return try commit(call, events, answer: answer, journal: cdr.journalID)
    }
}

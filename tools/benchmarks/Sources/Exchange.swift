import ControlPlane
import Foundation
import Ledger
import Model
import OpenSSL
import Primitives
import Projections
import Subjects
import SwiftProtobuf

extension Instant {
    static var current: Instant { Instant(nanoseconds: DispatchTime.now().uptimeNanoseconds) }
}

extension WallTime {
    static var current: WallTime { WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }
}

/// A provider with everything that a prepaid call needs, and as many customers with money as are asked for, provisioned
/// by the commands that the API gives.
struct Exchange {
    let log: LMDBEventLog
    let views: Views
    var core: ControlCore
    private(set) var customers: [Line] = []
    private var gateway = Bytes()
    private var tickets: UInt64 = 0
    private var calls: UInt64 = 0

    struct Line {
        var customer: [UInt8] = []
        var domain = ""
        var subscriber: [UInt8] = []
    }

    static let worker = "s1"
    static let dialled = "+12092488700"

    init(directory: String, customers count: Int) throws {
        log = try LMDBEventLog(directory: directory + "/ledger")
        var random = RandomSource.system
        let keys = try SubjectKeys(path: directory + "/subjects.keys", master: random.bytes(32))
        views = try Views(directory: directory + "/views", keys: keys)
        core = try ControlCore(
            log: log, views: views, vault: try Vault(key: random.bytes(32)), random: .system, settings: .service, now: .current,
            wall: .current)
        var provider = Provider()
        provider.name = "Kages"
        provider.namespace = "kages.example"
        provider.currency = "USD"
        let providerID = try admin(.createProvider(provider))
        var contact = Contact()
        contact.providerID = providerID
        contact.name = "Anna"
        let contactID = try admin(.createContact(contact))
        let deckID = try publishedDeck(of: providerID)
        var dialPlan = DialPlan()
        dialPlan.providerID = providerID
        dialPlan.name = "E.164"
        let dialPlanID = try admin(.createDialPlan(dialPlan))
        var gateway = Gateway()
        gateway.name = "first"
        gateway.host = "192.0.2.1"
        var carrier = Carrier()
        carrier.providerID = providerID
        carrier.name = "Carrier"
        carrier.gateways = [gateway]
        let carrierID = try admin(.createCarrier(carrier))
        if let id = CarrierID(carrierID) {
            let stored = try views.read { views throws(ViewsError) in try views.carrier(id) }
            self.gateway = stored?.gateways.first?.id ?? Bytes()
        }
        var plan = ServicePlan()
        plan.providerID = providerID
        plan.name = "Prepaid"
        plan.paymentMode = .prepaid
        plan.rateDeckID = deckID
        plan.dialPlanID = dialPlanID
        plan.carrierID = carrierID
        let planID = try admin(.createServicePlan(plan))
        var worker = Worker()
        worker.name = Self.worker
        worker.kind = .signal
        worker.curvePublicKey.append(contentsOf: random.bytes(32))
        _ = try admin(.enrollWorker(worker))
        var hello = DeskRequest()
        hello.hello.worker = Self.worker
        hello.hello.kind = .signal
        hello.hello.incarnation.append(1)
        _ = try desk([hello])
        for first in stride(from: 0, to: count, by: 500) {
            customers += try lines(first..<min(first + 500, count), providerID, contactID, planID)
        }
    }

    /// Customers with a tenant, a subscriber and money each, in four batches.
    private mutating func lines(_ numbers: Range<Int>, _ providerID: Bytes, _ contactID: Bytes, _ planID: Bytes) throws -> [Line] {
        let customerIDs = try admin(
            numbers.map { number in
                var customer = Customer()
                customer.providerID = providerID
                customer.contactID = contactID
                customer.servicePlanID = planID
                customer.name = "Customer \(number)"
                customer.currency = "USD"
                return .createCustomer(customer)
            })
        let domains = numbers.map { "office-\($0).kages.example" }
        let tenantIDs = try admin(
            zip(customerIDs, domains).map { customerID, domain in
                var tenant = Tenant()
                tenant.customerID = customerID
                tenant.name = "Office"
                tenant.domain = domain
                tenant.countryCode = "1"
                return .createTenant(tenant)
            })
        let subscriberIDs = try admin(
            tenantIDs.map { tenantID in
                var subscriber = Subscriber()
                subscriber.tenantID = tenantID
                subscriber.username = "alice"
                subscriber.allowedPrefixes = ["+1"]
                return .createSubscriber(subscriber, password: Password("correct horse"))
            })
        var amount = Amount()
        amount.micros = 100_000_000_000_000
        amount.currency = "USD"
        _ = try admin(try customerIDs.map { .topUp(try Self.customer($0), amount, reason: "cash") })
        return (0..<numbers.count).map {
            Line(customer: [UInt8](customerIDs[$0]), domain: domains[$0], subscriber: [UInt8](subscriberIDs[$0]))
        }
    }

    private static func customer(_ id: Bytes) throws -> CustomerID {
        guard let id = CustomerID(id) else { throw Failure("an id that is none of a customer") }
        return id
    }

    private mutating func publishedDeck(of providerID: Bytes) throws -> Bytes {
        var deck = RateDeck()
        deck.providerID = providerID
        deck.name = "Retail"
        deck.currency = "USD"
        deck.decimals = 4
        let deckID = try admin(.createRateDeck(deck))
        var entry = RateEntry()
        entry.prefix = "1"
        entry.destination = "North America"
        entry.perMinuteMicros = 10_000
        entry.firstIncrementSeconds = 60
        entry.nextIncrementSeconds = 6
        var version = RateDeckVersion()
        version.deckID = deckID
        version.entries = [entry]
        _ = try admin(.publishDeckVersion(version))
        return deckID
    }

    typealias Bytes = Data

    private mutating func admin(_ command: AdminCommand) throws -> Bytes {
        guard let id = try admin([command]).first else { throw Failure("no answer to a command") }
        return id
    }

    /// Carries the commands out as one batch.
    private mutating func admin(_ commands: [AdminCommand]) throws -> [Bytes] {
        let work = commands.map { command in
            tickets += 1
            return Work.admin(ticket: tickets, AdminRequest(command, actor: "bench", requestID: "bench \(tickets)"))
        }
        var ids: [Bytes] = []
        for case .adminResult(_, let result) in core.process(work, now: .current, wall: .current) {
            ids.append(Bytes(try result.get().id.bytes))
        }
        return ids
    }

    /// From here on batches are made durable by a thread of their own, as in the service.
    mutating func appendOnThread(onSettled: @escaping @Sendable () -> Void) throws -> ThreadAppender {
        let appender = try ThreadAppender(Append(log: log, keys: views.keys), onSettled: onSettled)
        core.append(by: appender)
        return appender
    }

    /// Brings what is durable into the tables, which is what `bytesUsed` counts.
    mutating func publish() { _ = core.finish() }

    // MARK: - calls

    /// Decides the requests as one batch, durably.
    /// - Returns: the replies in the order of the requests.
    mutating func desk(_ requests: [DeskRequest]) throws -> [DeskReply] {
        let work = requests.map { request in
            tickets += 1
            return Work.desk(worker: Self.worker, requestID: UUIDv7(high: 0, low: tickets).bytes, request)
        }
        var replies: [DeskReply] = []
        for case .reply(_, _, let reply, _) in core.process(work, now: .current, wall: .current) {
            if case .error(let error) = reply.kind { throw Failure("\(error)") }
            replies.append(reply)
        }
        guard replies.count == requests.count else { throw Failure("a request without an answer") }
        return replies
    }

    /// One turn of the control plane's loop: takes back what is durable, decides what has come.
    ///
    /// - Parameter asked: nil: nothing will come any more.
    /// - Parameter answer: gets the producers that are answered now.
    mutating func turn(_ asked: [Asked]?, answer: ([Int]) -> Void) throws {
        let now = Instant.current
        guard let asked else { return answer(try Self.producers(core.finish())) }
        answer(try Self.producers(core.advance()))
        var work: [Work] = []
        work.reserveCapacity(asked.count)
        for request in asked {
            tickets += 1
            work.append(
                .desk(
                    worker: Self.worker, requestID: UUIDv7(high: UInt64(request.producer), low: tickets).bytes,
                    try DeskRequest(serializedBytes: request.bytes)))
        }
        try core.decide(work, now: now, wall: .current) { outputs in answer(try Self.producers(outputs)) }
        if now >= core.nextWake { answer(try Self.producers(core.tick(now: now, wall: .current))) }
    }

    private static func producers(_ outputs: [Output]) throws -> [Int] {
        var producers: [Int] = []
        for case .reply(_, let id, let reply, _) in outputs {
            if case .error(let error) = reply.kind { throw Failure("\(error)") }
            use(try reply.serializedBytes() as [UInt8])
            guard let asker = UUIDv7(bytes: id) else { throw Failure("a reply to nobody") }
            producers.append(Int(asker.high))
        }
        return producers
    }

    mutating func newCall() -> Bytes {
        calls += 1
        return Bytes(UUIDv7(high: UInt64(WallTime.current.microseconds / 1_000) << 16 | 0x7000, low: 1 << 63 | calls).bytes)
    }

    func start(_ call: Bytes, by line: Line) -> DeskRequest {
        var request = DeskRequest()
        request.startCall.callID = call
        request.startCall.callerSubscriberID = Bytes(line.subscriber)
        request.startCall.dialled = Self.dialled
        request.startCall.domain = line.domain
        request.startCall.sipCallID = "a84b4c76e66710@192.0.2.17"
        request.startCall.startedAt = WallTime.current.microseconds
        return request
    }

    func answer(_ call: Bytes) -> DeskRequest {
        var request = DeskRequest()
        request.callAnswered.callID = call
        request.callAnswered.answeredAt = WallTime.current.microseconds
        request.callAnswered.snapshot = Self.snapshot
        return request
    }

    func renew(_ call: Bytes, used: UInt32) -> DeskRequest {
        var request = DeskRequest()
        request.renewCredit.callID = call
        request.renewCredit.usedSeconds = used
        return request
    }

    func finish(_ call: Bytes) -> DeskRequest {
        var request = DeskRequest()
        request.callFinished.ended.callID = call
        request.callFinished.ended.endedAt = WallTime.current.microseconds
        request.callFinished.ended.cause = .callerHungUp
        request.callFinished.ended.sipStatus = 200
        request.callFinished.ended.attempts = [
            .with {
                $0.target = "sip:\(Self.dialled)@192.0.2.1:5060"
                $0.gatewayID = gateway
                $0.startedAt = WallTime.current.microseconds - 60_000_000
                $0.ringingAt = WallTime.current.microseconds - 59_000_000
                $0.endedAt = WallTime.current.microseconds - 50_000_000
                $0.sipStatus = 200
            }
        ]
        request.callFinished.ended.media.mediaWorker = "m1"
        let leg = LegMedia.with {
            ($0.packetsIn, $0.bytesIn, $0.packetsOut, $0.bytesOut) = (2_500, 430_000, 2_498, 429_656)
            $0.lastPacketAt = WallTime.current.microseconds
        }
        (request.callFinished.ended.media.a, request.callFinished.ended.media.b) = (leg, leg)
        return request
    }

    /// As large as that of an ordinary call between two phones.
    private static let snapshot: CallSnapshot = {
        func side(_ name: String) -> DialogState {
            var state = DialogState()
            state.callID = "a84b4c76e66710@192.0.2.17"
            state.localTag = "s1.0190b7e25fa87c338000000000000001.\(name)"
            state.remoteTag = "1928301774"
            state.localUri = "<sip:alice@office-1.kages.example>"
            state.remoteUri = "<sip:+12092488700@office-1.kages.example>"
            state.remoteTarget = "sip:\(name)@192.0.2.17:5060;transport=udp"
            state.localCseq = 1
            state.remoteCseq = 314_159
            state.flow.worker = Exchange.worker
            state.flow.listener = "192.0.2.100:5060"
            state.flow.remote = "192.0.2.17:5060"
            return state
        }
        let description = """
            v=0\r\no=- 2890844526 2890844526 IN IP4 192.0.2.101\r\ns=-\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n\
            m=audio 34190 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n
            """
        var snapshot = CallSnapshot()
        (snapshot.a, snapshot.b) = (side("a"), side("b"))
        snapshot.mediaWorker = "m1"
        snapshot.mediaSession = Bytes(repeating: 7, count: 16)
        (snapshot.sdpA, snapshot.sdpB) = (description, description)
        (snapshot.remoteSdpA, snapshot.remoteSdpB) = (description, description)
        return snapshot
    }()
}

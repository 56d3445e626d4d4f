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
        for number in 0..<count {
            var customer = Customer()
            customer.providerID = providerID
            customer.contactID = contactID
            customer.servicePlanID = planID
            customer.name = "Customer \(number)"
            customer.currency = "USD"
            let customerID = try admin(.createCustomer(customer))
            var tenant = Tenant()
            tenant.customerID = customerID
            tenant.name = "Office"
            tenant.domain = "office-\(number).kages.example"
            tenant.countryCode = "1"
            let tenantID = try admin(.createTenant(tenant))
            var subscriber = Subscriber()
            subscriber.tenantID = tenantID
            subscriber.username = "alice"
            subscriber.allowedPrefixes = ["+1"]
            let subscriberID = try admin(.createSubscriber(subscriber, password: Password("correct horse")))
            var amount = Amount()
            amount.micros = 100_000_000_000_000
            amount.currency = "USD"
            guard let id = CustomerID(customerID) else { throw Failure.unexpected("customer") }
            _ = try admin(.topUp(id, amount, reason: "cash"))
            customers.append(Line(customer: [UInt8](customerID), domain: tenant.domain, subscriber: [UInt8](subscriberID)))
        }
    }

    enum Failure: Error {
        case unexpected(String)
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
        tickets += 1
        let request = AdminRequest(command, actor: "bench", requestID: "bench \(tickets)")
        for case .adminResult(_, let result) in core.process([.admin(ticket: tickets, request)], now: .current, wall: .current) {
            return Bytes(try result.get().id.bytes)
        }
        throw Failure.unexpected("no answer to a command")
    }

    // MARK: - calls

    /// Decides the requests as one batch, durably.
    /// - Returns: the replies in the order of the requests.
    mutating func desk(_ requests: [DeskRequest]) throws -> [DeskReply] {
        let work = requests.map { request in
            tickets += 1
            return Work.desk(worker: Self.worker, requestID: UUIDv7(high: 0, low: tickets).bytes, request)
        }
        var replies: [DeskReply] = []
        for case .reply(_, _, let reply) in core.process(work, now: .current, wall: .current) {
            if case .error(let error) = reply.kind { throw Failure.unexpected("\(error)") }
            replies.append(reply)
        }
        guard replies.count == requests.count else { throw Failure.unexpected("a request without an answer") }
        return replies
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

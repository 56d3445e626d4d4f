import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

@testable import ControlPlane

/// A platform with everything on it that a call needs: one provider, one customer, one tenant, Alice (1000) and
/// Bob (1001), a carrier with two gateways, and two signal workers that have said hello.
final class Town {
    let platform: TestPlatform
    var provider = Provider()
    var contact = Contact()
    var retail = RateDeck()
    var wholesale = RateDeck()
    var cost = RateDeck()
    var dialPlan = DialPlan()
    var carrier = Carrier()
    var plan = ServicePlan()
    var customer = Customer()
    var tenant = Tenant()
    var alice = Subscriber()
    var bob = Subscriber()
    var number = Number()

    init(seed: UInt64 = 1, prepaid: Bool = false, settings: ControlSettings = ControlSettings()) throws {
        platform = try TestPlatform(seed: seed, settings: settings)
        wholesale = try deck("Wholesale", provider: Data(), perMinute: 30_000)
        provider = try create(
            .with {
                $0.name = "Kages"
                $0.namespace = "kages.example"
                $0.currency = "USD"
                $0.wholesaleDeckID = wholesale.id
                $0.timeZone = "America/Los_Angeles"
            }, AdminCommand.createProvider)
        contact = try create(
            .with {
                $0.providerID = provider.id
                $0.name = "Anna"
            }, AdminCommand.createContact)
        retail = try deck("Retail", provider: provider.id, perMinute: 40_000)
        cost = try deck("Cost", provider: provider.id, perMinute: 10_000)
        dialPlan = try create(
            .with {
                $0.providerID = provider.id
                $0.name = "North America"
                $0.rules = [
                    .with {
                        $0.description_p = "seven digits"
                        $0.match = "^[1-9][0-9]{6}$"
                        $0.replacement = "+1_AC\\1"
                    },
                    .with {
                        $0.description_p = "ten digits"
                        $0.match = "^[2-9][0-9]{9}$"
                        $0.replacement = "+1\\1"
                    },
                ]
            }, AdminCommand.createDialPlan)
        carrier = try create(
            .with {
                $0.providerID = provider.id
                $0.name = "Carrier"
                $0.costDeckID = cost.id
                $0.gateways = [
                    .with {
                        $0.name = "first"
                        $0.host = "192.0.2.1"
                        $0.port = 5060
                        $0.outboundStrip = 1
                        $0.addPai = true
                        $0.inboundPrefix = "+1"
                    },
                    .with {
                        $0.name = "second"
                        $0.host = "192.0.2.2"
                        $0.outboundStrip = 2
                        $0.outboundPrefix = "00"
                        $0.sourceUser = "trunk"
                        $0.sourceDomain = "kages.example"
                        $0.display = "Kages"
                    },
                ]
            }, AdminCommand.createCarrier)
        carrier = try platform.read { views throws(ViewsError) in try views.carrier(CarrierID(carrier.id)!)! }
        plan = try create(
            .with {
                $0.providerID = provider.id
                $0.name = "Standard"
                $0.paymentMode = prepaid ? .prepaid : .postpaid
                $0.rateDeckID = retail.id
                $0.dialPlanID = dialPlan.id
                $0.carrierID = carrier.id
            }, AdminCommand.createServicePlan)
        customer = try create(
            .with {
                $0.providerID = provider.id
                $0.contactID = contact.id
                $0.servicePlanID = plan.id
                $0.name = "Acme"
                $0.currency = "USD"
            }, AdminCommand.createCustomer)
        tenant = try create(
            .with {
                $0.customerID = customer.id
                $0.name = "Acme"
                $0.domain = "acme.kages.example"
                $0.countryCode = "1"
                $0.areaCode = "209"
            }, AdminCommand.createTenant)
        number = try create(
            .with {
                $0.providerID = provider.id
                $0.e164 = "+12092488701"
                $0.voice = true
            }, AdminCommand.addNumber)
        alice = try subscriber("alice", alias: "1000")
        bob = try subscriber("bob", alias: "1001")
        try platform.admin(.assignNumber(NumberID(number.id)!, to: SubscriberID(bob.id)!, expectedVersion: nil))
        for name in ["s1", "s2"] {
            try platform.enroll(name)
            _ = try platform.hello(name)
        }
        platform.feed = []
    }

    /// What the entity is after creation, with its id.
    func create<Entity: Message & Identified>(_ entity: Entity, _ command: (Entity) -> AdminCommand) throws -> Entity {
        var entity = entity
        let outcome = try platform.admin(command(entity))
        entity.id = Data(outcome.id.bytes)
        return entity
    }

    private func deck(_ name: String, provider: Data, perMinute: Int64) throws -> RateDeck {
        let deck = try create(
            .with {
                $0.providerID = provider
                $0.name = name
                $0.currency = "USD"
                $0.decimals = 4
            }, AdminCommand.createRateDeck)
        try platform.admin(
            .publishDeckVersion(
                .with {
                    $0.deckID = deck.id
                    $0.entries = [
                        .with {
                            $0.prefix = "1"
                            $0.destination = "North America"
                            $0.perMinuteMicros = perMinute
                            $0.firstIncrementSeconds = 60
                            $0.nextIncrementSeconds = 60
                        }
                    ]
                }))
        return deck
    }

    func subscriber(_ name: String, alias: String) throws -> Subscriber {
        let entity = Subscriber.with {
            $0.tenantID = tenant.id
            $0.username = name
            $0.aliases = [alias]
            $0.displayName = name.capitalized
            $0.allowedPrefixes = ["+1"]
        }
        return try create(entity) { .createSubscriber($0, password: Password("correct horse")) }
    }

    func topUp(_ micros: Int64) throws {
        let amount = Amount.with {
            $0.micros = micros
            $0.currency = "USD"
        }
        try platform.admin(.topUp(CustomerID(customer.id)!, amount, reason: "cash"))
    }

    // MARK: - calls

    func register(_ subscriber: Subscriber, contact: String, q: UInt32 = 1_000, worker: String = "s1") throws {
        let reply = try platform.desk(
            worker,
            .with {
                $0.bind.subscriberID = subscriber.id
                $0.bind.bindings = [
                    .with {
                        $0.contactUri = contact
                        $0.callID = contact
                        $0.cseq = 1
                        $0.expiresSeconds = 3_600
                        $0.qPermille = q
                        $0.flow.worker = worker
                        $0.flow.listener = "127.0.0.1:5061"
                        $0.flow.remote = "127.0.0.1:40000"
                    }
                ]
            })
        guard reply.bind.outcome == .ok else { throw TestFailure.unexpected("\(reply)") }
    }

    private var calls: UInt64 = 0

    func newCall() -> CallID {
        calls += 1
        let milliseconds = UInt64(platform.wall.microseconds / 1_000)
        return CallID(UUIDv7(high: milliseconds << 16 | 0x7000, low: 0x8000_0000_0000_0000 | calls))
    }

    func startRequest(_ call: CallID, from subscriber: Subscriber, to dialled: String) -> DeskRequest {
        .with {
            $0.startCall.callID = call.data
            $0.startCall.callerSubscriberID = subscriber.id
            $0.startCall.dialled = dialled
            $0.startCall.domain = tenant.domain
            $0.startCall.sipCallID = "sip \(call)"
            $0.startCall.startedAt = platform.wall.microseconds
        }
    }

    func inboundRequest(_ call: CallID, to dialled: String, gateway: Int = 0) -> DeskRequest {
        .with {
            $0.startCall.callID = call.data
            $0.startCall.gatewayID = carrier.gateways[gateway].id
            $0.startCall.carrierID = carrier.id
            $0.startCall.dialled = dialled
            $0.startCall.domain = "192.0.2.9"
            $0.startCall.fromUser = "+13105550100"
            $0.startCall.fromDisplay = "Carol"
        }
    }

    func start(_ call: CallID, from subscriber: Subscriber, to dialled: String, worker: String = "s1") throws
        -> DeskReply
    {
        try platform.desk(worker, startRequest(call, from: subscriber, to: dialled))
    }

    func answer(_ call: CallID, worker: String = "s1") throws -> DeskReply {
        try platform.desk(
            worker,
            .with {
                $0.callAnswered.callID = call.data
                $0.callAnswered.answeredAt = platform.wall.microseconds
                $0.callAnswered.gatewayID = carrier.gateways[1].id
                $0.callAnswered.snapshot.mediaWorker = "m1"
            })
    }

    /// Answered, with what a worker knows of the ends; nil: a stranger is there, or another call.
    func answer(_ call: CallID, a: Subscriber?, b: Subscriber?, worker: String = "s1") throws {
        let reply = try platform.desk(
            worker,
            .with {
                $0.callAnswered.callID = call.data
                $0.callAnswered.answeredAt = platform.wall.microseconds
                $0.callAnswered.snapshot = snapshot(a, b)
            })
        guard case .recorded? = reply.kind else { throw TestFailure.unexpected("\(reply)") }
    }

    /// Others are at the ends of an answered call.
    func move(_ call: CallID, a: Subscriber?, b: Subscriber?, worker: String = "s1") throws {
        let reply = try platform.desk(
            worker,
            .with {
                $0.callUpdated.callID = call.data
                $0.callUpdated.snapshot = snapshot(a, b)
            })
        guard case .recorded? = reply.kind else { throw TestFailure.unexpected("\(reply)") }
    }

    private func snapshot(_ a: Subscriber?, _ b: Subscriber?) -> CallSnapshot {
        .with {
            $0.mediaWorker = "m1"
            $0.a.terms = .with { $0.subscriberID = a?.id ?? Data() }
            $0.b.terms = .with { $0.subscriberID = b?.id ?? Data() }
        }
    }

    /// What a line sends on: because it is set so, or because a person at its phone transfers.
    func send(_ call: CallID, on first: CallID, by line: Subscriber, to dialled: String, _ kind: ForwardKind, worker: String = "s1") throws -> DeskReply {
        var request = startRequest(call, from: line, to: dialled)
        request.startCall.forwardedFrom = first.data
        request.startCall.forwardKind = kind
        request.startCall.fromUser = "1000"
        return try platform.desk(worker, request)
    }

    /// A tenant of another customer, with a line.
    func neighbour() throws -> (customer: Customer, tenant: Tenant, line: Subscriber) {
        let customer = try create(
            .with {
                $0.providerID = provider.id
                $0.contactID = contact.id
                $0.servicePlanID = plan.id
                $0.name = "Other"
                $0.currency = "USD"
            }, AdminCommand.createCustomer)
        let tenant = try create(
            .with {
                $0.customerID = customer.id
                $0.name = "Other"
                $0.domain = "other.kages.example"
                $0.countryCode = "1"
                $0.areaCode = "209"
            }, AdminCommand.createTenant)
        let line = try create(
            Subscriber.with {
                $0.tenantID = tenant.id
                $0.username = "bob"
                $0.allowedPrefixes = ["+1"]
            }, { .createSubscriber($0, password: Password("correct horse")) })
        return (customer, tenant, line)
    }

    func set(_ subscriber: Subscriber, _ change: (inout Subscriber) -> Void) throws {
        guard let id = SubscriberID(subscriber.id), var now = try platform.read({ views throws(ViewsError) in try views.subscriber(id) })
        else { throw TestFailure.unexpected("no line") }
        change(&now)
        try platform.admin(.changeSubscriber(now, password: nil, expectedVersion: nil))
    }

    func finish(_ call: CallID, cause: EndCause = .callerHungUp, worker: String = "s1", endedAt: WallTime? = nil) throws -> DeskReply {
        try platform.desk(
            worker,
            .with {
                $0.callFinished.ended.callID = call.data
                $0.callFinished.ended.endedAt = (endedAt ?? platform.wall).microseconds
                $0.callFinished.ended.cause = cause
                $0.callFinished.ended.sipStatus = 200
            })
    }

    func renew(_ call: CallID, used: UInt32, worker: String = "s1") throws -> DeskReply {
        try platform.desk(
            worker,
            .with {
                $0.renewCredit.callID = call.data
                $0.renewCredit.usedSeconds = used
            })
    }

    func cdrs() throws -> [Cdr] {
        try platform.read { views throws(ViewsError) in try views.cdrs(limit: 1_000) }
    }

    func live(_ call: CallID) throws -> LiveCall? {
        try platform.read { views throws(ViewsError) in try views.liveCall(call) }
    }

    var account: AccountRef { .customer(customer) }

    func balance(_ account: AccountRef) throws -> Int64 {
        try platform.read { views throws(ViewsError) in try views.balance(account) }
    }

    func held() throws -> Int64 {
        try platform.read { views throws(ViewsError) in try views.held(account) }
    }
}

/// Entities whose id is a field of bytes.
protocol Identified {
    var id: Data { get set }
}

extension Provider: Identified {}
extension Contact: Identified {}
extension RateDeck: Identified {}
extension ServicePlan: Identified {}
extension Customer: Identified {}
extension DialPlan: Identified {}
extension Tenant: Identified {}
extension Carrier: Identified {}
extension Number: Identified {}
extension SecurityGroup: Identified {}
extension Subscriber: Identified {}

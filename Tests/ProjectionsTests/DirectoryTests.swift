import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@Suite struct DirectoryTests {
    private let fixture: Fixture
    private var make = Builder()

    init() throws { fixture = try Fixture() }

    @Test mutating func aSubscriberIsFoundByNameAndByEveryAliasOfItsTenantAlone() throws {
        let tenant = make.id()
        let other = make.id()
        let id = make.id()
        var subscriber = Subscriber.with {
            $0.id = id.data
            $0.tenantID = tenant.data
            $0.username = "alice"
            $0.aliases = ["1000", "1001"]
        }
        try fixture.record(.subscriberCreated(.with { $0.subscriber = subscriber }), id)
        try fixture.ask { views throws(ViewsError) in
            for name in ["alice", "1000", "1001"] {
                #expect(try views.subscriber(tenant: TenantID(tenant), user: name) == subscriber)
                #expect(try views.subscriber(tenant: TenantID(other), user: name) == nil)
            }
            for name in ["", "alic", "alicee", "Alice", "100", String(repeating: "a", count: 10_000)] {
                #expect(try views.subscriber(tenant: TenantID(tenant), user: name) == nil)
            }
        }
        subscriber.aliases = ["1001", "1002"]
        try fixture.record(.subscriberChanged(.with { $0.subscriber = subscriber }), id)
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.subscriber(tenant: TenantID(tenant), user: "1000") == nil)
            #expect(try views.subscriber(tenant: TenantID(tenant), user: "1001") == subscriber)
            #expect(try views.subscriber(tenant: TenantID(tenant), user: "1002") == subscriber)
        }
        try fixture.record(
            .entityRemoved(
                .with {
                    $0.kind = .subscriber
                    $0.id = id.data
                }), id)
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.subscriber(SubscriberID(id)) == nil)
            for name in ["alice", "1001", "1002"] {
                #expect(try views.subscriber(tenant: TenantID(tenant), user: name) == nil)
            }
            #expect(try views.firstReferrer(of: tenant) == nil)
        }
    }

    @Test mutating func aGatewayIsFoundByItsAddressHoweverItIsWritten() throws {
        let id = make.id()
        var carrier = Carrier.with {
            $0.id = id.data
            $0.gateways = [
                .with {
                    $0.id = make.data()
                    $0.host = "2001:DB8:0:0::1"
                    $0.port = 5060
                },
                .with {
                    $0.id = make.data()
                    $0.host = "192.0.2.7"
                    $0.port = 5080
                },
            ]
        }
        let second = try #require(GatewayID(carrier.gateways[1].id))
        try fixture.record(.carrierCreated(.with { $0.carrier = carrier }), id)
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.gateway(host: "[2001:db8::1]", port: 5060)?.gateway == carrier.gateways[0])
            #expect(try views.gateway(host: "192.0.2.7", port: 5080)?.carrier == carrier)
            #expect(try views.gateway(host: "192.0.2.7", port: 5060) == nil)
            #expect(try views.carrier(gateway: second) == carrier)
        }
        carrier.gateways.removeLast()
        try fixture.record(.carrierChanged(.with { $0.carrier = carrier }), id)
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.gateway(host: "192.0.2.7", port: 5080) == nil)
            #expect(try views.carrier(gateway: second) == nil)
            #expect(try views.gateway(host: "2001:db8::1", port: 5060) != nil)
        }
    }

    @Test mutating func aNumberLeadsToItsSubscriberAndBack() throws {
        let id = make.id()
        let provider = make.id()
        let subscriber = make.id()
        var number = Number.with {
            $0.id = id.data
            $0.providerID = provider.data
            $0.e164 = "+12092488700"
        }
        try fixture.record(.numberAdded(.with { $0.number = number }), id)
        #expect(
            try fixture.ask { v throws(ViewsError) in try v.numbers(of: SubscriberID(subscriber), limit: 10) }.isEmpty)
        number.subscriberID = subscriber.data
        try fixture.record(.numberChanged(.with { $0.number = number }), id)
        #expect(try fixture.ask { v throws(ViewsError) in try v.number(e164: "+12092488700") } == number)
        #expect(
            try fixture.ask { v throws(ViewsError) in try v.numbers(of: SubscriberID(subscriber), limit: 10) } == [
                number
            ])
        let referrer = try fixture.ask { v throws(ViewsError) in try v.firstReferrer(of: subscriber) }
        #expect(referrer?.kind == .number && referrer?.id == id)
        number.subscriberID = Data()
        try fixture.record(.numberChanged(.with { $0.number = number }), id)
        #expect(try fixture.ask { v throws(ViewsError) in try v.firstReferrer(of: subscriber) } == nil)
        #expect(
            try fixture.ask { v throws(ViewsError) in try v.numbers(of: ProviderID(provider), limit: 10) } == [number])
    }

    @Test mutating func listsComeInPagesInTheOrderOfTheirIds() throws {
        let provider = make.id()
        var customers: [Customer] = []
        for index in 0..<25 {
            let id = UUIDv7(high: UInt64(index) << 16 | 0x7000, low: 1)
            let customer = Customer.with {
                $0.id = id.data
                $0.providerID = (index % 5 == 0 ? make.id() : provider).data
            }
            customers.append(customer)
            try fixture.record(.customerCreated(.with { $0.customer = customer }), id)
        }
        try fixture.ask { views throws(ViewsError) in
            var all: [Customer] = []
            repeat {
                let page = try views.customers(after: all.last.flatMap { CustomerID($0.id) }, limit: 7)
                all += page
                if page.count < 7 { break }
            } while true
            #expect(all == customers)
            let first = try views.customers(of: ProviderID(provider), limit: 12)
            let rest = try views.customers(
                of: ProviderID(provider), after: first.last.flatMap { CustomerID($0.id) }, limit: 12)
            #expect(first + rest == customers.enumerated().filter { $0.offset % 5 != 0 }.map(\.element))
            #expect(try views.customers(limit: 0).isEmpty)
        }
    }

    @Test mutating func providersStandUnderThePlatformOrUnderAProvider() throws {
        let parent = make.id()
        let child = make.id()
        let top = Provider.with {
            $0.id = parent.data
            $0.namespace = "top.example"
        }
        let below = Provider.with {
            $0.id = child.data
            $0.parentID = parent.data
            $0.namespace = "below.example"
        }
        try fixture.record(.providerCreated(.with { $0.provider = top }), parent)
        try fixture.record(.providerCreated(.with { $0.provider = below }), child)
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.providers(under: nil, limit: 10) == [top])
            #expect(try views.providers(under: ProviderID(parent), limit: 10) == [below])
            #expect(try views.provider(namespace: "below.example") == below)
            #expect(try views.provider(namespace: "") == nil)
        }
    }

    @Test mutating func aTokenIsFoundByItsSecretUntilItIsRevoked() throws {
        let id = make.id()
        let token = Token.with {
            $0.id = id.data
            $0.secretHash = Data(repeating: 7, count: 32)
        }
        try fixture.record(.tokenIssued(.with { $0.token = token }), id)
        let hash = [UInt8](repeating: 7, count: 32)
        #expect(try fixture.ask { v throws(ViewsError) in try v.token(secretHash: hash) } == token)
        #expect(try fixture.ask { v throws(ViewsError) in try v.token(secretHash: []) } == nil)
        try fixture.record(.tokenRevoked(.with { $0.tokenID = id.data }), id)
        #expect(try fixture.ask { v throws(ViewsError) in try v.token(secretHash: hash) } == nil)
        #expect(try fixture.ask { v throws(ViewsError) in try v.token(TokenID(id)) } == nil)
    }

    @Test mutating func workersAreListedByName() throws {
        let stream = make.id()
        for name in ["signal2", "media1", "signal1"] {
            try fixture.record(.workerEnrolled(.with { $0.worker.name = name }), stream)
        }
        try fixture.record(.workerRevoked(.with { $0.name = "signal2" }), stream)
        #expect(
            try fixture.ask { v throws(ViewsError) in try v.workers(limit: 10) }.map(\.name) == ["media1", "signal1"])
        #expect(try fixture.ask { v throws(ViewsError) in try v.worker("signal2") } == nil)
    }
}

import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

@Suite struct NumberTests {
    private let town: Town
    private let customer: CustomerID

    init() throws {
        town = try Town()
        customer = try #require(CustomerID(town.customer.id))
    }

    private func add(_ e164: String) throws -> NumberID {
        let outcome = try town.platform.admin(
            .addNumber(
                .with {
                    $0.providerID = town.provider.id
                    $0.e164 = e164
                }))
        return NumberID(outcome.id)
    }

    private func number(_ id: NumberID) throws -> Number {
        try #require(try town.platform.read { views throws(ViewsError) in try views.number(id) })
    }

    private func state(_ id: NumberID) throws -> NumberState { try number(id).state(at: town.platform.wall) }

    private func refusal(_ command: AdminCommand) -> AdminRejection? {
        do {
            try town.platform.admin(command)
            return nil
        } catch {
            return error as? AdminRejection
        }
    }

    private func assign(_ id: NumberID, _ subscriber: Subscriber) -> AdminCommand {
        .assignNumber(id, to: SubscriberID(subscriber.id)!, expectedVersion: nil)
    }

    // MARK: - ranges

    @Test func aRangeComesWholeOrNotAtAll() throws {
        let block = try NumberBlock(first: "+12095550100", count: 100)
        #expect(block.last.description == "+12095550199")
        var template = Number()
        template.providerID = town.provider.id
        template.priceMicros = 1_000_000
        template.source = "AWS"
        template.voice = true
        let head = town.platform.head
        let outcome = try town.platform.admin(.addNumbers(block, like: template))
        #expect(try town.platform.types(after: head) == Array(repeating: "number.added", count: 100))
        let first = try number(NumberID(outcome.id))
        #expect(first.e164 == "+12095550100" && first.rangeLast == "+12095550199" && first.priceMicros == 1_000_000)
        // One of the next range is there already.
        let before = town.platform.head
        let overlapping = try NumberBlock(first: "+12095550150", last: "+12095550249")
        #expect(refusal(.addNumbers(overlapping, like: template)) == .taken("first", "+12095550150"))
        #expect(town.platform.head == before)
        let all = try town.platform.read { views throws(ViewsError) in
            try views.numbers(of: ProviderID(town.provider.id)!, limit: 1_000)
        }
        #expect(all.count == 101)
    }

    @Test(arguments: [
        ("+12095550100", "+1209555019"), ("+12095550100", "+12095550099"), ("+12095550100", "+12095560100"), ("2095550100", "+12095550199"),
        ("+12095550100", "12095550199"), ("+0209555", "+0209556"),
    ])
    func aRangeThatIsNoneIsRefused(first: String, last: String) {
        #expect(throws: NumberBlock.Malformed.self) { _ = try NumberBlock(first: first, last: last) }
    }

    @Test func aRangeThatRunsOutOfDigitsIsRefused() throws {
        #expect(throws: NumberBlock.Malformed.self) { _ = try NumberBlock(first: "+99999", count: 2) }
        #expect(throws: NumberBlock.Malformed.self) { _ = try NumberBlock(first: "+12095550100", count: 0) }
        #expect(throws: NumberBlock.Malformed.self) { _ = try NumberBlock(first: "+12095550100", count: 10_001) }
        #expect(try NumberBlock(first: "+12095550100", count: 10_000).numbers.reduce(0) { sum, _ in sum + 1 } == 10_000)
    }

    @Test func aRangeOutsideOfTheInventoryIsNotReserved() throws {
        let block = try NumberBlock(first: "+12095550100", count: 10)
        try town.platform.admin(.addNumbers(block, like: .with { $0.providerID = town.provider.id }))
        let larger = try NumberBlock(first: "+12095550100", count: 11)
        let provider = ProviderID(town.provider.id)!
        let reservation = NumberReservation(customer: customer)
        let head = town.platform.head
        let refused = refusal(.reserveNumbers(larger, of: provider, reservation))
        #expect(refused?.reason.contains("+12095550110 is outside of the provider's numbers") == true, "\(String(describing: refused))")
        #expect(town.platform.head == head)
        try town.platform.admin(.reserveNumbers(block, of: provider, reservation))
        try town.platform.admin(.freeNumbers(block, of: provider))
    }

    // MARK: - states

    @Test func aReservedNumberIsItsCustomersAlone() throws {
        let id = try add("+12095550100")
        #expect(try state(id) == .available)
        try town.platform.admin(.reserveNumber(id, NumberReservation(customer: customer), expectedVersion: nil))
        #expect(try state(id) == .reserved)
        #expect(try number(id).customerID == town.customer.id)
        let other = try town.create(.with { new in
            new = town.customer
            new.id = Data()
            new.name = "Other"
        }, AdminCommand.createCustomer)
        let tenant = try town.create(.with { new in
            new.customerID = other.id
            new.name = "Other"
            new.domain = "other.kages.example"
        }, AdminCommand.createTenant)
        let stranger = try town.create(Subscriber.with {
            $0.tenantID = tenant.id
            $0.username = "eve"
        }) { .createSubscriber($0, password: Password("correct horse")) }
        #expect(refusal(assign(id, stranger))?.reason.contains("reserved for somebody else") == true)
        try town.platform.admin(assign(id, town.alice))
        #expect(try state(id) == .assigned)
        #expect(try number(id).tenantID == town.tenant.id)
        #expect(refusal(.reserveNumber(id, NumberReservation(), expectedVersion: nil))?.status == 409)
        #expect(refusal(.freeNumber(id, expectedVersion: nil))?.status == 409)
        #expect(refusal(assign(id, town.bob)) == .inUse(reason: "+12095550100 is assigned already: release it first"))
        // Back to the reservation, which has not ended.
        try town.platform.admin(.releaseNumber(id, expectedVersion: nil))
        #expect(try state(id) == .reserved)
        #expect(try number(id).tenantID.isEmpty)
        try town.platform.admin(.freeNumber(id, expectedVersion: nil))
        #expect(try state(id) == .available)
        #expect(try number(id).customerID.isEmpty)
        #expect(refusal(.freeNumber(id, expectedVersion: nil))?.status == 409)
    }

    @Test func aReservationEndsByItself() throws {
        let id = try add("+12095550100")
        let until = town.platform.wall + .seconds(3_600)
        let other = NumberReservation(customer: customer, until: until)
        try town.platform.admin(.reserveNumber(id, other, expectedVersion: nil))
        #expect(try number(id).state(at: until) == .available)
        #expect(refusal(.reserveNumber(id, NumberReservation(until: town.platform.wall), expectedVersion: nil))?.field == "until")
        let head = town.platform.head
        town.platform.advance(.seconds(3_600))
        #expect(try state(id) == .available)
        #expect(town.platform.head == head)
        try town.platform.admin(assign(id, town.bob))
        #expect(try number(id).hold == .none)
        #expect(try number(id).reservedCustomerID.isEmpty)
    }

    @Test func aReleasedNumberRestsAsItsProviderWants() throws {
        var provider = town.provider
        provider.numberQuarantineDays = 30
        try town.platform.admin(.changeProvider(provider, expectedVersion: nil))
        let id = NumberID(town.number.id)!
        try town.platform.admin(.releaseNumber(id, expectedVersion: nil))
        #expect(try state(id) == .quarantined)
        let refused = refusal(assign(id, town.alice))
        #expect(refused?.reason.contains("quarantined until 2026-12-21T12:00:00") == true, "\(String(describing: refused))")
        #expect(refusal(.reserveNumber(id, NumberReservation(), expectedVersion: nil))?.status == 409)
        town.platform.advance(.seconds(30 * 86_400 - 1))
        #expect(try state(id) == .quarantined)
        town.platform.advance(.seconds(1))
        #expect(try state(id) == .available)
        try town.platform.admin(assign(id, town.alice))
        // Whoever releases may say otherwise, and a quarantine can be ended.
        try town.platform.admin(.releaseNumber(id, .quarantined(days: 0), expectedVersion: nil))
        #expect(try state(id) == .available)
        try town.platform.admin(assign(id, town.alice))
        try town.platform.admin(.releaseNumber(id, .quarantined(days: 1), expectedVersion: nil))
        try town.platform.admin(.freeNumber(id, expectedVersion: nil))
        #expect(try state(id) == .available)
        #expect(refusal(.releaseNumber(id, expectedVersion: nil))?.field == "subscriber_id")
    }

    @Test func aNumberOfARemovedSubscriberRestsToo() throws {
        var provider = town.provider
        provider.numberQuarantineDays = 7
        try town.platform.admin(.changeProvider(provider, expectedVersion: nil))
        try town.platform.admin(.remove(.subscriber, UUIDv7(bytes: town.bob.id)!, expectedVersion: nil))
        #expect(try state(NumberID(town.number.id)!) == .quarantined)
        #expect(try number(NumberID(town.number.id)!).customerID.isEmpty)
    }

    @Test func aQuarantinedNumberDoesNotRing() throws {
        try town.register(town.bob, contact: "sip:bob")
        try town.platform.admin(.releaseNumber(NumberID(town.number.id)!, .quarantined(days: 1), expectedVersion: nil))
        let reply = try town.platform.desk("s1", town.inboundRequest(town.newCall(), to: "2092488701"))
        #expect(reply.callRefused.refusal == .unknownNumber)
    }

    @Test func whatANumberIsCanBeChangedAndNotWhoseItIs() throws {
        var changed = try number(NumberID(town.number.id)!)
        changed.source = "carrier"
        changed.subscriberID = town.alice.id
        changed.hold = .quarantined
        changed.reservedCustomerID = Data(UUIDv7(high: 1, low: 1).bytes)
        try town.platform.admin(.changeNumber(changed, expectedVersion: nil))
        let after = try number(NumberID(town.number.id)!)
        #expect(after.source == "carrier" && after.subscriberID == town.bob.id && after.hold == .none)
        #expect(after.reservedCustomerID.isEmpty)
    }

    /// Any order of commands: a number has one state, and only one of the transitions that are drawn is made.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func onlyTransitionsThatAreDrawnHappen(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let id = try add("+12095550100")
        for step in 0..<300 {
            let before = try state(id)
            let command: AdminCommand
            let allowed: [NumberState]
            switch Int.random(in: 0..<5, using: &random) {
            case 0: (command, allowed) = (assign(id, Bool.random(using: &random) ? town.alice : town.bob), [.available, .reserved])
            case 1: (command, allowed) = (.releaseNumber(id, .quarantined(days: UInt32.random(in: 0...2, using: &random)), expectedVersion: nil), [.assigned])
            case 2:
                let until = Bool.random(using: &random) ? town.platform.wall + .seconds(86_400) : nil
                command = .reserveNumber(id, NumberReservation(customer: customer, until: until), expectedVersion: nil)
                allowed = [.available, .reserved]
            case 3: (command, allowed) = (.freeNumber(id, expectedVersion: nil), [.reserved, .quarantined])
            default:
                town.platform.advance(.seconds(Int64.random(in: 0...86_400, using: &random)))
                continue
            }
            let refused = refusal(command)
            #expect((refused == nil) == allowed.contains(before), "seed \(seed), step \(step): \(before), \(String(describing: refused))")
            if refused != nil { #expect(try state(id) == before, "seed \(seed), step \(step)") }
        }
    }
}

import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Removal of any entity: nothing that is left may refer to it. Its history stays in the log.
enum RemovalDecider {
    static func remove<State: ViewQueries & ~Copyable>(
        _ kind: EntityKind, _ id: UUIDv7, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let noun = try noun(of: kind)
        guard try exists(kind, id, in: state) else { throw AdminRejection.notFound(noun, id.description) }
        if kind != .subscriber, let dependent = try state.firstReferrer(of: id) {
            let user = try self.noun(of: dependent.kind)
            throw AdminRejection.inUse(
                reason: "the \(noun) is used by \(user) \(dependent.id): remove or change that first")
        }
        if kind == .domain, let domain = try state.domain(DomainID(id)), domain.verifiedAt != 0,
            let tenant = try state.tenant(domain: domain.name)
        {
            throw AdminRejection.inUse(
                reason: "tenant \(UUIDv7(bytes: tenant.id)?.description ?? "") has the domain: remove or change that first")
        }
        if kind == .user { try UserDecider.endSessions(of: UserID(id), in: state, &decision) }
        if kind == .customer { try isSettled(CustomerID(id), in: state) }
        if kind == .subscriber {
            for number in try state.numbers(of: SubscriberID(id), limit: .max) {
                let released = try NumberDecider.released(number, .asProviderSays, at: decision.wall, in: state)
                _ = try NumberDecider.record(released, in: state, &decision)
            }
            decision.unbound.append(SubscriberID(id))
            decision.announcements.append(.with { $0.invalidate.subscriberID = SubscriberID(id).data })
        }
        decision.record(
            .entityRemoved(
                .with {
                    $0.kind = kind
                    $0.id = Data(id.bytes)
                }), in: id)
        return id
    }

    private static func isSettled<State: ViewQueries & ~Copyable>(
        _ id: CustomerID, in state: borrowing State
    ) throws {
        guard let customer = try state.customer(id) else { return }
        let account = AccountRef.customer(customer)
        let balance = try state.balance(account)
        guard balance == 0 else {
            throw AdminRejection.inUse(
                reason: "the customer's account is not settled: \(balance) millionths of \(customer.currency)")
        }
    }

    private static func exists<State: ViewQueries & ~Copyable>(
        _ kind: EntityKind, _ id: UUIDv7, in state: borrowing State
    ) throws -> Bool {
        switch kind {
        case .provider: try state.provider(ProviderID(id)) != nil
        case .contact: try state.contact(ContactID(id)) != nil
        case .rateDeck: try state.rateDeck(RateDeckID(id)) != nil
        case .servicePlan: try state.servicePlan(ServicePlanID(id)) != nil
        case .customer: try state.customer(CustomerID(id)) != nil
        case .dialPlan: try state.dialPlan(DialPlanID(id)) != nil
        case .tenant: try state.tenant(TenantID(id)) != nil
        case .carrier: try state.carrier(CarrierID(id)) != nil
        case .number: try state.number(NumberID(id)) != nil
        case .subscriber: try state.subscriber(SubscriberID(id)) != nil
        case .securityGroup: try state.securityGroup(SecurityGroupID(id)) != nil
        case .cdrExport: try state.cdrExport(CdrExportID(id)) != nil
        case .domain: try state.domain(DomainID(id)) != nil
        case .user: try state.user(UserID(id)) != nil
        case .UNRECOGNIZED: false
        }
    }

    private static func noun(of kind: EntityKind) throws -> String {
        switch kind {
        case .provider: "provider"
        case .contact: "contact"
        case .rateDeck: "rate deck"
        case .servicePlan: "service plan"
        case .customer: "customer"
        case .dialPlan: "dial plan"
        case .tenant: "tenant"
        case .carrier: "carrier"
        case .number: "number"
        case .subscriber: "subscriber"
        case .securityGroup: "security group"
        case .cdrExport: "export of call records"
        case .domain: "domain"
        case .user: "user"
        case .UNRECOGNIZED: throw AdminRejection.invalid("kind", "is not a value that this version knows")
        }
    }
}

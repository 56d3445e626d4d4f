import Foundation
import Model
import PhoneNumbers
import Projections
import SwiftProtobuf

/// A subscriber with everything above it: what a call of that line is decided by.
///
/// Made once and kept while no entity changes: every call of a line asks for the same.
final class Line: Sendable {
    let id: SubscriberID
    let subscriber: Subscriber
    let tenantID: TenantID
    let tenant: Tenant
    let customerID: CustomerID
    let customer: Customer
    let plan: ServicePlan
    /// The customer's provider first, then those above it.
    let providers: [Provider]
    let dialPlanID: DialPlanID?
    let carrierID: CarrierID?
    /// The nearest: the line's own, its tenant's, its plan's.
    let securityGroupID: SecurityGroupID?
    /// The configured caller id while it is the customer's, else the first number assigned, else nothing.
    private let ownNumber: String?
    /// The line as a side of a call, without the number.
    private let side: CallParty

    /// nil if the subscriber, or something above it, is gone.
    static func of<State: ViewQueries & ~Copyable>(_ id: SubscriberID, in state: borrowing State) throws(ViewsError) -> Line? {
        guard let entities = state.entities else { return try Line(id, in: state) }
        if let known = entities.made(Line.self, id.value, state.keys) { return known }
        guard let line = try Line(id, in: state) else { return nil }
        if entities.keepsLines { entities.keep(line, id.value) }
        return line
    }

    private init?<State: ViewQueries & ~Copyable>(_ id: SubscriberID, in state: borrowing State) throws(ViewsError) {
        guard let subscriber = try state.subscriber(id),
            let tenantID = TenantID(subscriber.tenantID), let tenant = try state.tenant(tenantID),
            let customerID = CustomerID(tenant.customerID), let customer = try state.customer(customerID),
            let planID = ServicePlanID(customer.servicePlanID), let plan = try state.servicePlan(planID)
        else { return nil }
        var providers: [Provider] = []
        var next = ProviderID(customer.providerID)
        // The bound is a guard against a loop, which the decider of providers does not let arise.
        while let id = next, providers.count < 32 {
            guard let provider = try state.provider(id) else { return nil }
            providers.append(provider)
            next = ProviderID(provider.parentID)
        }
        guard !providers.isEmpty else { return nil }
        self.id = id
        self.subscriber = subscriber
        self.tenantID = tenantID
        self.tenant = tenant
        self.customerID = customerID
        self.customer = customer
        self.plan = plan
        self.providers = providers
        dialPlanID = DialPlanID(tenant.dialPlanID) ?? DialPlanID(plan.dialPlanID)
        carrierID = CarrierID(tenant.carrierID) ?? CarrierID(plan.carrierID)
        securityGroupID = SecurityGroupID(subscriber.securityGroupID) ?? SecurityGroupID(tenant.securityGroupID) ?? SecurityGroupID(plan.securityGroupID)
        side = .with {
            $0.subscriberID = subscriber.id
            $0.tenantID = tenant.id
            $0.customerID = customer.id
            $0.providerID = providers[0].id
        }
        let isOwn = try Line.isOf(customerID, subscriber.callerID, in: state)
        ownNumber = isOwn ? subscriber.callerID : try state.numbers(of: id, limit: 1).first?.e164
    }

    /// Whether a number may be shown for lines of the customer: the setting stays when one of the inventory goes to somebody else.
    private static func isOf<State: ViewQueries & ~Copyable>(_ customer: CustomerID, _ e164: String, in state: borrowing State) throws(ViewsError) -> Bool {
        guard !e164.isEmpty else { return false }
        guard let number = try state.number(e164: e164) else { return true }
        guard let id = SubscriberID(number.subscriberID), let holder = try state.subscriber(id), let tenantID = TenantID(holder.tenantID) else { return false }
        return try state.tenant(tenantID)?.customerID == customer.data
    }

    var provider: Provider { providers[0] }

    /// The gravest of its own and of those above it.
    var status: Status {
        providers.reduce(subscriber.status.worse(tenant.status).worse(customer.status)) { $0.worse($1.status) }
    }

    /// Whether it and each of those above it let it happen: a line that is being set up is not made one that may call for help because
    /// its customer is locked.
    func allows(_ activity: PartyActivity) -> Bool {
        subscriber.status.allows(activity) && tenant.status.allows(activity) && customer.status.allows(activity)
            && providers.allSatisfy { $0.status.allows(activity) }
    }

    /// The nearest that is set; empty: none is.
    var language: String {
        [subscriber.language, tenant.language, customer.language].first { !$0.isEmpty } ?? provider.language
    }

    var countryCode: String { subscriber.countryCode.isEmpty ? tenant.countryCode : subscriber.countryCode }
    var areaCode: String { subscriber.areaCode.isEmpty ? tenant.areaCode : subscriber.areaCode }
    func securityGroup<State: ViewQueries & ~Copyable>(in state: borrowing State) throws -> SecurityGroup? {
        guard let id = securityGroupID else { return nil }
        return try state.securityGroup(id)
    }

    var gateCaller: CallGate.Caller {
        CallGate.Caller(line: id, customer: customerID, allowedPrefixes: subscriber.allowedPrefixes)
    }
    /// Where the caller is, for the numbers that are dialled there alone.
    var region: Region? { PhoneNumbers.region(countryCode: countryCode, areaCode: areaCode) }
    /// How long its own phones ring.
    var ringSeconds: UInt32 { subscriber.dialTimeoutSeconds == 0 ? Line.ringSecondsUsual : subscriber.dialTimeoutSeconds }
    /// Of lines that say nothing, and of whoever is called outside.
    static let ringSecondsUsual: UInt32 = 60

    /// What colleagues dial.
    var extensionNumber: String { subscriber.aliases.first ?? subscriber.username }

    /// What the outside sees: the configured caller id while it is the customer's, else the first number assigned, else nothing.
    /// - Parameter claimed: user of From. A telephone system says which of the line's numbers calls.
    func outsideNumber<State: ViewQueries & ~Copyable>(claimed: String = "", in state: borrowing State) throws -> String? {
        if subscriber.trunk.isTrunk, !claimed.isEmpty {
            let plain = withoutSeparators(String(claimed.prefix(32)))
            for e164 in [plain, "+" + plain, "+" + countryCode + plain] where isE164(e164) {
                if let number = try state.number(e164: e164), number.subscriberID == subscriber.id { return e164 }
            }
        }
        return ownNumber
    }

    func party(number: String) -> CallParty {
        var party = side
        party.number = number
        return party
    }
}

import Model
import Primitives
import Projections
import SwiftProtobuf

/// Customers: a contract with one provider, in that provider's currency.
enum CustomerDecider {
    /// - Parameter contact: made with it, in the same commit.
    static func create<State: ViewQueries & ~Copyable>(
        _ customer: Customer, contact: Contact? = nil, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var customer = customer
        let id = try Checks.newID(customer.id, &decision)
        guard try state.customer(CustomerID(id)) == nil, try !SubjectDecider.isErased(id, in: state) else {
            throw AdminRejection.taken("id", id.description)
        }
        customer.id = CustomerID(id).data
        let provider = try Ownership.provider(customer.providerID, in: state)
        if customer.currency.isEmpty { customer.currency = provider.currency }
        guard customer.currency == provider.currency else {
            throw AdminRejection.invalid("currency", "the provider's currency is \(provider.currency)")
        }
        try StatusDecider.check(customer.status, after: nil)
        try StatusDecider.notTerminated(provider.status, field: "provider_id")
        try check(customer, id, in: state)
        if let contact {
            let made = try ContactDecider.make(contact, of: customer.providerID, &decision)
            customer.contactID = made.id
            decision.record(.contactCreated(.with { $0.contact = made }), in: try Checks.existingID(made.id))
        }
        decision.record(.customerCreated(.with { $0.customer = customer }), in: id)
        return id
    }

    static func change<State: ViewQueries & ~Copyable>(
        _ customer: Customer, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(customer.id)
        guard let before = try state.customer(CustomerID(id)) else {
            throw AdminRejection.notFound("customer", id.description)
        }
        try Checks.unchanged(customer.providerID, before.providerID, field: "provider_id")
        try Checks.unchanged(customer.currency, before.currency, field: "currency")
        let isErased = try SubjectDecider.isErased(id, in: state)
        if isErased { try SubjectDecider.refusePersonal(customer, "customer") }
        try StatusDecider.check(customer.status, after: before.status)
        try check(customer, id, isErased: isErased, in: state)
        if customer.status == .terminated, before.status != .terminated {
            try StatusDecider.release(.customer, id, in: state, &decision)
        }
        decision.record(.customerChanged(.with { $0.customer = customer }), in: id)
        if customer.status != before.status { decision.announcements.append(.with { $0.invalidate.everything = true }) }
        return id
    }

    private static func check<State: ViewQueries & ~Copyable>(
        _ customer: Customer, _ id: UUIDv7, isErased: Bool = false, in state: borrowing State
    ) throws {
        // An erased customer's account goes on: it is paid off, blocked, closed.
        if !isErased { try Checks.name(customer.name) }
        try Checks.externalID(customer.externalID, .customer, id, below: customer.providerID, in: state)
        if !customer.timeZone.isEmpty { try Checks.timeZone(customer.timeZone) }
        try Checks.language(customer.language)
        try Checks.shortText(customer.email, field: "email")
        try ContactDecider.email(customer.email, field: "email")
        try Checks.vatRate(customer.vatBasisPoints)
        try Checks.recognised(customer.vatTreatment.isRecognised, field: "vat_treatment")
        try Checks.recognised(customer.invoiceMail.isRecognised, field: "invoice_mail")
        try Checks.contact(customer.contactID, of: customer.providerID, in: state)
        let planID = ServicePlanID(try Checks.reference(customer.servicePlanID, field: "service_plan_id"))
        guard let plan = try state.servicePlan(planID), plan.providerID == customer.providerID else {
            throw AdminRejection.unknownReference("service_plan_id", planID.description)
        }
    }
}

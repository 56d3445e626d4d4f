import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Contacts: who is behind a contract, reused by several entities of one provider.
enum ContactDecider {
    static func create<State: ViewQueries & ~Copyable>(
        _ contact: Contact, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var contact = contact
        let id = try Checks.newID(contact.id, &decision)
        guard try state.contact(ContactID(id)) == nil, try !SubjectDecider.isErased(id, in: state) else {
            throw AdminRejection.taken("id", id.description)
        }
        contact.id = ContactID(id).data
        let provider = ProviderID(try Checks.reference(contact.providerID, field: "provider_id"))
        guard try state.provider(provider) != nil else {
            throw AdminRejection.unknownReference("provider_id", provider.description)
        }
        try check(contact)
        decision.record(.contactCreated(.with { $0.contact = contact }), in: id)
        return id
    }

    /// A new contact of a provider that is there, or is being made.
    static func make(_ contact: Contact, of provider: Data, _ decision: inout Decision) throws -> Contact {
        var contact = contact
        contact.id = ContactID(decision.newID()).data
        contact.providerID = provider
        try check(contact)
        return contact
    }

    static func change<State: ViewQueries & ~Copyable>(
        _ contact: Contact, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(contact.id)
        guard let before = try state.contact(ContactID(id)) else {
            throw AdminRejection.notFound("contact", id.description)
        }
        try Checks.unchanged(contact.providerID, before.providerID, field: "provider_id")
        let isErased = try SubjectDecider.isErased(id, in: state)
        if isErased { try SubjectDecider.refusePersonal(contact, "contact") }
        try check(contact, after: before, isErased: isErased)
        decision.record(.contactChanged(.with { $0.contact = contact }), in: id)
        return id
    }

    private static func check(_ contact: Contact, after before: Contact? = nil, isErased: Bool = false) throws {
        guard isErased || !contact.name.isEmpty || !contact.company.isEmpty else {
            throw AdminRejection.invalid("name", "a contact has a name or a company")
        }
        try Checks.shortText(contact.name, field: "name")
        try Checks.shortText(contact.company, field: "company")
        try Checks.shortText(contact.email, field: "email")
        try Checks.shortText(contact.phone, field: "phone")
        try Checks.shortText(contact.street, field: "street")
        try Checks.shortText(contact.postalCode, field: "postal_code")
        try Checks.shortText(contact.city, field: "city")
        try email(contact.email, field: "email")
        try Checks.language(contact.language)
        // One that an older release took stays until somebody touches it.
        let isNew = contact.vatNumber != before?.vatNumber || contact.country != before?.country
        if isNew, !contact.vatNumber.isEmpty, let fault = VATNumber.fault(contact.vatNumber, country: contact.country) {
            throw AdminRejection.invalid("vat_number", fault)
        }
        guard
            contact.country.isEmpty
                || contact.country.utf8.count == 2 && contact.country.utf8.allSatisfy({ (0x41...0x5A).contains($0) })
        else { throw AdminRejection.invalid("country", "must be an ISO 3166-1 code of two letters, such as AT") }
    }

    /// One `@` with something on each side; more is only known by sending a message.
    static func email(_ text: String, field: String) throws {
        guard !text.isEmpty else { return }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), !text.contains(" ") else {
            throw AdminRejection.invalid(field, "must be an e-mail address, such as anna@example.net")
        }
    }
}

import ControlPlane
import Foundation
import Model

/// What whoever signs up fills in. Which of it counts depends on what the link is for.
struct SignUpDraft: Blank {
    var token = ""
    var name = ""
    var password: Password?
    var organisation = ""
    var provider = Provider()
    var contact = Contact()
    var planID = Data()
}

extension Shape<SignUpDraft> {
    static let signUp = Shape(
        "SignUpConfirmation",
        [
            .text("token", \.token, isRequired: true, max: 128, "What the link in the mail ends with."),
            .text("name", \.name, isRequired: true, "Full name of the person."),
            .newPassword("password", \.password),
            .text("organisation", \.organisation, "What the provider or customer is called; empty: its namespace, or the person's name."),
            .text("namespace", \.provider.namespace, max: 253, "Of a provider: the domain under which its tenants live."),
            .text("currency", \.provider.currency, max: 3, "Of a provider: ISO 4217 code of all of its amounts."),
            .text("time_zone", \.provider.timeZone, max: 64, "Of a provider: IANA name; UTC if it is not given."),
            .reference("plan_id", \.planID, "One of those that GET /v1/sign-up/offers names."),
            .text("contact_name", \.contact.name, "Whom announcements and warnings go to; empty: the person who signs up."),
            .text("contact_email", \.contact.email, "Empty: the confirmed address."),
            .text("phone", \.contact.phone, "For people; in any form."),
            .text("street", \.contact.street, "Street and house."),
            .text("postal_code", \.contact.postalCode, "Postal code."),
            .text("city", \.contact.city, "City."),
            .text("country", \.contact.country, max: 2, "ISO 3166-1 code of two letters."),
            .text("vat_number", \.contact.vatNumber, max: 18, "With the country before it."),
            .text("theme_product_name", \.provider.brand.productName, "Of a provider: what its service is called."),
            .text("theme_logo_url", \.provider.brand.logoURL, "Of a provider: https://…"),
            .text("theme_primary_color", \.provider.brand.primaryColor, max: 7, "Of a provider: #rrggbb."),
            .text("theme_secondary_color", \.provider.brand.secondaryColor, max: 7, "Of a provider: #rrggbb."),
        ])
}

extension Field {
    /// A password that a person chooses.
    static func newPassword(_ name: String, _ path: Path<Password?>) -> Field {
        Field(
            name, path, .writeOnly, isRequired: true,
            schema: [
                "type": "string", "minLength": .integer(PasswordHash.charactersMin), "maxLength": .integer(PasswordHash.bytesMax),
                "format": "password",
            ], about: "A salted hash of it is kept, sealed; it is never shown.",
            read: { _, _ in .null },
            write: { value, draft, _, pointer, faults in
                guard let text = value.text else { return faults.add(pointer, "must be a string") }
                draft[keyPath: path] = Password(text)
            })
    }
}

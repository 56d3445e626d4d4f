import ControlPlane
import Model
import Primitives
import Projections

enum Contacts: ChangeableResource {
    static let kind = EntityKind.contact
    static let noun = "contact"
    static let segment = "contacts"
    static let rights = ResourceRights(write: .writeParties)
    static let shape = Shape<Contact>.contact

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> Contact? {
        try views.contact(ContactID(id))
    }

    static func all(after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Contact] {
        try views.contacts(after: id.map(ContactID.init), limit: limit)
    }

    static func id(of contact: Contact) -> UUIDv7? { UUIDv7(bytes: contact.id) }

    static func place(of contact: Contact, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(provider: contact.providerID)
    }

    static func references(of contact: Contact, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference] {
        [Reference("provider_id", .provider, UUIDv7(bytes: contact.providerID))]
    }

    static func create(_ contact: Contact) -> AdminCommand { .createContact(contact) }

    static func change(_ contact: Contact, expectedVersion: UInt64?) -> AdminCommand {
        .changeContact(contact, expectedVersion: expectedVersion)
    }
}

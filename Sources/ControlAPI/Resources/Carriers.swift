import ControlPlane
import Model
import Primitives
import Projections

enum Carriers: ChangeableResource {
    static let kind = EntityKind.carrier
    static let noun = "carrier"
    static let segment = "carriers"
    static let rights = ResourceRights(write: .writeNetwork)
    static let shape = Shape<Carrier>.carrier

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> Carrier? {
        try views.carrier(CarrierID(id))
    }

    static func all(after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Carrier] {
        try views.carriers(after: id.map(CarrierID.init), limit: limit)
    }

    static func id(of carrier: Carrier) -> UUIDv7? { UUIDv7(bytes: carrier.id) }

    static func place(of carrier: Carrier, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(provider: carrier.providerID)
    }

    static func references(of carrier: Carrier, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference] {
        [
            Reference("provider_id", .provider, UUIDv7(bytes: carrier.providerID)),
            Reference("contact_id", .contact, UUIDv7(bytes: carrier.contactID)),
            Reference("cost_deck_id", .rateDeck, UUIDv7(bytes: carrier.costDeckID)),
        ]
    }

    static func create(_ carrier: Carrier) -> AdminCommand { .createCarrier(carrier) }

    static func change(_ carrier: Carrier, expectedVersion: UInt64?) -> AdminCommand {
        .changeCarrier(carrier, expectedVersion: expectedVersion)
    }
}

import ControlPlane
import Model
import Primitives
import Projections

enum Providers: ChangeableResource {
    static let kind = EntityKind.provider
    static let noun = "provider"
    static let segment = "providers"
    static let rights = ResourceRights(write: .writeParties)
    static let shape = Shape<Provider>.provider
    static let keys = [
        QueryParameter("namespace", .text, "Only the one with this namespace."),
        QueryParameter("external_id", .text, "Only those with this number in another system."),
    ]

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> Provider? {
        try views.provider(ProviderID(id))
    }

    static func lookUp(_ query: Query, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Provider]? {
        if let number = query.text("external_id") { return try found(number, in: views) }
        guard let namespace = query.text("namespace") else { return nil }
        return try views.provider(namespace: namespace).map { [$0] } ?? []
    }

    static func all(after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Provider] {
        try views.providers(after: id.map(ProviderID.init), limit: limit)
    }

    static func id(of provider: Provider) -> UUIDv7? { UUIDv7(bytes: provider.id) }

    static func place(of provider: Provider, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(of: provider)
    }

    /// A provider is changed from above: its name space, its state and what it is charged are not its own to set.
    static func placeToChange(_ provider: Provider, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(provider: provider.parentID)
    }

    static func references(of provider: Provider, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference] {
        [
            Reference("parent_id", .provider, UUIDv7(bytes: provider.parentID)),
            Reference("contact_id", .contact, UUIDv7(bytes: provider.contactID)),
            Reference("service_plan_id", .servicePlan, UUIDv7(bytes: provider.servicePlanID)),
            Reference("inbound_wholesale_deck_id", .rateDeck, UUIDv7(bytes: provider.inboundWholesaleDeckID)),
            Reference("on_net_wholesale_deck_id", .rateDeck, UUIDv7(bytes: provider.onNetWholesaleDeckID)),
            Reference("wholesale_deck_id", .rateDeck, UUIDv7(bytes: provider.wholesaleDeckID)),
        ]
    }

    static func create(_ provider: Provider) -> AdminCommand { .createProvider(provider) }

    static func change(_ provider: Provider, expectedVersion: UInt64?) -> AdminCommand {
        .changeProvider(provider, expectedVersion: expectedVersion)
    }
}

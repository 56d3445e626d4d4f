import ControlPlane
import Model
import Primitives
import Projections

enum Numbers: ChangeableResource {
    static let kind = EntityKind.number
    static let noun = "number"
    static let segment = "numbers"
    static let rights = ResourceRights(write: .writeNetwork)
    static let shape = Shape<Number>.number
    static let keys = [QueryParameter("e164", .text, "Only this number, with +.")]

    static func levels(below node: EntityKind) -> [EntityKind]? {
        switch node {
        case .provider: [.number]
        case .customer, .tenant: [.number]
        case .subscriber: [.number]
        case .contact, .rateDeck, .servicePlan, .dialPlan, .carrier, .number, .securityGroup, .cdrExport, .domain, .user, .UNRECOGNIZED: nil
        }
    }

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> Number? {
        try views.number(NumberID(id))
    }

    static func lookUp(_ query: Query, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Number]? {
        guard let e164 = query.text("e164") else { return nil }
        return try views.number(e164: e164).map { [$0] } ?? []
    }

    static func all(after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Number] {
        try views.numbers(after: id.map(NumberID.init), limit: limit)
    }

    static func id(of number: Number) -> UUIDv7? { UUIDv7(bytes: number.id) }

    static func place(of number: Number, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(of: number)
    }

    /// A number is its provider's, whoever has it.
    static func placeToChange(_ number: Number, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(provider: number.providerID)
    }

    static func currency(of number: Number, in views: borrowing ViewSnapshot) throws(ViewsError) -> Currency? {
        try views.currency(provider: number.providerID)
    }

    static func context(of number: Number, in views: borrowing ViewSnapshot) throws(ViewsError) -> FieldContext {
        FieldContext(currency: try currency(of: number, in: views), time: try views.timeAsOf ?? .now)
    }

    static func references(of number: Number, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference] {
        [
            Reference("provider_id", .provider, UUIDv7(bytes: number.providerID)),
            Reference("carrier_id", .carrier, UUIDv7(bytes: number.carrierID)),
        ]
    }

    static func create(_ number: Number) -> AdminCommand { .addNumber(number) }

    static func change(_ number: Number, expectedVersion: UInt64?) -> AdminCommand {
        .changeNumber(number, expectedVersion: expectedVersion)
    }
}

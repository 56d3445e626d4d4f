import Model
import PhoneNumbers

// Members of a number that depend on when it is asked, or on its country's numbering plan.
extension Field<Number> {
    static let country = shown(
        "country", Schema.orNull(Schema.text(max: 2)), "Of whose numbering plan it is; null: of none that is known.",
        read: { (number: Number, _: FieldContext) -> JSON in
            guard let region = PhoneNumbers.facts(of: number.e164)?.region else { return .null }
            return .string(region.code)
        })

    static let state = shown(
        "state", Schema.choice(NumberState.allCases.map(\.rawValue)), "Whether it can be had.",
        read: { (number: Number, context: FieldContext) -> JSON in .string(number.state(at: context.time).rawValue) })

    static let until = shown(
        "until", Schema.orNull(Schema.time), "When the reservation or the quarantine ends by itself.",
        read: { (number: Number, context: FieldContext) -> JSON in
            guard number.isHeld(at: context.time) else { return .null }
            return JSON.time(microseconds: number.holdUntil)
        })

    static let reservedCustomer = shown(
        "reserved_customer_id", Schema.orNull(Schema.uuid), "For whom it is reserved, also while it is assigned.",
        read: { (number: Number, context: FieldContext) -> JSON in
            guard number.isHeld(at: context.time) else { return .null }
            return JSON.id(number.reservedCustomerID)
        })

    static let reservedTenant = shown(
        "reserved_tenant_id", Schema.orNull(Schema.uuid), "The tenant for which it is reserved, also while it is assigned.",
        read: { (number: Number, context: FieldContext) -> JSON in
            guard number.isHeld(at: context.time) else { return .null }
            return JSON.id(number.reservedTenantID)
        })
}

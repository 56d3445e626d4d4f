import ControlPlane
import Model
import Primitives
import Projections

enum Subscribers: ChangeableResource {
    static let kind = EntityKind.subscriber
    static let noun = "subscriber"
    static let segment = "subscribers"
    static let rights = ResourceRights(write: .writeSubscribers, change: .changeSubscribers)
    static let shape = Shape<SubscriberDraft>.subscriber
    static let keys = [QueryParameter("external_id", .text, "Only those with this number in another system.")]

    static func levels(below node: EntityKind) -> [EntityKind]? {
        switch node {
        case .provider: [.customer, .tenant, .subscriber]
        case .customer: [.tenant, .subscriber]
        case .tenant: [.subscriber]
        case .contact, .rateDeck, .servicePlan, .dialPlan, .carrier, .number, .subscriber, .securityGroup, .cdrExport, .domain, .user, .UNRECOGNIZED: nil
        }
    }

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> SubscriberDraft? {
        try views.subscriber(SubscriberID(id)).map { SubscriberDraft($0) }
    }

    static func lookUp(_ query: Query, in views: borrowing ViewSnapshot) throws(ViewsError) -> [SubscriberDraft]? {
        guard let number = query.text("external_id") else { return nil }
        return try found(number, in: views)
    }

    static func all(
        after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot
    ) throws(ViewsError) -> [SubscriberDraft] {
        try views.subscribers(after: id.map(SubscriberID.init), limit: limit).map { SubscriberDraft($0) }
    }

    static func id(of draft: SubscriberDraft) -> UUIDv7? { UUIDv7(bytes: draft.entity.id) }

    static func place(of draft: SubscriberDraft, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(of: draft.entity)
    }

    static func references(of draft: SubscriberDraft, in views: borrowing ViewSnapshot) throws(ViewsError)
        -> [Reference]
    {
        var references = [
            Reference("tenant_id", .tenant, UUIDv7(bytes: draft.entity.tenantID)),
            Reference("security_group_id", .securityGroup, UUIDv7(bytes: draft.entity.securityGroupID)),
        ]
        // Nobody shows a number to the outside that belongs to another customer.
        if !draft.entity.callerID.isEmpty, let number = try views.number(e164: draft.entity.callerID) {
            references.append(Reference("caller_id", .number, UUIDv7(bytes: number.id)))
        }
        return references
    }

    /// What the person at the phone sets alone.
    static func guarded(_ before: SubscriberDraft, _ after: SubscriberDraft, from caller: Caller) -> String? {
        guard !caller.holds(.writeSubscribers) else { return nil }
        var allowed = before.entity
        allowed.displayName = after.entity.displayName
        allowed.email = after.entity.email
        allowed.dialTimeoutSeconds = after.entity.dialTimeoutSeconds
        allowed.language = after.entity.language
        allowed.timeZone = after.entity.timeZone
        allowed.forwards = after.entity.forwards
        allowed.blocks = after.entity.blocks
        allowed.hours = after.entity.hours
        allowed.doNotDisturb = after.entity.doNotDisturb
        // What reads alike is alike, whether an empty group of settings is there or not.
        if !after.entity.hasForwards { allowed.clearForwards() }
        if !after.entity.hasBlocks { allowed.clearBlocks() }
        if !after.entity.hasHours { allowed.clearHours() }
        guard allowed != after.entity else { return nil }
        let names = (shape.json(before).members ?? []).map(\.name)
        let (old, new) = (shape.json(SubscriberDraft(allowed)), shape.json(SubscriberDraft(after.entity)))
        return names.first { old[$0] != new[$0] } ?? "it"
    }

    static func create(_ draft: SubscriberDraft) -> AdminCommand {
        .createSubscriber(draft.entity, password: draft.password ?? Password(""))
    }

    static func change(_ draft: SubscriberDraft, expectedVersion: UInt64?) -> AdminCommand {
        .changeSubscriber(draft.entity, password: draft.password, expectedVersion: expectedVersion)
    }
}

import Foundation
public import Model
import Primitives
import Subjects
import SwiftProtobuf

/// What the directory has to know of an entity: where it is kept, what finds it, and what it refers to.
protocol DirectoryEntity: Message {
    static var kind: EntityKind { get }
    static var table: Table { get }
    var id: Data { get }
    /// Unique keys, each with what it leads to; asked of an opened entity.
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])]
    /// Puts personal fields back.
    mutating func open(_ keys: SubjectKeys) throws(SubjectKeyError)
    /// Fields that name another entity, by field name; empty ones are left out. `UUIDv7.platform` stands for the platform.
    var references: [(field: String, id: Data)] { get }
}

extension DirectoryEntity {
    mutating func open(_ keys: SubjectKeys) {}
}

extension DirectoryEntity where Self: PersonalRecord {
    mutating func open(_ keys: SubjectKeys) throws(SubjectKeyError) { try keys.open(&self, of: id) }
}

extension Provider: DirectoryEntity {
    static var kind: EntityKind { .provider }
    static var table: Table { .providers }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] {
        (namespace.isEmpty ? [] : [(.providersByNamespace, Key(text: namespace), Array(id))])
            + Key.external(externalID, .provider, id, keys)
    }
    var references: [(field: String, id: Data)] {
        [
            ("parent_id", parentID.isEmpty ? Data(UUIDv7.platform.bytes) : parentID),
            ("wholesale_deck_id", wholesaleDeckID), ("contact_id", contactID), ("service_plan_id", servicePlanID),
            ("inbound_wholesale_deck_id", inboundWholesaleDeckID), ("on_net_wholesale_deck_id", onNetWholesaleDeckID),
        ]
    }
}

extension Contact: DirectoryEntity {
    static var kind: EntityKind { .contact }
    static var table: Table { .contacts }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] { [] }
    var references: [(field: String, id: Data)] { [("provider_id", providerID)] }
}

extension RateDeck: DirectoryEntity {
    static var kind: EntityKind { .rateDeck }
    static var table: Table { .rateDecks }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] { [] }
    var references: [(field: String, id: Data)] { [("provider_id", providerID)] }
}

extension ServicePlan: DirectoryEntity {
    static var kind: EntityKind { .servicePlan }
    static var table: Table { .servicePlans }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] { [] }
    var references: [(field: String, id: Data)] {
        [
            ("provider_id", providerID), ("rate_deck_id", rateDeckID), ("dial_plan_id", dialPlanID),
            ("carrier_id", carrierID), ("inbound_rate_deck_id", inboundRateDeckID), ("on_net_rate_deck_id", onNetRateDeckID),
            ("security_group_id", securityGroupID),
        ]
    }
}

extension Customer: DirectoryEntity {
    static var kind: EntityKind { .customer }
    static var table: Table { .customers }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] {
        Key.external(externalID, .customer, id, keys)
    }
    var references: [(field: String, id: Data)] {
        [("provider_id", providerID), ("contact_id", contactID), ("service_plan_id", servicePlanID)]
    }
}

extension DialPlan: DirectoryEntity {
    static var kind: EntityKind { .dialPlan }
    static var table: Table { .dialPlans }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] { [] }
    var references: [(field: String, id: Data)] { [("provider_id", providerID)] }
}

extension Tenant: DirectoryEntity {
    static var kind: EntityKind { .tenant }
    static var table: Table { .tenants }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] {
        (domain.isEmpty ? [] : [(.tenantsByDomain, Key(text: domain), Array(id))])
            + Key.external(externalID, .tenant, id, keys)
    }
    var references: [(field: String, id: Data)] {
        [
            ("customer_id", customerID), ("dial_plan_id", dialPlanID), ("carrier_id", carrierID),
            ("security_group_id", securityGroupID),
        ]
    }
}

extension Carrier: DirectoryEntity {
    static var kind: EntityKind { .carrier }
    static var table: Table { .carriers }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] {
        gateways.flatMap { gateway in
            [
                (.gatewaysByAddress, Key(gatewayHost: gateway.host, port: gateway.port), Array(id) + Array(gateway.id)),
                (.gateways, Key(Array(gateway.id)), Array(id)),
            ]
        }
    }
    var references: [(field: String, id: Data)] { [("provider_id", providerID), ("cost_deck_id", costDeckID), ("contact_id", contactID)] + memberIds.map { ("member_ids", $0) } }
}

extension Number: DirectoryEntity {
    static var kind: EntityKind { .number }
    static var table: Table { .numbers }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] { [(.numbersByE164, Key(text: e164), Array(id))] }
    var references: [(field: String, id: Data)] {
        [
            ("provider_id", providerID), ("subscriber_id", subscriberID), ("carrier_id", carrierID),
            // Whoever a number is reserved for has it, too, if it is assigned: a customer is named once.
            ("customer_id", customerID), ("tenant_id", tenantID),
            ("reserved_tenant_id", reservedTenantID == tenantID ? Data() : reservedTenantID),
        ]
    }
}

extension Subscriber: DirectoryEntity {
    static var kind: EntityKind { .subscriber }
    static var table: Table { .subscribers }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] {
        ([username] + aliases).filter { !$0.isEmpty }.map {
            (.subscribersByName, Key(Array(tenantID)).adding(name: $0, keys), Array(id))
        } + trunk.addresses.map { (.subscribersByName, Key(trunkAddress: $0, keys), Array(id)) }
            + Key.external(externalID, .subscriber, id, keys)
    }
    var references: [(field: String, id: Data)] {
        [("tenant_id", tenantID), ("security_group_id", securityGroupID)]
    }
}

extension SecurityGroup: DirectoryEntity {
    static var kind: EntityKind { .securityGroup }
    static var table: Table { .securityGroups }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] { [] }
    var references: [(field: String, id: Data)] { [("provider_id", providerID)] }
}

extension CdrExport: DirectoryEntity {
    static var kind: EntityKind { .cdrExport }
    static var table: Table { .cdrExports }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] { [] }
    var references: [(field: String, id: Data)] { [("provider_id", providerID), ("customer_id", customerID)] }
}

extension Domain: DirectoryEntity {
    static var kind: EntityKind { .domain }
    static var table: Table { .domains }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] {
        verifiedAt == 0 ? [] : [(.domainsByName, Key(text: name), Array(id))]
    }
    var references: [(field: String, id: Data)] { [("provider_id", providerID)] }
}

extension User: DirectoryEntity {
    static var kind: EntityKind { .user }
    static var table: Table { .users }
    func indexes(_ keys: SubjectKeys?) -> [(table: Table, key: Key, value: [UInt8])] {
        email.isEmpty ? [] : [(.usersByEmail, Key(email: email, keys), Array(id))]
    }
    var references: [(field: String, id: Data)] {
        [
            ("scope_id", scopeID.isEmpty ? Data(UUIDv7.platform.bytes) : scopeID),
            ("provider_id", providerID == scopeID ? Data() : providerID), ("customer_id", customerID == scopeID ? Data() : customerID),
            ("tenant_id", tenantID == scopeID ? Data() : tenantID),
        ]
    }
}

extension Key {
    init(email: String, _ keys: SubjectKeys?) { self = Key([EntityKind.user.keyByte]).adding(name: email, keys) }

    /// A user name is personal, and old pages of the views keep what was in them: with keys, a token stands for it.
    func adding(name: String, _ keys: SubjectKeys?) -> Key {
        guard let keys else { return adding(text: name) }
        return Key(bytes + keys.token(ofName: name))
    }

    /// Numbers in other systems may say who somebody is, as names do.
    static func external(
        _ text: String, _ kind: EntityKind, _ id: Data, _ keys: SubjectKeys?
    ) -> [(table: Table, key: Key, value: [UInt8])] {
        guard !text.isEmpty else { return [] }
        return [(.externalIDs, Key(external(text, kind, keys).bytes + Array(id)), [])]
    }

    static func external(_ text: String, _ kind: EntityKind, _ keys: SubjectKeys?) -> Key {
        Key(Key([kind.keyByte]).adding(name: text, keys).bytes + [0])
    }

    /// Where a trunk sends from is no tenant's name: it is found by itself.
    init(trunkAddress address: String, _ keys: SubjectKeys?) {
        self = Key(UUIDv7.platform).adding(name: "trunk " + (SocketAddress(address)?.description ?? address), keys)
    }

    /// Literal addresses are written in one way, so that `[2001:DB8::1]` and `2001:db8:0::1` are one gateway.
    init(gatewayHost host: String, port: UInt32) {
        let name = SocketAddress.Host(host)?.description ?? host.lowercased()
        self.init(text: "\(name):\(port)")
    }
}

extension EntityKind {
    var keyByte: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
}

extension SubjectKind {
    /// Of the entities that have a number in another system.
    var directoryKind: EntityKind? {
        switch self {
        case .customer: .customer
        case .subscriber: .subscriber
        case .contact, .user, .UNRECOGNIZED: nil
        }
    }
}

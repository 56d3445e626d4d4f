import Foundation
public import Model
public import Primitives

extension ViewQueries where Self: ~Copyable {
    public func provider(_ id: ProviderID) throws(ViewsError) -> Provider? { try entity(id) }
    public func contact(_ id: ContactID) throws(ViewsError) -> Contact? { try entity(id) }
    public func rateDeck(_ id: RateDeckID) throws(ViewsError) -> RateDeck? { try entity(id) }
    public func servicePlan(_ id: ServicePlanID) throws(ViewsError) -> ServicePlan? { try entity(id) }
    public func customer(_ id: CustomerID) throws(ViewsError) -> Customer? { try entity(id) }
    public func dialPlan(_ id: DialPlanID) throws(ViewsError) -> DialPlan? { try entity(id) }
    public func tenant(_ id: TenantID) throws(ViewsError) -> Tenant? { try entity(id) }
    public func carrier(_ id: CarrierID) throws(ViewsError) -> Carrier? { try entity(id) }
    public func number(_ id: NumberID) throws(ViewsError) -> Number? { try entity(id) }
    public func subscriber(_ id: SubscriberID) throws(ViewsError) -> Subscriber? { try entity(id) }
    public func securityGroup(_ id: SecurityGroupID) throws(ViewsError) -> SecurityGroup? { try entity(id) }
    public func cdrExport(_ id: CdrExportID) throws(ViewsError) -> CdrExport? { try entity(id) }
    public func token(_ id: TokenID) throws(ViewsError) -> Token? {
        try message(Token.self, Key(id.value), in: .tokens)
    }
    public func worker(_ name: String) throws(ViewsError) -> Worker? {
        try message(Worker.self, Key(text: name), in: .workers)
    }

    public func provider(namespace: String) throws(ViewsError) -> Provider? {
        try entity(found(Key(text: namespace), in: .providersByNamespace))
    }

    /// - Parameter domain: in lower case, as it is stored.
    public func tenant(domain: String) throws(ViewsError) -> Tenant? {
        try entity(found(Key(text: domain), in: .tenantsByDomain))
    }

    /// By user name or by alias.
    public func subscriber(tenant: TenantID, user: String) throws(ViewsError) -> Subscriber? {
        try entity(found(Key(tenant.value).adding(name: user, keys), in: .subscribersByName))
    }

    /// Whose trunk sends from this address.
    public func subscriber(trunkAddress address: String) throws(ViewsError) -> Subscriber? {
        try entity(found(Key(trunkAddress: address, keys), in: .subscribersByName))
    }

    public func number(e164: String) throws(ViewsError) -> Number? {
        try entity(found(Key(text: e164), in: .numbersByE164))
    }

    public func carrier(gateway: GatewayID) throws(ViewsError) -> Carrier? {
        try entity(found(Key(gateway.value), in: .gateways))
    }

    /// Whose gateway sends from this address.
    public func gateway(host: String, port: UInt32) throws(ViewsError) -> (carrier: Carrier, gateway: Gateway)? {
        let key = Key(gatewayHost: host, port: port)
        guard let bytes = try value(key, in: .gatewaysByAddress) else { return nil }
        var reader = KeyReader(bytes)
        guard let carrierID = reader.id(), let gatewayID = reader.id() else {
            throw .unreadable(table: .gatewaysByAddress)
        }
        guard let carrier = try carrier(CarrierID(carrierID)),
            let gateway = carrier.gateways.first(where: { UUIDv7($0.id) == gatewayID })
        else { return nil }
        return (carrier, gateway)
    }

    public func domain(_ id: DomainID) throws(ViewsError) -> Domain? { try entity(id) }

    /// The one that has shown that it may speak for the name.
    public func domain(verified name: String) throws(ViewsError) -> Domain? {
        try entity(found(Key(text: name), in: .domainsByName))
    }

    public func domains(after: DomainID? = nil, limit: Int) throws(ViewsError) -> [Domain] { try all(after, limit) }

    public func user(_ id: UserID) throws(ViewsError) -> User? { try entity(id) }

    /// - Parameter email: in lower case, as it is stored.
    public func user(email: String) throws(ViewsError) -> User? { try entity(found(Key(email: email, keys), in: .usersByEmail)) }

    public func users(after: UserID? = nil, limit: Int) throws(ViewsError) -> [User] { try all(after, limit) }

    /// Those with this number in another system, of any provider.
    public func entities(_ kind: EntityKind, externalID: String) throws(ViewsError) -> [UUIDv7] {
        guard !externalID.isEmpty else { return [] }
        let prefix = Key.external(externalID, kind, keys)
        return try page(.externalIDs, prefix: prefix, limit: 1_000).compactMap { UUIDv7(bytes: $0.key.bytes.suffix(16)) }
    }

    /// - Parameter secretHash: SHA-256 of the bearer token.
    public func token(secretHash: [UInt8]) throws(ViewsError) -> Token? {
        guard let id: ID<Token> = try found(Key(secretHash), in: .tokensBySecret) else { return nil }
        return try token(id)
    }

    public func providers(after: ProviderID? = nil, limit: Int) throws(ViewsError) -> [Provider] {
        try all(after, limit)
    }
    public func contacts(after: ContactID? = nil, limit: Int) throws(ViewsError) -> [Contact] { try all(after, limit) }
    public func rateDecks(after: RateDeckID? = nil, limit: Int) throws(ViewsError) -> [RateDeck] {
        try all(after, limit)
    }
    public func servicePlans(after: ServicePlanID? = nil, limit: Int) throws(ViewsError) -> [ServicePlan] {
        try all(after, limit)
    }
    public func customers(after: CustomerID? = nil, limit: Int) throws(ViewsError) -> [Customer] {
        try all(after, limit)
    }
    public func dialPlans(after: DialPlanID? = nil, limit: Int) throws(ViewsError) -> [DialPlan] {
        try all(after, limit)
    }
    public func tenants(after: TenantID? = nil, limit: Int) throws(ViewsError) -> [Tenant] { try all(after, limit) }
    public func carriers(after: CarrierID? = nil, limit: Int) throws(ViewsError) -> [Carrier] { try all(after, limit) }
    public func numbers(after: NumberID? = nil, limit: Int) throws(ViewsError) -> [Number] { try all(after, limit) }
    public func subscribers(after: SubscriberID? = nil, limit: Int) throws(ViewsError) -> [Subscriber] {
        try all(after, limit)
    }
    public func securityGroups(after: SecurityGroupID? = nil, limit: Int) throws(ViewsError) -> [SecurityGroup] {
        try all(after, limit)
    }
    public func cdrExports(after: CdrExportID? = nil, limit: Int) throws(ViewsError) -> [CdrExport] {
        try all(after, limit)
    }
    public func tokens(after: TokenID? = nil, limit: Int) throws(ViewsError) -> [Token] {
        try messages(Token.self, in: .tokens, after: after.map { Key($0.value) }, limit: limit)
    }
    public func workers(after name: String? = nil, limit: Int) throws(ViewsError) -> [Worker] {
        try messages(Worker.self, in: .workers, after: name.map { Key(text: $0) }, limit: limit)
    }

    /// - Parameter parent: nil for those directly under the platform.
    public func providers(
        under parent: ProviderID?, after: ProviderID? = nil, limit: Int
    ) throws(ViewsError) -> [Provider] {
        try referrers(of: parent?.value ?? .platform, after, limit)
    }
    public func contacts(of provider: ProviderID, after: ContactID? = nil, limit: Int) throws(ViewsError) -> [Contact]
    {
        try referrers(of: provider.value, after, limit)
    }
    public func rateDecks(of provider: ProviderID, after: RateDeckID? = nil, limit: Int) throws(ViewsError)
        -> [RateDeck]
    {
        try referrers(of: provider.value, after, limit)
    }
    public func servicePlans(
        of provider: ProviderID, after: ServicePlanID? = nil, limit: Int
    ) throws(ViewsError) -> [ServicePlan] { try referrers(of: provider.value, after, limit) }
    public func customers(of provider: ProviderID, after: CustomerID? = nil, limit: Int) throws(ViewsError)
        -> [Customer]
    {
        try referrers(of: provider.value, after, limit)
    }
    public func dialPlans(of provider: ProviderID, after: DialPlanID? = nil, limit: Int) throws(ViewsError)
        -> [DialPlan]
    {
        try referrers(of: provider.value, after, limit)
    }
    public func carriers(of provider: ProviderID, after: CarrierID? = nil, limit: Int) throws(ViewsError) -> [Carrier]
    {
        try referrers(of: provider.value, after, limit)
    }
    public func numbers(of provider: ProviderID, after: NumberID? = nil, limit: Int) throws(ViewsError) -> [Number] {
        try referrers(of: provider.value, after, limit)
    }
    /// The numbers assigned to a subscriber.
    public func numbers(of subscriber: SubscriberID, after: NumberID? = nil, limit: Int) throws(ViewsError) -> [Number]
    {
        try referrers(of: subscriber.value, after, limit)
    }
    public func tenants(of customer: CustomerID, after: TenantID? = nil, limit: Int) throws(ViewsError) -> [Tenant] {
        try referrers(of: customer.value, after, limit)
    }
    public func subscribers(
        of tenant: TenantID, after: SubscriberID? = nil, limit: Int
    ) throws(ViewsError) -> [Subscriber] { try referrers(of: tenant.value, after, limit) }

    /// Ids of the entities of one kind that name `id` in one of their fields.
    public func referrers(
        of id: UUIDv7, kind: EntityKind, after: UUIDv7? = nil, limit: Int
    ) throws(ViewsError) -> [UUIDv7] {
        var prefix = Key(id)
        prefix.add(byte: UInt8(truncatingIfNeeded: kind.rawValue))
        var ids: [UUIDv7] = []
        for (key, _) in try page(.references, prefix: prefix, after: after.map(prefix.adding), limit: limit) {
            var reader = KeyReader(key.bytes)
            reader.skip(17)
            guard let referrer = reader.id() else { throw .unreadable(table: .references) }
            ids.append(referrer)
        }
        return ids
    }

    /// Some entity that names `id`, and so keeps it from being removed; nil: nobody does.
    public func firstReferrer(of id: UUIDv7) throws(ViewsError) -> (kind: EntityKind, id: UUIDv7)? {
        guard let (key, _) = try page(.references, prefix: Key(id), limit: 1).first else { return nil }
        guard key.bytes.count == 33, let referrer = UUIDv7(bytes: key.bytes[17...]),
            let kind = EntityKind(rawValue: Int(key.bytes[16]))
        else { throw .unreadable(table: .references) }
        return (kind, referrer)
    }

    private func entity<Entity: DirectoryEntity>(_ id: ID<Entity>?) throws(ViewsError) -> Entity? {
        guard let id else { return nil }
        if let known = entities?.findOpened(Entity.self, id.value, in: Entity.table, keys) { return known }
        guard let bytes = try value(Key(id.value), in: Entity.table) else { return nil }
        let entity = try opened(decoded(Entity.self, bytes, of: Entity.table))
        entities?.rememberOpened(entity, id.value, in: Entity.table)
        return entity
    }

    private func found<Entity>(_ key: Key, in table: Table) throws(ViewsError) -> ID<Entity>? {
        guard let bytes = try value(key, in: table) else { return nil }
        guard let id = UUIDv7(bytes: bytes) else { throw .unreadable(table: table) }
        return ID(id)
    }

    private func all<Entity: DirectoryEntity>(_ after: ID<Entity>?, _ limit: Int) throws(ViewsError) -> [Entity] {
        var entities = try messages(Entity.self, in: Entity.table, after: after.map { Key($0.value) }, limit: limit)
        for index in entities.indices { entities[index] = try opened(entities[index]) }
        return entities
    }

    private func referrers<Entity: DirectoryEntity>(
        of id: UUIDv7, _ after: ID<Entity>?, _ limit: Int
    ) throws(ViewsError) -> [Entity] {
        var entities: [Entity] = []
        for id in try referrers(of: id, kind: Entity.kind, after: after?.value, limit: limit) {
            guard let entity = try entity(ID<Entity>(id)) else { throw .unreadable(table: .references) }
            entities.append(entity)
        }
        return entities
    }
}

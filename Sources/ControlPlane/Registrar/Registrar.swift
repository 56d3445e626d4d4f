import Model
import Primitives

/// By which contacts each subscriber is reached (RFC 3261 §10.3). Soft state: no event, kept in `location/`.
struct Registrar {
    /// A binding and the moment at which it lapses.
    struct Held: Equatable {
        var binding: Binding
        var expiresAt: WallTime
    }

    /// Of a line that has no limit of its own.
    static let contactsMax = 10
    /// That a line's limit may be.
    static let contactsMost: UInt32 = 50
    static let expiresSecondsMax: UInt32 = 86_400

    /// How many contacts there may be.
    struct Room {
        /// Of the line; 0: the usual number.
        var line = 0
        var tenant: TenantID?
        /// Of all lines of the tenant together; 0: no limit.
        var ofTenant = 0
    }

    private var held: [SubscriberID: [Held]] = [:]
    private var tenants: [SubscriberID: TenantID] = [:]
    private var counts: [TenantID: Int] = [:]
    /// Who may have something to lapse in a minute, so that a sweep reads only what is due.
    private var due: [Int64: Set<SubscriberID>] = [:]
    private var sweptMinute: Int64?
    /// Whose contacts differ from the store since `takeChanged`.
    private var changed: Set<SubscriberID> = []

    init() {}

    /// Puts back what the store holds.
    mutating func restore(_ subscriber: SubscriberID, _ contacts: [Held], of tenant: TenantID? = nil) {
        held[subscriber] = contacts
        if let tenant {
            tenants[subscriber] = tenant
            counts[tenant, default: 0] += contacts.count
        }
        for contact in contacts { remember(subscriber, contact.expiresAt) }
    }

    /// The contacts that hold now, the most wanted first, and those alike by age.
    func contacts(of subscriber: SubscriberID, at wall: WallTime) -> [Held] {
        let living = (held[subscriber] ?? []).filter { $0.expiresAt > wall }
        return living.enumerated().sorted {
            ($1.element.binding.preference, $0.offset) < ($0.element.binding.preference, $1.offset)
        }.map(\.element)
    }

    /// Those that ring: of each device the flow that was heard last (RFC 5626 §7), and a device alone if it is the one that is wanted.
    /// - Parameter instance: from a URI, so without brackets; empty: all devices.
    func ringing(of subscriber: SubscriberID, instance: String = "", at wall: WallTime) -> [Held] {
        let living = contacts(of: subscriber, at: wall)
        return living.filter { contact in
            let device = contact.binding.instanceID
            guard instance.isEmpty || device.filter({ !"<>\"".contains($0) }) == instance else { return false }
            guard contact.binding.regID > 0, !device.isEmpty else { return true }
            return Self.lastHeardFirst(living.filter { $0.binding.instanceID == device }).first == contact
        }
    }

    /// The other flows of the same device, the one that was heard last first.
    func otherFlows(of contact: Held, of subscriber: SubscriberID, at wall: WallTime) -> [Held] {
        guard contact.binding.regID > 0, !contact.binding.instanceID.isEmpty else { return [] }
        return Self.lastHeardFirst(
            contacts(of: subscriber, at: wall).filter { $0.binding.instanceID == contact.binding.instanceID && $0 != contact })
    }

    /// Of those that one batch has brought, the one that came later.
    private static func lastHeardFirst(_ flows: [Held]) -> [Held] {
        flows.enumerated().sorted { ($1.element.expiresAt, $1.offset) < ($0.element.expiresAt, $0.offset) }.map(\.element)
    }

    /// The same, each with the seconds that it has left.
    func bindings(of subscriber: SubscriberID, at wall: WallTime) -> [Binding] {
        contacts(of: subscriber, at: wall).map { contact in
            var binding = contact.binding
            let left = (contact.expiresAt - wall).milliseconds
            binding.expiresSeconds = UInt32(clamping: (left + 999) / 1_000)
            return binding
        }
    }

    /// All of the request's bindings or none (RFC 3261 §10.3, step 7).
    mutating func bind(_ request: BindContacts, subscriber: SubscriberID, _ room: Room = Room(), at wall: WallTime) -> BindReply {
        let before = (held[subscriber] ?? []).filter { $0.expiresAt > wall }
        var after = request.removeAll ? [] : before
        if !request.removeAll {
            for binding in request.bindings {
                guard apply(binding, to: &after, at: wall) else { return reply(.stale, subscriber, at: wall) }
            }
        }
        guard after.count <= max(before.count, room.line == 0 ? Self.contactsMax : room.line) else { return reply(.tooMany, subscriber, at: wall) }
        if let tenant = room.tenant {
            if room.ofTenant > 0, after.count > before.count, (counts[tenant] ?? 0) - (held[subscriber]?.count ?? 0) + after.count > room.ofTenant {
                return reply(.tenantFull, subscriber, at: wall)
            }
            if tenants[subscriber] == nil {
                tenants[subscriber] = tenant
                counts[tenant, default: 0] += held[subscriber]?.count ?? 0
            }
        }
        if after != before {
            set(subscriber, after)
        }
        return reply(.ok, subscriber, at: wall)
    }

    mutating func removeAll(of subscriber: SubscriberID) {
        if held[subscriber] != nil { set(subscriber, []) }
    }

    /// Forgets what has lapsed.
    mutating func sweep(at wall: WallTime) {
        let minute = Self.minute(wall)
        guard sweptMinute != minute else { return }
        sweptMinute = minute
        for past in due.keys where past < minute {
            for subscriber in due.removeValue(forKey: past) ?? [] {
                guard let contacts = held[subscriber] else { continue }
                let living = contacts.filter { $0.expiresAt > wall }
                if living.count != contacts.count { set(subscriber, living) }
            }
        }
    }

    /// What the store has to be told, each with the contacts that now hold (none: remove).
    mutating func takeChanged() -> [(subscriber: SubscriberID, contacts: [Held])] {
        defer { changed.removeAll(keepingCapacity: true) }
        return changed.sorted().map { ($0, held[$0] ?? []) }
    }

    /// False: the request is older than what is held, by the rule of Call-ID and CSeq.
    private func apply(_ binding: Binding, to contacts: inout [Held], at wall: WallTime) -> Bool {
        let known = contacts.firstIndex { $0.binding.isSameContact(as: binding) }
        if let known {
            let current = contacts[known].binding
            if current.callID == binding.callID, binding.cseq <= current.cseq {
                // A repetition word for word changes nothing; anything else is late.
                return current.cseq == binding.cseq && current.contactUri == binding.contactUri
                    && binding.expiresSeconds > 0
            }
        }
        guard binding.expiresSeconds > 0 else {
            if let known { contacts.remove(at: known) }
            return true
        }
        var stored = binding
        stored.expiresSeconds = min(binding.expiresSeconds, Self.expiresSecondsMax)
        let fresh = Held(binding: stored, expiresAt: wall + .seconds(Int64(stored.expiresSeconds)))
        if let known { contacts[known] = fresh } else { contacts.append(fresh) }
        return true
    }

    private mutating func set(_ subscriber: SubscriberID, _ contacts: [Held]) {
        if let tenant = tenants[subscriber] {
            let count = (counts[tenant] ?? 0) - (held[subscriber]?.count ?? 0) + contacts.count
            counts[tenant] = count > 0 ? count : nil
            if contacts.isEmpty { tenants[subscriber] = nil }
        }
        held[subscriber] = contacts.isEmpty ? nil : contacts
        changed.insert(subscriber)
        for contact in contacts { remember(subscriber, contact.expiresAt) }
    }

    private mutating func remember(_ subscriber: SubscriberID, _ expiresAt: WallTime) {
        due[Self.minute(expiresAt), default: []].insert(subscriber)
    }

    private func reply(_ outcome: BindOutcome, _ subscriber: SubscriberID, at wall: WallTime) -> BindReply {
        var reply = BindReply()
        reply.outcome = outcome
        reply.bindings = bindings(of: subscriber, at: wall)
        return reply
    }

    private static func minute(_ wall: WallTime) -> Int64 { wall.microseconds / 60_000_000 }
}

extension Binding {
    /// A contact without a q value is wanted as much as any (RFC 3261 §20.10).
    var preference: UInt32 { qPermille == 0 ? 1_000 : qPermille }

    /// The same URI, or the same flow of a device under a new one (RFC 5626 §6).
    fileprivate func isSameContact(as other: Binding) -> Bool {
        if !instanceID.isEmpty, instanceID == other.instanceID { return regID == other.regID }
        return contactUri == other.contactUri
    }
}

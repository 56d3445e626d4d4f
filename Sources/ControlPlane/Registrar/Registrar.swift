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

    /// A line that has contacts. There may be a hundred thousand of them.
    private struct Place {
        var row: ContactRow
        /// In `counts`; nil: of no tenant that is known.
        var tenant: UInt32?
        /// Under which minute `due` has it.
        var minute: Int32
    }

    private var places: [SubscriberID: Place] = [:]
    /// Where a tenant's contacts are counted.
    private var tenants: [TenantID: UInt32] = [:]
    private var counts: [Int] = []
    /// Whose first contact may lapse in a minute, each line once, so that a sweep reads only what is due. A contact that is renewed
    /// stays where it was, and is put under another minute when that one has come.
    private var due: [Int32: Set<SubscriberID>] = [:]
    private var sweptMinute: Int32?
    /// Whose contacts differ from the store since `takeChanged`.
    private var changed: Set<SubscriberID> = []

    init() {}

    /// Places in `due`.
    var dueCount: Int { due.values.reduce(0) { $0 + $1.count } }

    /// Puts back what the store holds.
    mutating func restore(_ subscriber: SubscriberID, _ row: ContactRow, of tenant: TenantID? = nil) {
        guard let minute = Self.firstMinute(row.contacts) else { return }
        var counted: UInt32?
        if let tenant {
            let place = number(of: tenant)
            counts[Int(place)] += row.contacts.count
            counted = place
        }
        places[subscriber] = Place(row: row, tenant: counted, minute: minute)
        due[minute, default: []].insert(subscriber)
    }

    /// The contacts that hold now, the most wanted first, and those alike by age.
    func contacts(of subscriber: SubscriberID, at wall: WallTime) -> [Held] {
        Self.mostWantedFirst(places[subscriber]?.row.contacts ?? [], at: wall)
    }

    private static func mostWantedFirst(_ contacts: [Held], at wall: WallTime) -> [Held] {
        let living = contacts.filter { $0.expiresAt > wall }
        guard living.count > 1 else { return living }
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

    /// What its contacts take, and so does an answer that lists them.
    func byteCount(of subscriber: SubscriberID) -> Int { places[subscriber]?.row.bytes.count ?? 0 }

    /// The same as `contacts`, each with the seconds that it has left.
    func bindings(of subscriber: SubscriberID, at wall: WallTime) -> [Binding] {
        Self.bindings(contacts(of: subscriber, at: wall), at: wall)
    }

    private static func bindings(_ contacts: [Held], at wall: WallTime) -> [Binding] {
        contacts.map { contact in
            var binding = contact.binding
            let left = (contact.expiresAt - wall).milliseconds
            binding.expiresSeconds = UInt32(clamping: (left + 999) / 1_000)
            return binding
        }
    }

    /// All of the request's bindings or none (RFC 3261 §10.3, step 7).
    /// - Parameter room: asked for a line that has no contacts, or gets more than it had: most requests renew one. nil: there is no such
    ///   line.
    mutating func bind(
        _ request: BindContacts, subscriber: SubscriberID, at wall: WallTime, room: () throws -> Room?
    ) rethrows -> BindReply {
        let place = places[subscriber]
        let stored = place?.row.contacts ?? []
        let before = stored.filter { $0.expiresAt > wall }
        var after = request.removeAll ? [] : before
        if request.removeAll {
            // The one that comes with it says of which request it is.
            let isLate = before.contains { held in request.bindings.contains { $0.callID == held.binding.callID && $0.cseq <= held.binding.cseq } }
            guard !isLate else { return Self.reply(.stale, before, at: wall) }
        } else {
            for binding in request.bindings {
                switch Self.order(of: binding, in: request, after: before) {
                case .late: return Self.reply(.stale, before, at: wall)
                case .repeated: break
                case .new: Self.apply(binding, to: &after, at: wall)
                }
            }
        }
        var tenant = place?.tenant
        if tenant == nil || after.count > before.count {
            guard let room = try room() else { return Self.reply(.unknownSubscriber, [], at: wall) }
            guard after.count <= max(before.count, room.line == 0 ? Self.contactsMax : room.line) else { return Self.reply(.tooMany, before, at: wall) }
            if let owner = room.tenant {
                let ofOthers = (tenants[owner].map { counts[Int($0)] } ?? 0) - (tenant == nil ? 0 : stored.count)
                guard room.ofTenant == 0 || after.count <= before.count || ofOthers + after.count <= room.ofTenant else {
                    return Self.reply(.tenantFull, before, at: wall)
                }
                if tenant == nil {
                    let counted = number(of: owner)
                    counts[Int(counted)] += stored.count
                    places[subscriber]?.tenant = counted
                    tenant = counted
                }
            }
        }
        if after != before { set(subscriber, after, in: place, of: tenant, count: stored.count) }
        return Self.reply(.ok, after, at: wall)
    }

    mutating func removeAll(of subscriber: SubscriberID) {
        if let place = places[subscriber] { set(subscriber, [], in: place, of: place.tenant, count: place.row.contacts.count) }
    }

    /// Forgets what has lapsed.
    mutating func sweep(at wall: WallTime) {
        let now = Self.minute(wall)
        guard sweptMinute != now else { return }
        sweptMinute = now
        for past in due.keys.filter({ $0 < now }) {
            for subscriber in due.removeValue(forKey: past) ?? [] {
                guard let place = places[subscriber] else { continue }
                let contacts = place.row.contacts
                let living = contacts.filter { $0.expiresAt > wall }
                if living.count != contacts.count {
                    set(subscriber, living, in: place, of: place.tenant, count: contacts.count)
                } else if let minute = Self.firstMinute(living) {
                    places[subscriber]?.minute = minute
                    due[minute, default: []].insert(subscriber)
                }
            }
        }
    }

    /// What the store has to be told, each with the contacts that now hold (none: remove).
    mutating func takeChanged() -> [(subscriber: SubscriberID, row: ContactRow)] {
        defer { changed.removeAll(keepingCapacity: true) }
        return changed.sorted().map { ($0, places[$0]?.row ?? ContactRow()) }
    }

    private enum Order {
        case new
        /// Word for word what is held.
        case repeated
        /// Older than what is held, by the rule of Call-ID and CSeq (RFC 3261 §10.3, step 7).
        case late
    }

    /// Against what was held before the request: its own contacts do not come one after the other.
    private static func order(of binding: Binding, in request: BindContacts, after before: [Held]) -> Order {
        guard let current = before.first(where: { $0.binding.isSameContact(as: binding) })?.binding, current.callID == binding.callID, binding.cseq <= current.cseq
        else { return .new }
        let isRepeated = current.cseq == binding.cseq && request.bindings.contains { $0.contactUri == current.contactUri && $0.expiresSeconds > 0 }
        return isRepeated ? .repeated : .late
    }

    private static func apply(_ binding: Binding, to contacts: inout [Held], at wall: WallTime) {
        let known = contacts.firstIndex { $0.binding.isSameContact(as: binding) }
        guard binding.expiresSeconds > 0 else {
            guard let known else { return }
            let current = contacts[known].binding
            // A device that takes back its former address in the request that brings the new one is there by that.
            let isReplaced = current.callID == binding.callID && current.cseq == binding.cseq && current.contactUri != binding.contactUri
            if !isReplaced { contacts.remove(at: known) }
            return
        }
        var stored = binding
        stored.expiresSeconds = min(binding.expiresSeconds, expiresSecondsMax)
        let fresh = Held(binding: stored, expiresAt: wall + .seconds(Int64(stored.expiresSeconds)))
        if let known { contacts[known] = fresh } else { contacts.append(fresh) }
    }

    /// - Parameters:
    ///   - place: what it had.
    ///   - count: how many contacts that were, the lapsed ones included.
    private mutating func set(_ subscriber: SubscriberID, _ contacts: [Held], in place: Place?, of tenant: UInt32?, count: Int) {
        if let tenant { counts[Int(tenant)] += contacts.count - count }
        changed.insert(subscriber)
        guard let first = Self.firstMinute(contacts) else {
            if let place { forgetDue(subscriber, place.minute) }
            places[subscriber] = nil
            return
        }
        var minute = first
        if let place, place.minute <= first, due[place.minute]?.contains(subscriber) == true {
            minute = place.minute
        } else {
            if let place { forgetDue(subscriber, place.minute) }
            due[first, default: []].insert(subscriber)
        }
        places[subscriber] = Place(row: ContactRow(contacts), tenant: tenant, minute: minute)
    }

    private mutating func forgetDue(_ subscriber: SubscriberID, _ minute: Int32) {
        due[minute]?.remove(subscriber)
        if due[minute]?.isEmpty == true { due[minute] = nil }
    }

    private mutating func number(of tenant: TenantID) -> UInt32 {
        if let number = tenants[tenant] { return number }
        let number = UInt32(counts.count)
        counts.append(0)
        tenants[tenant] = number
        return number
    }

    private static func reply(_ outcome: BindOutcome, _ contacts: [Held], at wall: WallTime) -> BindReply {
        var reply = BindReply()
        reply.outcome = outcome
        reply.bindings = bindings(mostWantedFirst(contacts, at: wall), at: wall)
        return reply
    }

    private static func firstMinute(_ contacts: [Held]) -> Int32? { contacts.map(\.expiresAt).min().map { minute($0) } }

    private static func minute(_ wall: WallTime) -> Int32 { Int32(clamping: wall.microseconds / 60_000_000) }
}

extension Binding {
    /// A contact without a q value is wanted as much as any (RFC 3261 §20.10).
    var preference: UInt32 { qPermille }

    /// The same URI, or the same flow of a device under a new one (RFC 5626 §6).
    fileprivate func isSameContact(as other: Binding) -> Bool {
        if !instanceID.isEmpty, instanceID == other.instanceID { return regID == other.regID }
        return contactUri == other.contactUri
    }
}

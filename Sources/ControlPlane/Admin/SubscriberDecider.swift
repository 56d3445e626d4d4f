import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Subscribers: one name space of user names and aliases per tenant; the password becomes a sealed credential.
enum SubscriberDecider {
    static let aliasesMax = 32
    static let prefixesMax = 1_000
    static let passwordBytes = 8...128
    static let blocksMax = 1_000
    static let closedDaysMax = 366
    static let addressesMax = 16
    static let groupMax: UInt32 = 999_999

    static func create<State: ViewQueries & ~Copyable>(
        _ subscriber: Subscriber, password: Password, vault: Vault, in state: borrowing State,
        _ decision: inout Decision
    ) throws -> UUIDv7 {
        var subscriber = subscriber
        let id = try Checks.newID(subscriber.id, &decision)
        guard try state.subscriber(SubscriberID(id)) == nil, try !SubjectDecider.isErased(id, in: state) else {
            throw AdminRejection.taken("id", id.description)
        }
        subscriber.id = SubscriberID(id).data
        subscriber.leaveOutEmptySettings()
        try StatusDecider.check(subscriber.status, after: nil)
        let tenant = try check(subscriber, id, after: nil, in: state)
        try StatusDecider.notTerminated(tenant.status, field: "tenant_id")
        try underLimit(tenant, in: state)
        subscriber.sealedCredential = try sealed(password, subscriber, tenant, vault, &decision)
        decision.record(.subscriberCreated(.with { $0.subscriber = subscriber }), in: id)
        return id
    }

    static func change<State: ViewQueries & ~Copyable>(
        _ subscriber: Subscriber, password: Password?, vault: Vault, in state: borrowing State,
        _ decision: inout Decision
    ) throws -> UUIDv7 {
        var subscriber = subscriber
        let id = try Checks.existingID(subscriber.id)
        guard let before = try state.subscriber(SubscriberID(id)) else {
            throw AdminRejection.notFound("subscriber", id.description)
        }
        try Checks.unchanged(subscriber.tenantID, before.tenantID, field: "tenant_id")
        subscriber.leaveOutEmptySettings()
        try StatusDecider.check(subscriber.status, after: before.status)
        let tenant = try check(subscriber, id, after: before, in: state)
        if subscriber.status == .terminated, before.status != .terminated {
            try StatusDecider.release(.subscriber, id, in: state, &decision)
        }
        if let password {
            subscriber.sealedCredential = try sealed(password, subscriber, tenant, vault, &decision)
        } else {
            guard subscriber.username == before.username else {
                throw AdminRejection.invalid(
                    "password", "a new user name needs the password again: the credential is made of both")
            }
            subscriber.sealedCredential = before.sealedCredential
        }
        decision.record(.subscriberChanged(.with { $0.subscriber = subscriber }), in: id)
        decision.announcements.append(.with { $0.invalidate.subscriberID = subscriber.id })
        return id
    }

    private static func sealed(
        _ password: Password, _ subscriber: Subscriber, _ tenant: Tenant, _ vault: Vault, _ decision: inout Decision
    ) throws -> Data {
        let text = password.clearText
        guard passwordBytes.contains(text.utf8.count),
            !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else {
            throw AdminRejection.invalid(
                "password",
                "must have \(passwordBytes.lowerBound) to \(passwordBytes.upperBound) bytes, and no control characters")
        }
        guard let id = SubscriberID(subscriber.id) else { throw AdminRejection.invalid("id", "must be 16 bytes") }
        return vault.seal(
            username: subscriber.username, realm: tenant.domain, password: password, for: id, random: &decision.random)
    }

    private static func check<State: ViewQueries & ~Copyable>(
        _ subscriber: Subscriber, _ id: UUIDv7, after before: Subscriber?, in state: borrowing State
    ) throws -> Tenant {
        let tenantID = TenantID(try Checks.reference(subscriber.tenantID, field: "tenant_id"))
        guard let tenant = try state.tenant(tenantID) else {
            throw AdminRejection.unknownReference("tenant_id", tenantID.description)
        }
        try names(subscriber, tenantID, in: state)
        try Checks.shortText(subscriber.displayName, field: "display_name")
        try Checks.shortText(subscriber.email, field: "email")
        try ContactDecider.email(subscriber.email, field: "email")
        if !subscriber.countryCode.isEmpty {
            try Checks.digits(subscriber.countryCode, count: 1...3, field: "country_code")
        }
        if !subscriber.areaCode.isEmpty { try Checks.digits(subscriber.areaCode, count: 1...6, field: "area_code") }
        try Checks.recognised(subscriber.mediaSecurity.isRecognised, field: "media_security")
        if !subscriber.timeZone.isEmpty { try Checks.timeZone(subscriber.timeZone) }
        try Checks.language(subscriber.language)
        if !subscriber.externalID.isEmpty, let customerID = CustomerID(tenant.customerID),
            let customer = try state.customer(customerID)
        { try Checks.externalID(subscriber.externalID, .subscriber, id, below: customer.providerID, in: state) }
        guard subscriber.dialTimeoutSeconds <= 600 else {
            throw AdminRejection.invalid("dial_timeout_seconds", "at most 600")
        }
        try callerID(subscriber.callerID, tenant, in: state)
        try trunk(subscriber, in: state)
        if !subscriber.securityGroupID.isEmpty, let customerID = CustomerID(tenant.customerID),
            let customer = try state.customer(customerID)
        {
            try Ownership.securityGroup(subscriber.securityGroupID, of: customer.providerID, in: state)
        }
        try settings(subscriber)
        if subscriber.forwards != before?.forwards { try forwards(subscriber, tenantID, in: state) }
        guard subscriber.allowedPrefixes.count <= prefixesMax else {
            throw AdminRejection.invalid("allowed_prefixes", "at most \(prefixesMax)")
        }
        for (index, prefix) in subscriber.allowedPrefixes.enumerated() {
            guard prefix.first == "+", prefix.utf8.count <= 16,
                prefix.utf8.dropFirst().allSatisfy({ (0x30...0x39).contains($0) })
            else {
                throw AdminRejection.invalid(
                    "allowed_prefixes[\(index)]", "must be + and digits, such as +1209; + alone allows all")
            }
        }
        return tenant
    }

    private static func names<State: ViewQueries & ~Copyable>(
        _ subscriber: Subscriber, _ tenant: TenantID, in state: borrowing State
    ) throws {
        guard subscriber.aliases.count <= aliasesMax else {
            throw AdminRejection.invalid("aliases", "at most \(aliasesMax)")
        }
        var seen: Set<String> = []
        let named =
            [("username", subscriber.username)]
            + subscriber.aliases.enumerated().map { ("aliases[\($0.offset)]", $0.element) }
        for (field, name) in named {
            try self.name(name, field: field)
            guard seen.insert(name).inserted else { throw AdminRejection.invalid(field, "\(name) is there twice") }
            if let holder = try state.subscriber(tenant: tenant, user: name), holder.id != subscriber.id {
                throw AdminRejection.taken(field, name)
            }
        }
    }

    private static func targets(_ forwards: LineForwards) -> [(field: String, target: String)] {
        [
            ("forward_always", forwards.always), ("forward_busy", forwards.busy), ("forward_no_answer", forwards.noAnswer),
            ("forward_not_registered", forwards.notRegistered), ("forward_outside_hours", forwards.outsideHours),
        ].filter { !$0.1.isEmpty }
    }

    /// Whoever calls the line would take calls that ring at its colleagues. A line or alias of that name goes before the code.
    private static func forwards<State: ViewQueries & ~Copyable>(
        _ subscriber: Subscriber, _ tenant: TenantID, in state: borrowing State
    ) throws {
        for (field, target) in targets(subscriber.forwards) where PickupCode(target) != nil {
            guard try state.subscriber(tenant: tenant, user: target) != nil else {
                throw AdminRejection.invalid(field, "\(target) takes a ringing call, which a forwarded call may not")
            }
        }
    }

    private static func settings(_ subscriber: Subscriber) throws {
        for (field, target) in targets(subscriber.forwards) {
            try name(target, field: field)
            guard target != subscriber.username, !subscriber.aliases.contains(target) else {
                throw AdminRejection.invalid(field, "is the line itself")
            }
        }
        for (field, entries) in [("blocked_callers", subscriber.blocks.callers), ("blocked_numbers", subscriber.blocks.called)] {
            guard entries.count <= blocksMax else { throw AdminRejection.invalid(field, "at most \(blocksMax)") }
            for (index, entry) in entries.enumerated() { try name(entry, field: "\(field)[\(index)]") }
        }
        guard subscriber.hours.windows.count <= SecurityGroupDecider.windowsMax else {
            throw AdminRejection.invalid("hours", "at most \(SecurityGroupDecider.windowsMax)")
        }
        for (index, window) in subscriber.hours.windows.enumerated() { try SecurityGroupDecider.check(window, field: "hours[\(index)]") }
        guard subscriber.hours.closedDays.count <= closedDaysMax else { throw AdminRejection.invalid("closed_days", "at most \(closedDaysMax)") }
        for (index, day) in subscriber.hours.closedDays.enumerated() where !isDay(day) {
            throw AdminRejection.invalid("closed_days[\(index)]", "must be a day such as 2026-12-24, or --12-25 for every year")
        }
        guard subscriber.callGroup <= groupMax else { throw AdminRejection.invalid("call_group", "at most \(groupMax)") }
        guard subscriber.pickupGroup <= groupMax else { throw AdminRejection.invalid("pickup_group", "at most \(groupMax)") }
        try GatewayChecks.codecs(subscriber.codecs, field: "codecs")
        guard subscriber.recording.mode.isRecognised else { throw AdminRejection.invalid("recording", "must be default, off, all or on_demand") }
        try Checks.sound(subscriber.music, field: "music")
        try Checks.sound(subscriber.ringBack, field: "ring_back")
        guard subscriber.contactsMax <= Registrar.contactsMost else {
            throw AdminRejection.invalid("contacts_max", "at most \(Registrar.contactsMost)")
        }
        guard subscriber.messages.urgentNew <= subscriber.messages.new, subscriber.messages.urgentOld <= subscriber.messages.old else {
            throw AdminRejection.invalid("urgent_messages_new", "no more than there are messages")
        }
    }

    /// Where a trunk may send from without a password: an address that is nobody else's.
    private static func trunk<State: ViewQueries & ~Copyable>(
        _ subscriber: Subscriber, in state: borrowing State
    ) throws {
        let addresses = subscriber.trunk.addresses
        guard addresses.count <= addressesMax else { throw AdminRejection.invalid("trunk_addresses", "at most \(addressesMax)") }
        guard addresses.isEmpty || subscriber.trunk.isTrunk else {
            throw AdminRejection.invalid("trunk_addresses", "a line that is no trunk has a password")
        }
        for (index, text) in addresses.enumerated() {
            let field = "trunk_addresses[\(index)]"
            guard let address = SocketAddress(text), address.description == text, address.port > 0 else {
                throw AdminRejection.invalid(field, "must be an address and a port, such as 192.0.2.7:5060")
            }
            guard !addresses[..<index].contains(text) else { throw AdminRejection.invalid(field, "\(text) is there twice") }
            if let holder = try state.subscriber(trunkAddress: text), holder.id != subscriber.id { throw AdminRejection.taken(field, text) }
            if try state.gateway(host: address.host.description, port: UInt32(address.port)) != nil { throw AdminRejection.taken(field, text) }
        }
    }

    private static func isDay(_ text: String) -> Bool {
        // 2024 has every day that a year may have.
        let full = text.hasPrefix("--") ? "2024" + text.dropFirst() : text
        let parts = full.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]) else { return false }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return DateComponents(calendar: calendar, year: year, month: month, day: day).isValidDate(in: calendar)
    }

    /// The user part of a SIP URI that needs no escapes (RFC 3261 §25.1).
    private static func name(_ name: String, field: String) throws {
        guard (1...64).contains(name.utf8.count),
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.!~*'&=+$,".contains($0)) })
        else { throw AdminRejection.invalid(field, "must be 1 to 64 letters, digits or one of -_.!~*'&=+$,") }
    }

    /// Nobody shows a number that is not in the inventory of the line's provider.
    private static func callerID<State: ViewQueries & ~Copyable>(
        _ e164: String, _ tenant: Tenant, in state: borrowing State
    ) throws {
        guard !e164.isEmpty else { return }
        guard isE164(e164) else { throw AdminRejection.invalid("caller_id", "must be an E.164 number with +") }
        guard let customerID = CustomerID(tenant.customerID), let customer = try state.customer(customerID),
            let number = try state.number(e164: e164),
            number.providerID == customer.providerID
        else { throw AdminRejection.unknownReference("caller_id", e164) }
    }

    private static func underLimit<State: ViewQueries & ~Copyable>(
        _ tenant: Tenant, in state: borrowing State
    ) throws {
        guard let customerID = CustomerID(tenant.customerID), let customer = try state.customer(customerID),
            let planID = ServicePlanID(customer.servicePlanID), let plan = try state.servicePlan(planID)
        else { return }
        let limit = UInt64(customer.subscribersMax > 0 ? customer.subscribersMax : plan.subscribersMax)
        if limit > 0, try state.subscriberCount(of: customerID, limit: limit) >= limit {
            throw AdminRejection.limitReached(field: "tenant_id", limit: limit)
        }
    }
}

extension Subscriber {
    /// A group of settings of which none is set is as good as none.
    fileprivate mutating func leaveOutEmptySettings() {
        if forwards == LineForwards() { clearForwards() }
        if blocks == LineBlocks() { clearBlocks() }
        if hours == LineHours() { clearHours() }
        if trunk == LineTrunk() { clearTrunk() }
        if messages == LineMessages() { clearMessages() }
    }
}

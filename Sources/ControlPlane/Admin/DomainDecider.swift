import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Domains of others that a provider may give to tenants once it has shown, by a TXT record, that it may speak for them.
enum DomainDecider {
    static let countMax = 1_000

    static func add<State: ViewQueries & ~Copyable>(
        _ domain: Domain, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var domain = domain
        let id = try Checks.newID(domain.id, &decision)
        guard try state.domain(DomainID(id)) == nil else { throw AdminRejection.taken("id", id.description) }
        let provider = try Ownership.provider(domain.providerID, in: state)
        try StatusDecider.notTerminated(provider.status, field: "provider_id")
        domain.name = domain.name.lowercased()
        try Checks.domain(domain.name, field: "name")
        guard domain.name.contains(".") else { throw AdminRejection.invalid("name", "must have at least two labels") }
        if let holder = try namespace(holding: domain.name, in: state) {
            throw AdminRejection.invalid(
                "name", holder.id == provider.id
                    ? "is below the namespace \(holder.namespace) already, and needs no proof" : "is below another provider's namespace")
        }
        let others = try state.referrers(of: UUIDv7(bytes: provider.id) ?? .platform, kind: .domain, limit: countMax)
        guard others.count < countMax else { throw AdminRejection.limitReached(field: "provider_id", limit: UInt64(countMax)) }
        for other in others where try state.domain(DomainID(other))?.name == domain.name {
            throw AdminRejection.taken("name", domain.name)
        }
        // Who has not shown anything keeps nobody else from showing it.
        guard try state.domain(verified: domain.name) == nil else { throw AdminRejection.taken("name", domain.name) }
        domain.id = DomainID(id).data
        domain.token = hex(decision.random.bytes(16))
        domain.verifiedAt = 0
        domain.checkedAt = 0
        domain.fault = ""
        decision.record(.domainAdded(.with { $0.domain = domain }), in: id)
        return id
    }

    /// What a look at DNS has shown. A server that does not answer shows nothing, and is not recorded.
    static func record<State: ViewQueries & ~Copyable>(
        _ id: DomainID, _ finding: DomainFinding, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard var domain = try state.domain(id) else { throw AdminRejection.notFound("domain", id.description) }
        if let holder = try state.domain(verified: domain.name), holder.id != domain.id {
            throw AdminRejection.taken("name", domain.name)
        }
        domain.checkedAt = decision.wall.microseconds
        switch finding {
        case .proven:
            if domain.verifiedAt == 0 { domain.verifiedAt = decision.wall.microseconds }
            domain.fault = ""
        case .missing(let fault):
            // Tenants that have it keep it; nothing new is given out.
            domain.verifiedAt = 0
            domain.fault = fault
        }
        decision.record(.domainChanged(.with { $0.domain = domain }), in: id.value)
        return id.value
    }

    /// Throws if a tenant of the provider may not have the domain.
    static func check<State: ViewQueries & ~Copyable>(
        _ name: String, for provider: Provider, in state: borrowing State
    ) throws {
        if isWithin(name, provider.namespace) { return }
        for suffix in suffixes(of: name) {
            if let domain = try state.domain(verified: suffix), domain.providerID == provider.id { return }
        }
        throw AdminRejection.invalid(
            "domain",
            "is not below the namespace \(provider.namespace), and no verified domain of the provider holds it: "
                + "add it by POST /v1/domains, set the TXT record that the answer names, and verify it")
    }

    private static func namespace<State: ViewQueries & ~Copyable>(
        holding name: String, in state: borrowing State
    ) throws -> Provider? {
        for suffix in suffixes(of: name) {
            if let provider = try state.provider(namespace: suffix) { return provider }
        }
        return nil
    }

    private static func isWithin(_ name: String, _ parent: String) -> Bool { name == parent || name.hasSuffix("." + parent) }

    /// The name, then what is left of it label by label, down to two.
    private static func suffixes(of name: String) -> [String] {
        let labels = name.split(separator: ".")
        guard labels.count >= 2 else { return [] }
        return (0...(labels.count - 2)).map { labels.dropFirst($0).joined(separator: ".") }
    }
}

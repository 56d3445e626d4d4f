import ControlPlane
import DNS
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections

extension Domain: Blank {}

extension Shape<Domain> {
    static let domain = Shape(
        "Domain",
        [
            .id(\.id),
            .reference("provider_id", \.providerID, access: .fixed, isRequired: true, "The provider that may give it to tenants."),
            .text("name", \.name, access: .fixed, isRequired: true, max: 253, "In lower case; tenants may have it and what is below it."),
            .shown("record_name", Schema.text(max: 253), "Where the TXT record is to be set.") { domain, _ in .string(domain.recordName) },
            .shown("record_value", Schema.text(max: 128), "What it has to say.") { domain, _ in .string(domain.recordValue) },
            .time("verified_at", \.verifiedAt, access: .readOnly, "Since when it is verified; null: it is not."),
            .time("checked_at", \.checkedAt, access: .readOnly, "When DNS was asked last."),
            .text("fault", \.fault, access: .readOnly, max: 1_024, "What was missing then."),
        ])
}

/// Domains outside of a provider's namespace, shown to be its own by a TXT record.
enum Domains: Resource {
    static let kind = EntityKind.domain
    static let noun = "domain"
    static let segment = "domains"
    static let rights = ResourceRights(write: .writeParties)
    static let shape = Shape<Domain>.domain

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> Domain? {
        try views.domain(DomainID(id))
    }

    static func all(after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Domain] {
        try views.domains(after: id.map(DomainID.init), limit: limit)
    }

    static func id(of domain: Domain) -> UUIDv7? { UUIDv7(bytes: domain.id) }

    static func place(of domain: Domain, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(provider: domain.providerID)
    }

    static func references(of domain: Domain, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference] {
        [Reference("provider_id", .provider, UUIDv7(bytes: domain.providerID))]
    }

    static func create(_ domain: Domain) -> AdminCommand { .addDomain(domain) }

    static var operations: [ControlAPI.Operation] {
        basicOperations + [
            Operation(
                method: .post, path: itemPath + "/verify", name: "verifyDomain", tag: segment,
                summary: "Asks DNS for the TXT record, now. May be repeated at any time; a record that is gone takes the proof back.",
                access: .needs(.writeParties),
                success: .init(status: .ok, about: "It is verified.", schema: Schema.reference("Domain"), hasVersion: true),
                handle: { try await verify($0) })
        ]
    }

    private static func verify(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.id(idParameter)
        let domain = try exchange.read { views in
            let domain = try visible(id, to: exchange.reach, in: views)
            try mayChange(domain, exchange.token, .change, in: views)
            return domain
        }
        let finding: DomainFinding
        switch await exchange.platform.resolver.look(domain.recordName) {
        case .success(let texts): finding = domain.finding(in: texts)
        case .failure(.noSuchName): finding = domain.missing("there is no name \(domain.recordName)")
        case .failure(.noRecords): finding = domain.missing("\(domain.recordName) has no TXT record")
        case .failure(.unreachable(let reason)):
            throw Problem(
                .unavailable, "DNS does not answer for \(domain.recordName): \(reason). Nothing has changed; ask again later.",
                headers: [.retryAfter: "30"])
        case .failure(.malformedServers(let servers)):
            throw Problem(.unavailable, "The control plane's --dns-server \(servers) is no address: tell its operator.")
        }
        let outcome = try await exchange.submit(.recordDomainCheck(DomainID(id), finding))
        if case .missing(let fault) = finding { throw Problem(.conflict, fault.asSentence) }
        return try exchange.read { views in
            let domain = try visible(id, to: exchange.reach, in: views)
            return .ok(try json(domain, in: views), version: try views.version(of: id)).replayed(outcome.repeated)
        }
    }
}

extension TXTResolver {
    /// On a thread of its own: DNS may take seconds.
    func look(_ name: String) async -> Result<[String], DNSError> {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                do throws(DNSError) {
                    continuation.resume(returning: .success(try records(of: name)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
    }
}

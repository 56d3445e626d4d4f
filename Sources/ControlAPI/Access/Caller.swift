import ControlPlane
import HTTPTypes
import Hummingbird
import Model
import OpenSSL
import Primitives
import Projections

/// Who asks: the token that a request came with, and what it is worth now.
struct Caller: Sendable {
    let token: TokenID
    /// Stands in the history as who did it.
    let name: String
    /// What the request is done as: the token's own role, or the one in which its holder acts for somebody below.
    let role: Role
    let reach: Reach
    /// The node that is acted for, by the header `Act-As`; nil: the token's own scope.
    var actsFor: ActingFor?

    /// Of the party whose scope it is, or of one above it: the gravest.
    var status = Status.active

    func holds(_ right: Right) -> Bool { right.isHeld(by: role, at: reach.level) && right.isAllowed(to: status) }

    var authority: Authority { Authority(token: token, actingFor: actsFor?.id) }
}

/// A party that somebody above it acts for: `tenant/0190…`.
struct ActingFor: Hashable, Sendable, LosslessStringConvertible {
    let level: Level
    let id: UUIDv7

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let level = Level.allCases.first(where: { $0.word == parts[0] }), level != .platform,
            let id = UUIDv7(String(parts[1]))
        else { return nil }
        self.level = level
        self.id = id
    }

    var description: String { "\(level.word)/\(id)" }
}

extension Caller {
    /// RFC 6750. The secret is hashed at once; the views know tokens by their hashes alone.
    init(of request: Request, on platform: Platform) throws {
        let realm = #"Bearer realm="ledgerline""#
        guard let field = request.headers[.authorization] else {
            throw Problem(
                .unauthenticated, "Send a token as Authorization: Bearer.", headers: [.wwwAuthenticate: realm])
        }
        let parts = field.split(separator: " ", maxSplits: 1)
        let secret = parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]).trimmed : ""
        let hash = Hash.sha256(Array(secret.utf8))
        let actsFor = try request.headers[.actAs].map { text in
            guard let party = ActingFor(text.trimmed) else {
                throw Problem(
                    .badRequest, "Act-As cannot be accepted.",
                    faults: [FieldFault(.header("Act-As"), "must be provider/ID, customer/ID, tenant/ID or subscriber/ID")])
            }
            return party
        }
        let answer = try platform.views.read { views throws(ViewsError) in
            Result<Caller, any Error> { try Caller(secretHash: hash, actsFor: actsFor, in: views) }
        }
        do {
            self = try answer.get()
        } catch StandingError.gone {
            throw Problem(
                .unauthenticated, "The token is not known; it may have been revoked.",
                headers: [.wwwAuthenticate: realm + #", error="invalid_token""#])
        } catch StandingError.expired {
            throw Problem(
                .unauthenticated, "The token has expired.", headers: [.wwwAuthenticate: realm + #", error="invalid_token""#])
        } catch StandingError.terminated {
            throw Problem(.forbidden, "The party of this token is terminated; ask those above it.")
        } catch StandingError.mayNotAct {
            throw Problem(
                .forbidden, "The token does not allow to act for this party.",
                faults: [FieldFault(.header("Act-As"), "must name a party below the token's scope")])
        }
    }

    /// - Parameter hash: SHA-256 of the secret that was presented.
    /// Throws `StandingError`. A token whose scope is gone reaches nothing.
    init(secretHash hash: [UInt8], actsFor: ActingFor? = nil, in views: borrowing ViewSnapshot) throws {
        let standing = try views.standing(of: try views.token(secretHash: hash), actingFor: actsFor?.id, at: .now)
        guard let id = TokenID(standing.token.id) else { throw StandingError.gone }
        if let actsFor, actsFor.level != standing.reach.level { throw StandingError.mayNotAct }
        self.init(token: id, name: standing.token.name, role: standing.role, reach: standing.reach, actsFor: actsFor, status: standing.status)
    }
}

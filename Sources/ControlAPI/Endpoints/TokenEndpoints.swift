import ControlPlane
import Foundation
import HTTPTypes
import Model
import OpenSSL
import Primitives
import Projections

/// Bearer tokens. A secret is shown once, in the answer to the request that made it; nobody can read it again.
enum TokenEndpoints {
    private static let shape = Shape<Token>.token

    static let operations = [
        Operation(
            method: .get, path: "/v1/tokens", name: "listTokens", tag: "tokens",
            summary:
                "Lists the tokens whose scope is within the token's. A page may be short, and is the last only if next is null.",
            access: .needs(.readTokens), query: [.after, .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("TokenPage")),
            handle: { try list($0) }),
        Operation(
            method: .post, path: "/v1/tokens", name: "issueToken", tag: "tokens",
            summary: "Issues a token with at most the role and the scope of the asker.",
            access: .needs(.writeTokens),
            body: .init(schema: Schema.reference("NewToken")),
            success: .init(
                status: .created, about: "It is issued; the secret is shown once.",
                schema: Schema.reference("IssuedToken")),
            handle: { try await issue($0) }),
        Operation(
            method: .get, path: "/v1/tokens/self", name: "getOwnToken", tag: "tokens",
            summary: "The token that is presented.",
            access: .needs(.readOwnToken), success: .init(status: .ok, about: "The token.", schema: Schema.reference("Token")),
            handle: { exchange in
                let id = try exchange.token.token
                return try exchange.read { views in .ok(shape.json(try token(id, in: views))) }
            }),
        Operation(
            method: .get, path: "/v1/tokens/{token_id}", name: "getToken", tag: "tokens", summary: "Reads a token.",
            access: .needs(.readTokens),
            success: .init(status: .ok, about: "The token.", schema: Schema.reference("Token")),
            handle: { exchange in
                try exchange.read { views in .ok(shape.json(try visible(exchange, in: views))) }
            }),
        Operation(
            method: .delete, path: "/v1/tokens/{token_id}", name: "revokeToken", tag: "tokens",
            summary: "Revokes a token: it is refused from then on.", access: .needs(.writeTokens),
            success: .init(status: .noContent, about: "It is revoked."), handle: { try await revoke($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("Token", shape.schema), ("NewToken", shape.newSchema),
        ("TokenPage", Schema.page(of: Schema.reference("Token"))),
        (
            "IssuedToken",
            Schema.object(
                [
                    ("token", Schema.reference("Token")),
                    (
                        "secret",
                        Schema.orNull([
                            "type": "string",
                            "description":
                                "To be sent as Authorization: Bearer. Null when an idempotency key repeats the request: it was shown the first time.",
                        ])
                    ),
                ], required: ["token", "secret"])
        ),
    ]

    private static func list(_ exchange: Exchange) throws -> Reply {
        let reach = try exchange.reach
        let path = try exchange.query.path()
        guard path.count <= 1 else { throw Query.notACursor }
        return try exchange.read { views in
            let tokens = try views.tokens(after: path.first.map(TokenID.init), limit: exchange.query.limit)
            var items: [JSON] = []
            for token in tokens where try isWithin(reach, token, in: views) { items.append(shape.json(token)) }
            let isEnd = tokens.count < exchange.query.limit
            return .page(
                items, next: isEnd ? nil : tokens.last.flatMap { UUIDv7(bytes: $0.id) }.map { Cursor.text([$0]) })
        }
    }

    private static func issue(_ exchange: Exchange) async throws -> Reply {
        let caller = try exchange.token
        var token = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        guard caller.role.mayGrant(token.role) else {
            throw Problem(
                .forbidden, "A token with the role \(caller.role.literal) cannot issue one with \(token.role.literal).",
                faults: [FieldFault(.pointer("/role"), "must not be above \(caller.role.literal)")])
        }
        guard try exchange.read({ views in try isWithin(caller.reach, token, in: views) }) else {
            throw Problem.invalid("scope_id", "must name a node within the scope of the asker")
        }
        var random = RandomSource.system
        let secret = BearerToken(random: &random)
        token.secretHash = Data(Hash.sha256(Array(secret.text.utf8)))
        let outcome = try await exchange.submit(.issueToken(token))
        let issued = try exchange.read { views in try self.token(TokenID(outcome.id), in: views) }
        return Reply(
            .created,
            .json(["token": shape.json(issued), "secret": outcome.repeated ? .null : .string(secret.text)]),
            location: "/v1/tokens/\(outcome.id)"
        ).replayed(outcome.repeated)
    }

    private static func revoke(_ exchange: Exchange) async throws -> Reply {
        let caller = try exchange.token
        let id = TokenID(try exchange.id("token_id"))
        try exchange.read { views in
            let token = try visible(exchange, in: views)
            guard caller.role.mayGrant(token.role) else {
                throw Problem(
                    .forbidden,
                    "A token with the role \(caller.role.literal) cannot revoke one with \(token.role.literal).")
            }
        }
        let outcome = try await exchange.submit(.revokeToken(id))
        return Reply.done.replayed(outcome.repeated)
    }

    private static func visible(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> Token {
        let token = try token(TokenID(try exchange.id("token_id")), in: views)
        guard try isWithin(exchange.reach, token, in: views) else {
            throw Problem(.notFound, "There is no such token.")
        }
        return token
    }

    private static func token(_ id: TokenID, in views: borrowing ViewSnapshot) throws -> Token {
        guard let token = try views.token(id) else { throw Problem(.notFound, "There is no such token.") }
        return token
    }

    private static func isWithin(_ reach: Reach, _ token: Token, in views: borrowing ViewSnapshot) throws -> Bool {
        guard let scope = try views.reach(scope: UUIDv7(bytes: token.scopeID)), scope != .platform else {
            return reach == .platform
        }
        return reach.holds(try views.place(of: scope) ?? Place())
    }
}

import ControlPlane
import Foundation
import HTTPTypes
import Model
import OpenSSL
import Primitives
import Projections

/// Logging in and out. Whatever is wrong, the answer is the same, and takes the time of a look at a password.
enum SessionEndpoints {
    private static let request = Shape<Form>.form(
        "Login",
        [
            ("email", true, 254, "Of the user."), ("password", true, 512, "Its password."),
            ("code", false, 16, "Six digits of the app, or a recovery code; of users with a second factor."),
        ])

    static let operations = [
        Operation(
            method: .post, path: "/v1/sessions", name: "logIn", tag: "users",
            summary: "Gives a token with the user's role and scope, for some hours.", access: .open,
            body: .init(schema: Schema.reference("Login")),
            success: .init(status: .created, about: "Logged in.", schema: Schema.reference("Session")),
            problems: [.unauthenticated, .tooManyRequests], handle: { try await logIn($0) }),
        Operation(
            method: .delete, path: "/v1/sessions/self", name: "logOut", tag: "users", summary: "The token is refused from then on.",
            access: .needs(.readOwnToken), success: .init(status: .noContent, about: "Logged out."),
            handle: { exchange in
                _ = try exchange.read { views in try exchange.loggedInUser(in: views) }
                _ = try await exchange.submit(.identity(.logOut(try exchange.token.token)))
                return .done
            }),
        Operation(
            method: .get, path: "/v1/users/self", name: "getOwnUser", tag: "users", summary: "Who has logged in.",
            access: .needs(.readOwnToken), success: .init(status: .ok, about: "The user.", schema: Schema.reference("User")),
            past: .never,
            handle: { exchange in
                try exchange.read { views in .ok(try Users.json(try exchange.loggedInUser(in: views), in: views)) }
            }),
    ]

    static let schemas: [(String, JSON)] = [
        ("Login", request.newSchema),
        (
            "Session",
            Schema.object(
                [
                    ("secret", ["type": "string", "description": "To be sent as Authorization: Bearer."]),
                    ("expires_at", Schema.time), ("user", Schema.reference("User")),
                ], required: ["secret", "expires_at", "user"])
        ),
    ]

    static let refused = Problem(
        .unauthenticated, "E-mail address, password or code are not accepted.", headers: [.wwwAuthenticate: #"Bearer realm="ledgerline""#])

    private static func logIn(_ exchange: Exchange) async throws -> Reply {
        let form = try exchange.decode { body, faults in request.new(body, FieldContext(), &faults) }
        try exchange.throttle(.password)
        let desk = try exchange.desk
        let password = Password(form["password"])
        let found = try exchange.read { views -> (User, LoginState)? in
            guard let email = EmailAddress.normalised(form["email"]), let user = try views.user(email: email),
                let id = UserID(user.id)
            else { return nil }
            return (user, try views.logins(of: id))
        }
        guard let (user, logins) = found, let id = UserID(user.id), user.passwordSetAt != 0 else {
            try await PasswordThread.run { desk.lookAtNothing(password) }
            throw refused
        }
        let secret = try exchange.secret(of: user)
        let isRight = try await PasswordThread.run { secret.accepts(password) ?? false }
        let now = WallTime.now
        guard logins.lockedUntil <= now.microseconds else { throw refused }
        guard isRight, user.status == .active else { throw try await wrong(id, exchange) }
        var step: UInt64 = 0
        var recovery = Data()
        if user.secondFactorSince != 0 {
            guard !form["code"].isEmpty else {
                throw Problem(
                    .unauthenticated, "This user has a second factor: send its code, too.", faults: [FieldFault(.pointer("/code"), "is required")],
                    headers: refused.headers)
            }
            if let found = TOTP(key: Array(secret.totpKey)).step(of: form["code"].trimmed, at: now, after: logins.totpStep) {
                step = found
            } else if secret.recoveryHashes.contains(RecoveryCode.hash(form["code"])) {
                recovery = RecoveryCode.hash(form["code"])
            } else {
                throw try await wrong(id, exchange)
            }
        }
        var random = RandomSource.system
        let bearer = BearerToken(random: &random)
        var token = Token()
        token.name = "user \(id) \(hex(random.bytes(4)))"
        token.secretHash = Data(Hash.sha256(Array(bearer.text.utf8)))
        let finding = LoginFinding.right(session: token, passwordSetAt: user.passwordSetAt, step: step, recovery: recovery)
        let outcome: AdminOutcome
        do {
            outcome = try await exchange.submit(openly: .recordLogin(id, finding), as: "log in")
        } catch AdminRejection.forbidden {
            // The code was used, the password changed or the user locked out since it was looked at.
            throw refused
        }
        return try exchange.read { views in
            guard let issued = try views.token(TokenID(outcome.id)) else { throw refused }
            return Reply(
                .created,
                .json([
                    "secret": .string(bearer.text), "expires_at": JSON.time(microseconds: issued.expiresAt),
                    "user": try Users.json(user, in: views),
                ]))
        }
    }

    private static func wrong(_ id: UserID, _ exchange: Exchange) async throws -> Problem {
        do {
            _ = try await exchange.submit(openly: .recordLogin(id, .wrong), as: "log in")
        } catch AdminRejection.forbidden {
            // Locked out in the meantime.
        }
        return refused
    }
}

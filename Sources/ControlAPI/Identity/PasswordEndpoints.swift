import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

/// Passwords: forgotten, set by a link, changed by whoever knows the old one.
enum PasswordEndpoints {
    struct Draft: Blank {
        var token = ""
        var old = ""
        var password: Password?
    }

    private static let forgotten = Shape<Form>.form("ForgottenPassword", [("email", true, 254, "Of the user.")])
    private static let new = Shape<Draft>(
        "NewPassword",
        [
            .text("token", \.token, isRequired: true, max: 128, "What the link in the mail ends with."),
            .newPassword("password", \.password),
        ])
    private static let changed = Shape<Draft>(
        "ChangedPassword",
        [.text("old_password", \.old, isRequired: true, max: 512, "The one until now."), .newPassword("password", \.password)])

    static let operations = [
        Operation(
            method: .post, path: "/v1/password-resets", name: "requestPasswordReset", tag: "users",
            summary: "Sends a link to set a new password. The answer is the same whether somebody has the address or not.",
            access: .open, body: .init(schema: Schema.reference("ForgottenPassword")),
            success: .init(status: .accepted, about: "Mail is on its way, if it is somebody's address."), problems: [.tooManyRequests],
            handle: { exchange in
                let form = try exchange.decode { body, faults in forgotten.new(body, FieldContext(), &faults) }
                try exchange.needMail()
                try exchange.throttle(.mail)
                try exchange.throttle(.recipient, form["email"].lowercased())
                _ = try await exchange.submit(openly: .requestPasswordReset(email: form["email"]), as: "password reset")
                exchange.sendMail()
                return Reply(.accepted, .none)
            }),
        Operation(
            method: .post, path: "/v1/password-resets/confirm", name: "setPassword", tag: "users",
            summary: "Sets the password by the link of a reset or an invitation, and ends all sessions.", access: .open,
            body: .init(schema: Schema.reference("NewPassword")),
            success: .init(status: .noContent, about: "It is set."), problems: [.tooManyRequests],
            handle: { exchange in
                let draft = try exchange.decode { body, faults in new.new(body, FieldContext(), &faults) }
                try exchange.throttle(.link)
                let letter = try exchange.letter(draft.token)
                guard let password = draft.password else { throw Problem.invalid("password", "is required") }
                _ = try await exchange.submit(openly: .setPassword(letter, try await exchange.hashed(password)), as: "password reset")
                exchange.sendMail()
                return .done
            }),
        Operation(
            method: .post, path: "/v1/users/self/password", name: "changeOwnPassword", tag: "users",
            summary: "Sets another password, and ends all sessions, this one too.", access: .needs(.readOwnToken),
            body: .init(schema: Schema.reference("ChangedPassword")),
            success: .init(status: .noContent, about: "It is changed."), problems: [.tooManyRequests], handle: { try await change($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("ForgottenPassword", forgotten.newSchema), ("NewPassword", new.newSchema), ("ChangedPassword", changed.newSchema),
    ]

    private static func change(_ exchange: Exchange) async throws -> Reply {
        let user = try exchange.read { views in try exchange.loggedInUser(in: views) }
        let draft = try exchange.decode { body, faults in changed.new(body, FieldContext(), &faults) }
        try exchange.throttle(.password)
        guard let id = UserID(user.id), let password = draft.password else { throw Problem.invalid("password", "is required") }
        try await check(draft.old, of: user, id, exchange)
        let hash = try await exchange.hashed(password)
        _ = try await exchange.submit(.identity(.changePassword(id, hash, replacing: user.passwordSetAt)))
        exchange.sendMail()
        return .done
    }

    /// A stolen session is not enough for what changes how one logs in. Wrong ones count towards the lock.
    static func check(_ old: String, of user: User, _ id: UserID, _ exchange: Exchange) async throws {
        let secret = try exchange.secret(of: user)
        let isRight = try await PasswordThread.run { secret.accepts(Password(old)) ?? false }
        let lockedUntil = try exchange.read { views in try views.logins(of: id).lockedUntil }
        guard lockedUntil <= WallTime.now.microseconds else { throw Problem.invalid("old_password", "is not accepted") }
        guard !isRight else { return }
        _ = try await exchange.submit(openly: .recordLogin(id, .wrong), as: "log in")
        throw Problem.invalid("old_password", "is not accepted")
    }
}

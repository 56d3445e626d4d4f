import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

/// One-time codes of an app (RFC 6238), if the user wants them.
enum SecondFactorEndpoints {
    private static let withPassword = Shape<Form>.form(
        "SecondFactorOffer", [("old_password", true, 512, "The user's password: a session alone is not enough.")])
    private static let withCode = Shape<Form>.form("SecondFactorCode", [("code", true, 16, "Six digits of the app, or a recovery code.")])

    static let operations = [
        Operation(
            method: .post, path: "/v1/users/self/second-factor", name: "offerSecondFactor", tag: "users",
            summary: "Makes a key for the user's app. It counts once a code of it has come back.", access: .needs(.readOwnToken),
            body: .init(schema: Schema.reference("SecondFactorOffer")),
            success: .init(status: .ok, about: "The key, shown once.", schema: Schema.reference("SecondFactorKey")),
            problems: [.tooManyRequests], handle: { try await offer($0) }),
        Operation(
            method: .post, path: "/v1/users/self/second-factor/confirm", name: "confirmSecondFactor", tag: "users",
            summary: "From now on logging in needs a code. The recovery codes are shown once.", access: .needs(.readOwnToken),
            body: .init(schema: Schema.reference("SecondFactorCode")),
            success: .init(status: .ok, about: "It is in force.", schema: Schema.reference("RecoveryCodes")),
            problems: [.tooManyRequests], handle: { try await confirm($0) }),
        Operation(
            method: .post, path: "/v1/users/self/second-factor/remove", name: "removeSecondFactor", tag: "users",
            summary: "The password alone lets in again. Needs a code.", access: .needs(.readOwnToken),
            body: .init(schema: Schema.reference("SecondFactorCode")), success: .init(status: .noContent, about: "It is removed."),
            problems: [.tooManyRequests], handle: { try await remove($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("SecondFactorOffer", withPassword.newSchema), ("SecondFactorCode", withCode.newSchema),
        (
            "SecondFactorKey",
            Schema.object(
                [
                    ("secret", ["type": "string", "description": "In base 32, to be typed in."]),
                    ("uri", ["type": "string", "description": "otpauth://…, to be shown as a QR code."]),
                ], required: ["secret", "uri"])
        ),
        ("RecoveryCodes", Schema.object([("recovery_codes", Schema.list(Schema.text(max: 11)))], required: ["recovery_codes"])),
    ]

    private static func offer(_ exchange: Exchange) async throws -> Reply {
        let user = try exchange.read { views in try exchange.loggedInUser(in: views) }
        let form = try exchange.decode { body, faults in withPassword.new(body, FieldContext(), &faults) }
        try exchange.throttle(.password)
        guard let id = UserID(user.id) else { throw Problem(.notFound, "The user is gone.") }
        try await PasswordEndpoints.check(form["old_password"], of: user, id, exchange)
        var random = RandomSource.system
        let totp = TOTP(key: random.bytes(TOTP.keyBytes))
        _ = try await exchange.submit(.identity(.offerSecondFactor(id, key: totp.key)))
        return .ok([
            "secret": .string(Base32.encode(totp.key)),
            "uri": .string(totp.uri(issuer: exchange.platform.origin, account: user.email)),
        ])
    }

    private static func confirm(_ exchange: Exchange) async throws -> Reply {
        let (user, logins, form) = try read(exchange)
        guard let id = UserID(user.id) else { throw Problem(.notFound, "The user is gone.") }
        let secret = try exchange.secret(of: user)
        guard !secret.totpCandidate.isEmpty else { throw Problem(.conflict, "There is no second factor to confirm: ask for one first.") }
        guard let step = TOTP(key: Array(secret.totpCandidate)).step(of: form["code"].trimmed, at: .now, after: logins.totpStep) else {
            throw Problem.invalid("code", "is not the app's: is its clock right?")
        }
        var random = RandomSource.system
        let codes = RecoveryCode.make(&random)
        _ = try await exchange.submit(
            .identity(.confirmSecondFactor(id, step: step, recoveryHashes: codes.map(RecoveryCode.hash))))
        return .ok(["recovery_codes": .array(codes.map(JSON.string))])
    }

    private static func remove(_ exchange: Exchange) async throws -> Reply {
        let (user, logins, form) = try read(exchange)
        guard let id = UserID(user.id) else { throw Problem(.notFound, "The user is gone.") }
        let secret = try exchange.secret(of: user)
        guard user.secondFactorSince != 0 else { throw Problem(.conflict, "There is no second factor.") }
        let step = TOTP(key: Array(secret.totpKey)).step(of: form["code"].trimmed, at: .now, after: logins.totpStep)
        guard logins.lockedUntil <= WallTime.now.microseconds, step != nil || secret.recoveryHashes.contains(RecoveryCode.hash(form["code"]))
        else {
            do {
                _ = try await exchange.submit(openly: .recordLogin(id, .wrong), as: "log in")
            } catch AdminRejection.forbidden {
                // Locked out already.
            }
            throw Problem.invalid("code", "is not accepted")
        }
        _ = try await exchange.submit(.identity(.removeSecondFactor(id, step: step ?? 0)))
        return .done
    }

    private static func read(_ exchange: Exchange) throws -> (User, LoginState, Form) {
        let (user, logins) = try exchange.read { views -> (User, LoginState) in
            let user = try exchange.loggedInUser(in: views)
            guard let id = UserID(user.id) else { throw Problem(.notFound, "The user is gone.") }
            return (user, try views.logins(of: id))
        }
        let form = try exchange.decode { body, faults in withCode.new(body, FieldContext(), &faults) }
        try exchange.throttle(.password)
        return (user, logins, form)
    }
}

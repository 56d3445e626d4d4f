import Model
import Primitives
import Projections

extension ControlCore {
    func decide(
        _ command: IdentityCommand, _ views: borrowing ViewTransaction, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let rules = settings.identity
        switch command {
        case .requestSignUp(let email, let language, let provider, let becomesProvider):
            return try SignUpDecider.request(
                email: email, language: language, provider: provider, becomesProvider: becomesProvider, rules, in: views, &decision)
        case .confirmSignUp(let letter, let form):
            return try SignUpDecider.confirm(letter, form, rules, vault: vault, in: views, &decision)
        case .createUser(let user): return try UserDecider.create(user, rules, in: views, &decision)
        case .changeUser(let user, _): return try UserDecider.change(user, in: views, &decision)
        case .requestPasswordReset(let email):
            return try LoginDecider.requestReset(email: email, rules, in: views, &decision)
        case .setPassword(let letter, let password):
            return try LoginDecider.setPassword(letter, password, vault: vault, in: views, &decision)
        case .changePassword(let user, let password, let replaced):
            return try LoginDecider.changePassword(
                user, password, replacing: replaced, vault: vault, in: views, &decision)
        case .recordLogin(let user, let finding):
            return try LoginDecider.record(user, finding, rules, vault: vault, in: views, &decision)
        case .logOut(let token): return try LoginDecider.logOut(token, in: views, &decision)
        case .offerSecondFactor(let user, let key):
            return try LoginDecider.offerSecondFactor(user, key: key, vault: vault, in: views, &decision)
        case .confirmSecondFactor(let user, let step, let hashes):
            return try LoginDecider.confirmSecondFactor(
                user, step: step, recoveryHashes: hashes, vault: vault, in: views, &decision)
        case .removeSecondFactor(let user, let step):
            return try LoginDecider.removeSecondFactor(user, step: step, vault: vault, in: views, &decision)
        case .recordLetterSent(let sent): return try LetterDecider.record(sent, in: views, &decision)
        case .recordLetterFailure(let failed): return try LetterDecider.record(failed, in: views, &decision)
        }
    }
}

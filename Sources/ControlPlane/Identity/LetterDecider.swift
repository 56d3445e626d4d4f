import Foundation
import Invoices
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Mail that is wanted: the fact is in the log with the fact that it is about, and whoever sends it reads it there.
enum LetterDecider {
    /// - Parameter link: how long the link in it may be followed; nil: it has none.
    @discardableResult
    static func want(
        _ kind: LetterKind, to email: String, name: String, language: String, subject: UUIDv7?, provider: Data, link: Duration?,
        passwordSetAt: Int64 = 0, becomesProvider: Bool = false, _ decision: inout Decision
    ) -> LetterID {
        let id = LetterID(decision.newID())
        var letter = Letter()
        letter.id = id.data
        letter.kind = kind
        // Whoever signs up is somebody already: what is sealed now is under the key of the user to be.
        letter.subjectID = Data((subject ?? decision.newID()).bytes)
        letter.providerID = provider
        letter.to = email
        letter.name = name
        letter.language = language
        letter.wantedAt = decision.wall.microseconds
        letter.expiresAt = link.map { (decision.wall + $0).microseconds } ?? 0
        letter.passwordSetAt = passwordSetAt
        letter.becomesProvider = becomesProvider
        decision.record(.letterWanted(.with { $0.letter = letter }), in: id.value)
        return id
    }

    /// To whom an invoice is for.
    @discardableResult
    static func tell(of invoice: InvoiceIssued, to buyer: Buyer, _ decision: inout Decision) -> LetterID {
        var letter = Letter()
        letter.kind = .invoice
        letter.invoiceID = invoice.id
        // Under the same key as the buyer's name on it; a provider's may have changed since.
        switch invoice.debtor {
        case .customer(let id)?: letter.subjectID = id.data
        case .provider?, nil: letter.subjectID = buyer.contactID.isEmpty ? invoice.buyerContactID : buyer.contactID
        }
        return tell(letter, to: buyer, &decision)
    }

    /// To a customer, whose threshold was crossed.
    static func tell(of alert: AlertRaised, _ customer: CustomerID, _ buyer: Buyer, _ decision: inout Decision) {
        var letter = Letter()
        letter.kind = .alert
        letter.alertID = alert.id
        letter.subjectID = customer.data
        _ = tell(letter, to: buyer, &decision)
    }

    /// Where there is no address, that is the end of the letter, and a fact.
    private static func tell(_ draft: Letter, to buyer: Buyer, _ decision: inout Decision) -> LetterID {
        let id = LetterID(decision.newID())
        var letter = draft
        letter.id = id.data
        letter.providerID = buyer.seller
        letter.to = EmailAddress.normalised(buyer.party.email) ?? ""
        letter.name = buyer.party.name
        letter.language = buyer.language
        letter.wantedAt = decision.wall.microseconds
        decision.record(.letterWanted(.with { $0.letter = letter }), in: stream(of: letter, id))
        guard letter.to.isEmpty else { return id }
        var failed = LetterFailed()
        (failed.letterID, failed.attempt) = (letter.id, 1)
        failed.reason = buyer.party.email.isEmpty ? "neither the buyer nor its contact has an e-mail address" : "what the buyer has is no e-mail address"
        decision.record(.letterFailed(failed), in: stream(of: letter, id))
        return id
    }

    /// What becomes of an invoice's mail is told where the invoice is.
    private static func stream(of letter: Letter, _ id: LetterID) -> UUIDv7 { UUIDv7(bytes: letter.invoiceID) ?? id.value }

    /// The letter whose link is followed, if it still leads somewhere.
    static func followed<State: ViewQueries & ~Copyable>(
        _ id: LetterID, _ kinds: [LetterKind], in state: borrowing State, _ decision: borrowing Decision
    ) throws -> Letter {
        guard let found = try state.letter(id), kinds.contains(found.letter.kind), !found.letter.to.isEmpty else {
            throw AdminRejection.invalid("token", "leads nowhere: ask for a new link")
        }
        guard found.usedAt == 0 else { throw AdminRejection.invalid("token", "was used already: ask for a new link") }
        guard found.letter.expiresAt > decision.wall.microseconds else {
            throw AdminRejection.invalid("token", "has expired: ask for a new link")
        }
        return found.letter
    }

    static func use(_ letter: Letter, by user: UserID, _ decision: inout Decision) throws {
        let id = try Checks.existingID(letter.id)
        decision.record(
            .letterUsed(
                .with {
                    $0.letterID = letter.id
                    $0.userID = user.data
                }), in: id)
    }

    static func record<State: ViewQueries & ~Copyable>(
        _ sent: LetterSent, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let letter = try due(sent.letterID, sent.attempt, in: state)
        let id = try Checks.existingID(letter.id)
        decision.record(.letterSent(sent), in: stream(of: letter, LetterID(id)))
        return id
    }

    static func record<State: ViewQueries & ~Copyable>(
        _ failed: LetterFailed, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let letter = try due(failed.letterID, failed.attempt, in: state)
        let id = try Checks.existingID(letter.id)
        try Checks.shortText(failed.reason, field: "reason")
        decision.record(.letterFailed(failed), in: stream(of: letter, LetterID(id)))
        return id
    }

    /// An attempt is recorded once.
    private static func due<State: ViewQueries & ~Copyable>(
        _ letter: Data, _ attempt: UInt32, in state: borrowing State
    ) throws -> Letter {
        let id = try Checks.existingID(letter)
        guard let found = try state.letter(LetterID(id)), found.dueAt != 0 else {
            throw AdminRejection.notFound("letter that is due", id.description)
        }
        guard attempt == found.attempts + 1 else {
            throw AdminRejection.invalid("attempt", "must be \(found.attempts + 1)")
        }
        return found.letter
    }
}

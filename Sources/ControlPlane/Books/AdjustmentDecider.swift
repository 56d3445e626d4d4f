import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Adjustments beyond their seller's limit: asked for by one, approved or refused by another, or forgotten.
///
///     requested ──approve──▶ approved, posted
///         ├──refuse──▶ refused
///         └──its days are over──▶ expired
enum AdjustmentDecider {
    static let daysDefault: UInt32 = 7
    static let daysMax: UInt32 = 90

    /// Who asks or decides, as far as it can be told apart.
    struct Asker {
        var token: TokenID
        var name: String
    }

    /// nil: it is within the limit, and needs nobody else.
    static func request<State: ViewQueries & ~Copyable>(
        _ party: Party, _ amount: Amount, reason: String, _ asker: Asker, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7? {
        guard let billing = try state.billing(ofSeller: party.seller),
            billing.hasApprovalAboveMicros, amount.micros.magnitude > billing.approvalAboveMicros.magnitude
        else { return nil }
        let id = decision.newID()
        let days = billing.approvalDays == 0 ? daysDefault : billing.approvalDays
        var request = AdjustmentRequested()
        request.id = Data(id.bytes)
        request.debtor = party.debtor
        request.amount = amount
        request.reason = reason
        request.tokenID = asker.token.data
        request.userID = try state.token(asker.token)?.userID ?? Data()
        request.requestedBy = asker.name
        request.expiresAt = (decision.wall + .seconds(Int64(days) * 86_400)).microseconds
        decision.record(.adjustmentRequested(request), in: id)
        return id
    }

    static func approve<State: ViewQueries & ~Copyable>(
        _ id: AdjustmentID, by asker: Asker, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let request = try waiting(id, in: state)
        try isAnother(asker, than: request, in: state)
        guard request.expiresAt > decision.wall.microseconds else {
            throw AdminRejection.inUse(reason: "the request expired on \(WallTime(microseconds: request.expiresAt).rfc3339)")
        }
        guard let debtor = request.debtor, let party = try Party(debtor, in: state) else {
            throw AdminRejection.inUse(reason: "whose account it was is gone")
        }
        let journal = try JournalDecider.post(party, request.amount, reason: request.reason, in: state, &decision)
        var decided = self.decision(request, .approved, asker, reason: "")
        decided.journalID = Data(journal.bytes)
        decision.record(.adjustmentDecided(decided), in: id.value)
        return journal
    }

    /// Whoever asked may take it back.
    static func refuse<State: ViewQueries & ~Copyable>(
        _ id: AdjustmentID, by asker: Asker, reason: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let request = try waiting(id, in: state)
        try Checks.shortText(reason, field: "reason")
        decision.record(.adjustmentDecided(self.decision(request, .refused, asker, reason: reason)), in: id.value)
        return id.value
    }

    static func expire<State: ViewQueries & ~Copyable>(
        _ id: AdjustmentID, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let request = try waiting(id, in: state)
        guard request.expiresAt <= decision.wall.microseconds else {
            throw AdminRejection.invalid("id", "the request has not expired")
        }
        decision.record(.adjustmentDecided(self.decision(request, .expired, nil, reason: "")), in: id.value)
        return id.value
    }

    private static func waiting<State: ViewQueries & ~Copyable>(
        _ id: AdjustmentID, in state: borrowing State
    ) throws -> AdjustmentRequested {
        guard let found = try state.adjustment(id) else { throw AdminRejection.notFound("request for an adjustment", id.description) }
        guard !found.hasDecided else {
            throw AdminRejection.inUse(reason: "the request was \(found.decided.outcome.literal) on \(WallTime(microseconds: found.decidedAt).rfc3339)")
        }
        return found.requested
    }

    /// Another token, of another person, and not one that the first has issued for the purpose.
    private static func isAnother<State: ViewQueries & ~Copyable>(
        _ asker: Asker, than request: AdjustmentRequested, in state: borrowing State
    ) throws {
        let token = try state.token(asker.token)
        let isSame =
            asker.token.data == request.tokenID || asker.name == request.requestedBy
            || (!request.userID.isEmpty && token?.userID == request.userID) || token?.issuedBy == request.requestedBy
        guard !isSame else {
            throw AdminRejection.forbidden(reason: "a second person has to approve this: another token, that the first did not issue")
        }
    }

    private static func decision(
        _ request: AdjustmentRequested, _ outcome: AdjustmentOutcome, _ asker: Asker?, reason: String
    ) -> AdjustmentDecided {
        var decided = AdjustmentDecided()
        decided.id = request.id
        decided.customerID = request.customerID
        decided.providerID = request.providerID
        decided.outcome = outcome
        decided.tokenID = asker?.token.data ?? Data()
        decided.decidedBy = asker?.name ?? ""
        decided.reason = reason
        return decided
    }
}

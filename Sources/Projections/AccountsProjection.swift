import Foundation
package import Model
import Primitives

/// What every account stands at, how it came there, and what is held for calls that run.
package enum AccountsProjection: Projection {
    package static let name = "accounts"
    package static let version: UInt32 = 1
    package static let tables: [Table] = [.accounts, .postings, .holds, .journals]

    package static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .journalPosted(let event): try post(event, context, in: &views)
        case .callStarted(let event):
            guard event.hasHold else { return }
            try hold(event.hold, for: try views.key(event.callID, "call_id", context), context, in: &views)
        case .creditRenewed(let event):
            try hold(event.hold, for: try views.key(event.callID, "call_id", context), context, in: &views)
        case .callEnded(let event): try release(try views.key(event.callID, "call_id", context), context, in: &views)
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated,
            .rateDeckVersionPublished, .servicePlanCreated, .servicePlanChanged, .customerCreated, .customerChanged,
            .dialPlanCreated, .dialPlanChanged, .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged,
            .numberAdded, .numberChanged, .subscriberCreated, .subscriberChanged, .entityRemoved, .tokenIssued,
            .tokenRevoked, .workerEnrolled, .workerRevoked, .callAnswered, .callUpdated, .callAdopted, .cdrRecorded:
            break
        }
    }

    private static func post(
        _ journal: JournalPosted, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        if let imbalance = Posting.imbalance(of: journal.postings) {
            throw .broken(sequence: context.sequence, .unbalanced(imbalance))
        }
        for (index, posting) in journal.postings.enumerated() {
            let key = try accountKey(posting.account, context)
            let state = try change(posting.account, context, in: &views) { state in
                state.postings += 1
                return add(posting.amountMicros, to: &state.balanceMicros)
            }
            var line = AccountPosting()
            line.sequence = context.sequence
            line.index = UInt32(index)
            line.amountMicros = posting.amountMicros
            line.balanceMicros = state.balanceMicros
            line.journalID = journal.id
            line.kind = journal.kind
            line.callID = journal.callID
            line.reason = journal.reason
            line.postedAt = context.time.microseconds
            try views.putMessage(line, key.adding(context.sequence).adding(UInt32(index)), in: .postings)
        }
        try views.put(Key(context.sequence).bytes, try views.key(journal.id, "id", context), in: .journals)
    }

    /// A hold replaces what was held for the call before.
    private static func hold(
        _ hold: CreditHold, for call: Key, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        try release(call, context, in: &views)
        _ = try change(hold.account, context, in: &views) { add(hold.amountMicros, to: &$0.heldMicros) }
        try views.putMessage(hold, call, in: .holds)
    }

    private static func release(
        _ call: Key, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        guard let hold = try views.message(CreditHold.self, call, in: .holds) else { return }
        _ = try change(hold.account, context, in: &views) { state in
            let (difference, overflow) = state.heldMicros.subtractingReportingOverflow(hold.amountMicros)
            state.heldMicros = difference
            return !overflow
        }
        try views.remove(call, in: .holds)
    }

    /// - Parameter body: false if the account cannot hold it.
    private static func change(
        _ account: AccountRef, _ context: EventContext, in views: inout ViewTransaction,
        _ body: (inout AccountState) -> Bool
    ) throws(ViewsError) -> AccountState {
        let key = try accountKey(account, context)
        var state = try views.message(AccountState.self, key, in: .accounts) ?? AccountState(account)
        guard body(&state) else { throw .broken(sequence: context.sequence, .accountOverflow(kind: account.kind)) }
        try views.putMessage(state, key, in: .accounts)
        return state
    }

    private static func add(_ amount: Int64, to value: inout Int64) -> Bool {
        let (sum, overflow) = value.addingReportingOverflow(amount)
        value = sum
        return !overflow
    }

    private static func accountKey(_ account: AccountRef, _ context: EventContext) throws(ViewsError) -> Key {
        guard let key = Key(account) else { throw .broken(sequence: context.sequence, .malformedField("account")) }
        return key
    }
}

extension AccountState {
    /// An account that nothing has happened to.
    init(_ account: AccountRef) {
        self.init()
        self.account = account
    }
}

extension Key {
    /// Kind, owner and currency: 20 bytes. nil if one of them cannot be.
    init?(_ account: AccountRef) {
        guard let kind = UInt8(exactly: account.kind.rawValue), let currency = Currency(account.currency) else {
            return nil
        }
        self.init([kind])
        if account.ownerID.isEmpty {
            add(UUIDv7.platform)
        } else {
            guard let owner = UUIDv7(account.ownerID) else { return nil }
            add(owner)
        }
        add(text: currency.code)
    }
}

package import Model
package import Primitives

extension ViewQueries where Self: ~Copyable {
    /// An account that nothing has happened to stands at zero.
    package func account(_ account: AccountRef) throws(ViewsError) -> AccountState {
        guard let key = Key(account) else { return AccountState(account) }
        return try message(AccountState.self, key, in: .accounts) ?? AccountState(account)
    }

    package func balance(_ account: AccountRef) throws(ViewsError) -> Int64 { try self.account(account).balanceMicros }

    /// What is set aside for calls that run; part of the balance.
    package func held(_ account: AccountRef) throws(ViewsError) -> Int64 { try self.account(account).heldMicros }

    /// Balance less holds. Saturates: an account that is so far below zero has nothing to spend anyway.
    package func available(_ account: AccountRef) throws(ViewsError) -> Int64 {
        let state = try self.account(account)
        let (difference, overflow) = state.balanceMicros.subtractingReportingOverflow(state.heldMicros)
        return overflow ? (state.heldMicros > 0 ? .min : .max) : difference
    }

    /// All accounts, by kind, owner and currency.
    package func accounts(after: AccountRef? = nil, limit: Int) throws(ViewsError) -> [AccountState] {
        try messages(AccountState.self, in: .accounts, after: after.flatMap(Key.init), limit: limit)
    }

    /// The accounts of one owner: as many as kinds and currencies, so a few. nil: the platform's own.
    package func accounts(owner: UUIDv7?) throws(ViewsError) -> [AccountState] {
        var states: [AccountState] = []
        for kind in AccountKind.allCases {
            let prefix = Key([UInt8(truncatingIfNeeded: kind.rawValue)]).adding(owner ?? .platform)
            states += try messages(AccountState.self, in: .accounts, prefix: prefix, limit: .max)
        }
        return states
    }

    /// Movements of one account, the oldest first.
    package func postings(
        of account: AccountRef, after: (sequence: UInt64, index: UInt32)? = nil, limit: Int
    ) throws(ViewsError) -> [AccountPosting] {
        guard let prefix = Key(account) else { return [] }
        let last = after.map { prefix.adding($0.sequence).adding($0.index) }
        var postings: [AccountPosting] = []
        for (key, value) in try page(.postings, prefix: prefix, after: last, limit: limit) {
            postings.append(try posting(key, value))
        }
        return postings
    }

    /// The row has the amount and the balance after it; the rest is said by the journal's event.
    private func posting(_ key: Key, _ value: [UInt8]) throws(ViewsError) -> AccountPosting {
        var posting = try decoded(AccountPosting.self, value, of: .postings)
        var reader = KeyReader(Array(key.bytes.suffix(12)))
        guard let sequence = reader.number64(), let index = reader.number32() else { throw .unreadable(table: .postings) }
        let fact = try fact(at: sequence)
        let journal = try decoded(JournalPosted.self, fact.payload, of: .postings)
        posting.sequence = sequence
        posting.index = index
        posting.journalID = journal.id
        posting.kind = journal.kind
        posting.callID = journal.callID
        posting.reason = journal.reason
        posting.postedAt = fact.time.microseconds
        return posting
    }

    /// One movement, by its journal's sequence in the log and its index among the journal's postings.
    package func posting(
        of account: AccountRef, sequence: UInt64, index: UInt32
    ) throws(ViewsError) -> AccountPosting? {
        guard let key = Key(account) else { return nil }
        return try message(AccountPosting.self, key.adding(sequence).adding(index), in: .postings)
    }

    package func hold(call: CallID) throws(ViewsError) -> CreditHold? {
        try message(CreditHold.self, Key(call.value), in: .holds)
    }

    /// The sequence of a journal's event in the log.
    package func journalSequence(_ id: JournalID) throws(ViewsError) -> UInt64? {
        try number(Key(id.value), in: .journals)
    }

    /// The first account that could not hold the postings' amounts; nil: all can.
    package func overflow(of postings: [Posting]) throws(ViewsError) -> AccountRef? {
        var sums: [(account: AccountRef, balance: Int64)] = []
        for posting in postings {
            let index = sums.firstIndex { $0.account == posting.account }
            let before = if let index { sums[index].balance } else { try balance(posting.account) }
            let (sum, overflow) = before.addingReportingOverflow(posting.amountMicros)
            if overflow { return posting.account }
            if let index { sums[index].balance = sum } else { sums.append((posting.account, sum)) }
        }
        return nil
    }

    /// One line for each currency, by its code.
    package func trialBalance() throws(ViewsError) -> [TrialBalance] {
        var lines: [String: (micros: Int128, accounts: UInt64, postings: UInt64)] = [:]
        try scan(.accounts, from: Key()) { _, value throws(ViewsError) in
            let state = try decoded(AccountState.self, value, of: .accounts)
            lines[state.account.currency, default: (0, 0, 0)].micros += Int128(state.balanceMicros)
            lines[state.account.currency, default: (0, 0, 0)].accounts += 1
            lines[state.account.currency, default: (0, 0, 0)].postings += state.postings
            return true
        }
        var result: [TrialBalance] = []
        for (code, line) in lines.sorted(by: { $0.key < $1.key }) {
            guard let currency = Currency(code) else { throw .unreadable(table: .accounts) }
            result.append(
                TrialBalance(currency: currency, micros: line.micros, accounts: line.accounts, postings: line.postings))
        }
        return result
    }
}

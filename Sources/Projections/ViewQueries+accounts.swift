public import Model
public import Primitives

extension ViewQueries where Self: ~Copyable {
    /// An account that nothing has happened to stands at zero.
    public func account(_ account: AccountRef) throws(ViewsError) -> AccountState {
        guard let key = Key(account) else { return AccountState(account) }
        return try message(AccountState.self, key, in: .accounts) ?? AccountState(account)
    }

    /// Balance, and what of it is set aside for calls that run: the row is walked in place.
    public func funds(of account: AccountRef) throws(ViewsError) -> (balance: Int64, held: Int64) {
        guard let key = Key(account) else { return (0, 0) }
        return try funds(at: key)
    }

    func funds(at key: Key) throws(ViewsError) -> (balance: Int64, held: Int64) {
        let funds: (balance: Int64, held: Int64)? = try withValue(key, in: .accounts) { row throws(ViewsError) in
            var funds: (balance: Int64, held: Int64) = (0, 0)
            var reader = WireReader(row)
            while reader.next(in: row) {
                switch reader.tag {
                case 2 << 3: funds.balance = reader.signed
                case 3 << 3: funds.held = reader.signed
                default: break
                }
            }
            guard !reader.isMalformed else { throw .unreadable(table: .accounts) }
            return funds
        }
        return funds ?? (0, 0)
    }

    public func balance(_ account: AccountRef) throws(ViewsError) -> Int64 { try self.account(account).balanceMicros }

    /// What is set aside for calls that run; part of the balance.
    public func held(_ account: AccountRef) throws(ViewsError) -> Int64 { try self.account(account).heldMicros }

    /// Balance less holds. Saturates: an account that is so far below zero has nothing to spend anyway.
    public func available(_ account: AccountRef) throws(ViewsError) -> Int64 {
        let state = try self.account(account)
        let (difference, overflow) = state.balanceMicros.subtractingReportingOverflow(state.heldMicros)
        return overflow ? (state.heldMicros > 0 ? .min : .max) : difference
    }

    /// All accounts, by kind, owner and currency.
    public func accounts(after: AccountRef? = nil, limit: Int) throws(ViewsError) -> [AccountState] {
        try messages(AccountState.self, in: .accounts, after: after.flatMap(Key.init), limit: limit)
    }

    /// The accounts of one owner: as many as kinds and currencies, so a few. nil: the platform's own.
    public func accounts(owner: UUIDv7?) throws(ViewsError) -> [AccountState] {
        var states: [AccountState] = []
        for kind in AccountKind.allCases {
            let prefix = Key([UInt8(truncatingIfNeeded: kind.rawValue)]).adding(owner ?? .platform)
            states += try messages(AccountState.self, in: .accounts, prefix: prefix, limit: .max)
        }
        return states
    }

    /// Movements of one account, the oldest first.
    public func postings(
        of account: AccountRef, after: (sequence: UInt64, index: UInt32)? = nil, limit: Int
    ) throws(ViewsError) -> [AccountPosting] {
        guard let prefix = Key(account), limit > 0 else { return [] }
        let place = prefix.adding(after?.sequence ?? 0).adding(after?.index ?? 0)
        // The row that the next movement may be in is the one before it.
        let before = try last(in: .postings, atOrBefore: place)?.key
        var movements: [PostingRun.Movement] = []
        try scan(.postings, from: before.flatMap { $0.hasPrefix(prefix) ? $0 : nil } ?? prefix) { key, value throws(ViewsError) in
            guard key.hasPrefix(prefix) else { return false }
            guard let run = PostingRun(key, value) else { throw .unreadable(table: .postings) }
            movements += run.movements.filter { movement in
                after.map { ($0.sequence, $0.index) < (movement.sequence, movement.index) } ?? true
            }
            return movements.count < limit
        }
        var postings: [AccountPosting] = []
        for movement in movements.prefix(limit) { postings.append(try posting(movement)) }
        return postings
    }

    /// The row has the amount and the balance after it; the rest is said by the journal's event.
    private func posting(_ movement: PostingRun.Movement) throws(ViewsError) -> AccountPosting {
        let fact = try fact(at: movement.sequence)
        let journal = try decoded(JournalPosted.self, fact.payload, of: .postings)
        var posting = AccountPosting()
        posting.sequence = movement.sequence
        posting.index = movement.index
        posting.amountMicros = movement.amount
        posting.balanceMicros = movement.balance
        posting.journalID = journal.id
        posting.kind = journal.kind
        posting.callID = journal.callID
        posting.reason = journal.reason
        posting.postedAt = fact.time.microseconds
        return posting
    }

    public func hold(call: CallID) throws(ViewsError) -> CreditHold? {
        try message(CreditHold.self, Key(call.value), in: .holds)
    }

    /// The sequence of a journal's event in the log.
    public func journalSequence(_ id: JournalID) throws(ViewsError) -> UInt64? {
        try number(Key(id.value), in: .journals)
    }

    /// The first account that could not hold the postings' amounts; nil: all can.
    public func overflow(of postings: [Posting]) throws(ViewsError) -> AccountRef? {
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
    public func trialBalance() throws(ViewsError) -> [TrialBalance] {
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

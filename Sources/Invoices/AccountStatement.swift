package import Ledger
package import Model
package import Primitives
package import Projections

/// What moved an account between two times, each movement with where it came from and what the account stood at after it.
///
/// It is read off the log's facts as they are ordered there: the same question gets the same answer for ever, because nothing
/// before a time that is over is ever added.
package struct AccountStatement: Sendable {
    package struct Movement: Sendable, Equatable {
        package var sequence: UInt64
        package var index: UInt32
        package var at: WallTime
        package var kind: JournalKind
        package var amount: Int64
        package var balance: Int64
        /// For people: a reason, or where a call went.
        package var source: String
        package var journal: JournalID?
        package var call: CallID?
        /// Of the call's record.
        package var record: UInt64?
    }

    package let account: AccountRef
    package let from: WallTime
    /// Not included.
    package let to: WallTime
    package let opening: Int64
    package let movements: [Movement]
    package let closing: Int64
    /// The last event that was looked at.
    package let sequence: UInt64

    /// What moved in and out, each as a positive sum.
    package var sums: (credits: Int64, debits: Int64) {
        movements.reduce((0, 0)) { sums, movement in
            movement.amount > 0 ? (sums.0 + movement.amount, sums.1) : (sums.0, sums.1 - movement.amount)
        }
    }
}

package enum StatementError: Error, Equatable {
    case periodIsEmpty
    /// More movements than may be asked for at once.
    case tooLong(limit: Int)
    case views(ViewsError)
    case ledger(LedgerError)
}

extension StatementError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .periodIsEmpty: "the end of the period is not after its beginning"
        case .tooLong(let limit): "more than \(limit) movements: ask for a shorter period"
        case .views(let error): "the views cannot be read: \(error)"
        case .ledger(let error): "\(error)"
        }
    }
}

extension AccountStatement {
    package init<State: ViewQueries & ~Copyable>(
        of account: AccountRef, from: WallTime, to: WallTime, limit: Int, in views: borrowing State, _ log: any EventLog
    ) throws(StatementError) {
        guard from < to else { throw .periodIsEmpty }
        let before: UInt64
        let through: UInt64
        do throws(LedgerError) {
            before = min(try log.sequence(asOf: WallTime(microseconds: from.microseconds - 1)), views.applied)
            through = min(try log.sequence(asOf: WallTime(microseconds: to.microseconds - 1)), views.applied)
        } catch {
            throw .ledger(error)
        }
        var movements: [Movement] = []
        var opening: Int64?
        var next: Int64?
        var place = (sequence: before, index: UInt32.max)
        var isTooLong = false
        do throws(ViewsError) {
            reading: while true {
                let page = try views.postings(of: account, after: place, limit: 500)
                for posting in page {
                    guard posting.sequence <= through else {
                        next = posting.balanceMicros - posting.amountMicros
                        break reading
                    }
                    if opening == nil { opening = posting.balanceMicros - posting.amountMicros }
                    guard movements.count < limit else {
                        isTooLong = true
                        break reading
                    }
                    movements.append(try Movement(posting, of: account, in: views))
                }
                guard page.count == 500, let last = page.last else { break }
                place = (last.sequence, last.index)
            }
            let rest: Int64
            if let known = movements.last?.balance ?? next { rest = known } else { rest = try views.balance(account) }
            self.account = account
            self.from = from
            self.to = to
            self.opening = opening ?? rest
            self.movements = movements
            closing = rest
            sequence = through
        } catch {
            throw .views(error)
        }
        if isTooLong { throw .tooLong(limit: limit) }
    }
}

extension AccountStatement {
    /// Whose account it is, by name; of an owner that was removed the account itself.
    package static func holder<State: ViewQueries & ~Copyable>(of account: AccountRef, in views: borrowing State) throws(ViewsError) -> String {
        let name: String?
        switch account.kind {
        case .customer: name = try CustomerID(account.ownerID).flatMap { id throws(ViewsError) in try views.customer(id) }?.name
        case .providerRevenue, .providerPayable, .cash, .providerCost, .providerTax, .providerReceivable, .carrierCost:
            name = try ProviderID(account.ownerID).flatMap { id throws(ViewsError) in try views.provider(id) }?.name
        case .carrierPayable: name = try CarrierID(account.ownerID).flatMap { id throws(ViewsError) in try views.carrier(id) }?.name
        case .platformRevenue, .UNRECOGNIZED: name = nil
        }
        return name ?? account.text
    }
}

extension AccountStatement.Movement {
    init<State: ViewQueries & ~Copyable>(
        _ posting: AccountPosting, of account: AccountRef, in views: borrowing State
    ) throws(ViewsError) {
        sequence = posting.sequence
        index = posting.index
        at = WallTime(microseconds: posting.postedAt)
        kind = posting.kind
        amount = posting.amountMicros
        balance = posting.balanceMicros
        source = posting.reason
        journal = JournalID(posting.journalID)
        call = CallID(posting.callID)
        record = nil
        guard let call, let cdr = try views.cdr(call: call) else { return }
        record = cdr.number
        if source.isEmpty { source = cdr.destination(of: account) }
    }
}

extension Cdr {
    /// Where a call went, by the price that the account was charged by: nobody's number.
    package func destination(of account: AccountRef) -> String { InvoiceWords(language: "en").call(direction, place(of: account)) }
}

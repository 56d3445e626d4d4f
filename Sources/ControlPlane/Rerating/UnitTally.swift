import Foundation
import Model
import Primitives
import Projections
import Rating

/// Free units in the order of set-up: what a call finds is what those before it have left, by what they should have been charged.
///
/// While calls run the first to ask gets a unit; when they are rated again, the one that was set up first does. A customer's calls
/// are gone through from the beginning of the period, so that a page of calls begins where the one before has ended.
package struct UnitTally {
    private struct Key: Hashable {
        let source: Data
        let number: UInt32
        let start: Int64

        init(_ use: AllowanceUse) { (source, number, start) = (use.sourceID, use.number, use.periodStart) }
    }

    private struct Customer {
        /// In the order of set-up.
        var calls: [Cdr]
        var next = 0
        var seconds: [Key: UInt32] = [:]
        var micros: [Key: Int64] = [:]

        mutating func take(_ uses: [AllowanceUse]) {
            for use in uses {
                seconds[Key(use), default: 0] += use.seconds
                micros[Key(use), default: 0] += use.micros
            }
        }

        func left(of terms: [AllowanceUse]) -> [AllowanceUse] {
            terms.map { term in
                var left = term
                left.seconds -= min(left.seconds, seconds[Key(term)] ?? 0)
                left.micros = max(0, left.micros - (micros[Key(term)] ?? 0))
                return left
            }
        }
    }

    private var customers: [CustomerID: Customer] = [:]
    /// Most.
    private var withoutUnits: Set<CustomerID> = []

    package init() {}

    /// What is there for the call; calls are asked for in the order of set-up.
    mutating func units<State: ViewQueries & ~Copyable>(
        for cdr: Cdr, of payer: AccountRef, by rerater: Rerater, in state: borrowing State
    ) throws -> [AllowanceUse] {
        guard let id = CustomerID(payer.ownerID), !withoutUnits.contains(id) else { return [] }
        guard try state.hasFreeUnits(id) else {
            withoutUnits.insert(id)
            return []
        }
        let terms = try Self.terms(of: cdr, in: state)
        guard let start = terms.map(\.periodStart).min() else { return [] }
        var customer = try customers[id] ?? Customer(calls: Self.calls(of: id, since: start, in: state))
        while customer.next < customer.calls.count, Self.isBefore(customer.calls[customer.next], cdr) {
            let call = customer.calls[customer.next]
            let left = customer.left(of: try Self.terms(of: call, in: state))
            customer.take(try rerater.uses(of: call, left, in: state))
            customer.next += 1
        }
        let left = customer.left(of: terms)
        customers[id] = customer
        return left
    }

    private static func isBefore(_ a: Cdr, _ b: Cdr) -> Bool { (a.startedAt, a.number) < (b.startedAt, b.number) }

    private static func calls<State: ViewQueries & ~Copyable>(
        of id: CustomerID, since start: Int64, in state: borrowing State
    ) throws -> [Cdr] {
        var calls: [Cdr] = []
        var after: UInt64 = 0
        while true {
            let page = try state.cdrs(of: id, after: after, limit: 1_000)
            calls += page.filter { $0.startedAt >= start && $0.answeredAt != 0 && !$0.charges.isEmpty }
            guard page.count == 1_000, let last = page.last else { break }
            after = last.number
        }
        return calls.sorted(by: isBefore)
    }

    /// As they were agreed when the call came in.
    private static func terms<State: ViewQueries & ~Copyable>(
        of cdr: Cdr, in state: borrowing State
    ) throws -> [AllowanceUse] {
        guard let call = UUIDv7(bytes: cdr.callID) else { return [] }
        for envelope in try state.stream(call) {
            guard case .callStarted(let started) = try Event(closed: envelope) else { continue }
            return started.rates.flatMap(\.allowances)
        }
        return []
    }
}

/// Units that a correction takes more than what counted before, and those that it gives back.
func moved(from before: [AllowanceUse], to after: [AllowanceUse]) -> [AllowanceUse] {
    var returned = before
    for index in returned.indices { returned[index].isReturned = true }
    return before == after ? [] : returned + after
}

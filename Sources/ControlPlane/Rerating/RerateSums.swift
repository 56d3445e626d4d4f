import Foundation
package import Model
import Primitives

/// What a re-rating comes to, for one customer or for all.
package struct RerateSums: Hashable, Sendable {
    /// Charged calls that are asked about.
    package private(set) var calls: UInt64 = 0
    /// Of these, those whose charge would change.
    package private(set) var differing: UInt64 = 0
    /// Those that cannot be rated anew; they are in none of the sums.
    package private(set) var unrated: UInt64 = 0
    package private(set) var before: Int128 = 0
    package private(set) var after: Int128 = 0
    /// Calls of which it is known what they cost the provider, in the same currency; the margins are theirs.
    package private(set) var costed: UInt64 = 0
    package private(set) var marginBefore: Int128 = 0
    package private(set) var marginAfter: Int128 = 0

    package init() {}

    package var difference: Int128 { after - before }

    package mutating func add(_ verdict: RerateVerdict) {
        switch verdict {
        case .notConcerned: break
        case .unrated:
            calls += 1
            unrated += 1
        case .rated(let charge):
            calls += 1
            if charge.differenceMicros != 0 { differing += 1 }
            before += Int128(charge.beforeMicros)
            after += Int128(charge.corrected.amountMicros)
            guard let cost = charge.costMicros else { return }
            costed += 1
            marginBefore += Int128(charge.beforeMicros) - Int128(cost)
            marginAfter += Int128(charge.corrected.amountMicros) - Int128(cost)
        }
    }
}

/// The answer of a re-rating: in total, by customer, and why calls could not be rated.
package struct RerateSummary: Sendable {
    package private(set) var total = RerateSums()
    package private(set) var records: UInt64 = 0
    private var customers: [Data: RerateSums] = [:]
    private var reasons: [Unrated: UInt64] = [:]

    package init() {}

    package mutating func add(_ page: RerateScan.Page) {
        records += UInt64(page.records)
        for line in page.lines {
            total.add(line.verdict)
            switch line.verdict {
            case .notConcerned: break
            case .rated(let charge): customers[charge.original.payer.ownerID, default: RerateSums()].add(line.verdict)
            case .unrated(let reason, let charge):
                customers[charge.payer.ownerID, default: RerateSums()].add(line.verdict)
                reasons[reason, default: 0] += 1
            }
        }
    }

    /// In the order of their ids.
    package var byCustomer: [(id: CustomerID, sums: RerateSums)] {
        customers.compactMap { id, sums in CustomerID(id).map { (id: $0, sums: sums) } }.sorted { $0.id.value < $1.id.value }
    }

    package var byReason: [(reason: Unrated, calls: UInt64)] {
        Unrated.allCases.compactMap { reason in reasons[reason].map { (reason, $0) } }
    }
}

import Foundation
package import Model
package import Primitives
package import Projections

/// Goes over the records of calls in the order of their set-up, a page at a time.
///
/// Free minutes and prepaid credit are used up in that order, so it is the one in which charges are put right. Each page is one
/// snapshot: none is open for long, which would keep the writer from using old pages again.
package struct RerateScan: Sendable {
    /// The last call that was looked at.
    package struct Cursor: Hashable, Sendable, LosslessStringConvertible {
        package var at: WallTime
        package var number: UInt64

        package init(at: WallTime, number: UInt64) {
            self.at = at
            self.number = number
        }

        /// `microseconds.number`.
        package init?(_ description: String) {
            let parts = description.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, let at = Int64(parts[0]), let number = UInt64(parts[1]) else { return nil }
            self.init(at: WallTime(microseconds: at), number: number)
        }

        package var description: String { "\(at.microseconds).\(number)" }
    }

    package struct Line: Sendable {
        package let cdr: Cdr
        package let verdict: RerateVerdict
    }

    package struct Page: Sendable {
        /// Of calls that are concerned.
        package var lines: [Line] = []
        /// Call records that were looked at.
        package var records = 0
        /// nil: no calls are left.
        package var next: Cursor?
    }

    package let rerater: Rerater

    package init(_ rerater: Rerater) { self.rerater = rerater }

    /// - Parameters:
    ///   - limit: records to look at.
    ///   - differencesMax: the page ends with so many charges that have a difference.
    package func page<State: ViewQueries & ~Copyable>(
        after cursor: Cursor?, limit: Int, differencesMax: Int = .max, in state: borrowing State
    ) throws -> Page {
        let start = cursor ?? Cursor(at: rerater.terms.from, number: 0)
        let records = try state.records(startedAfter: (start.at, start.number), before: rerater.terms.to, limit: limit)
        var page = Page()
        var differences = 0
        var tally = UnitTally()
        for (at, number) in records {
            guard let cdr = try state.cdr(number: number) else { throw ViewsError.unreadable(table: .cdrsByStart) }
            page.records += 1
            let verdict = try rerater.verdict(on: cdr, in: state, &tally)
            switch verdict {
            case .notConcerned: continue
            case .rated(let difference): if difference.differenceMicros != 0 { differences += 1 }
            case .unrated: break
            }
            page.lines.append(Line(cdr: cdr, verdict: verdict))
            if differences == differencesMax {
                page.next = Cursor(at: at, number: number)
                return page
            }
        }
        if records.count == limit, let last = records.last { page.next = Cursor(at: last.at, number: last.number) }
        return page
    }
}

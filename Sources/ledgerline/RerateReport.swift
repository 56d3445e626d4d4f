import ControlPlane
import Foundation
import Model
import Primitives
import Projections
import Tables

/// What `rerate` prints: a line for each customer, and the sum.
struct RerateReport {
    var summary = RerateSummary()
    private let currency: Currency
    /// Names, and what the accounts stand at, by customer.
    private var customers: [CustomerID: (name: String, isPrepaid: Bool, limit: Int64, balance: Int64)] = [:]

    init(_ currency: Currency) { self.currency = currency }

    /// Looks up the customers of a page.
    mutating func learn(_ page: RerateScan.Page, in views: borrowing ViewSnapshot) throws {
        for line in page.lines {
            let charge: Charge
            switch line.verdict {
            case .notConcerned: continue
            case .rated(let difference): charge = difference.original
            case .unrated(_, let original): charge = original
            }
            guard let id = CustomerID(charge.payer.ownerID), customers[id] == nil else { continue }
            let customer = try views.customer(id)
            let plan = try customer.flatMap { ServicePlanID($0.servicePlanID) }.flatMap { id throws(ViewsError) in try views.servicePlan(id) }
            customers[id] = (
                customer?.name ?? "", plan?.paymentMode == .prepaid, plan?.creditLimitMicros ?? 0, try views.balance(charge.payer)
            )
        }
    }

    private func after(_ id: CustomerID, _ sums: RerateSums) -> Int128 { Int128(customers[id]?.balance ?? 0) - sums.difference }

    /// A prepaid account that the corrections would leave with less than it may have.
    private func isShort(_ id: CustomerID, _ sums: RerateSums) -> Bool {
        guard let customer = customers[id], customer.isPrepaid, sums.difference > 0 else { return false }
        return after(id, sums) + Int128(customer.limit) < 0
    }

    var text: String {
        var rows = [["customer", "name", "calls", "differ", "not rated", "before", "after", "difference", "margin before", "margin after", "balance after"]]
        for (id, sums) in summary.byCustomer {
            rows.append(
                [id.description, customers[id]?.name ?? ""] + cells(sums)
                    + [decimal(after(id, sums)) + (isShort(id, sums) ? " (below its limit)" : "")])
        }
        rows.append(["total \(currency)", ""] + cells(summary.total) + [""])
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, text in
                let space = String(repeating: " ", count: widths[column] - text.count)
                return column < 2 ? text + space : space + text
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    private func cells(_ sums: RerateSums) -> [String] {
        [
            "\(sums.calls)", "\(sums.differing)", "\(sums.unrated)", decimal(sums.before), decimal(sums.after), decimal(sums.difference),
            sums.costed == 0 ? "-" : decimal(sums.marginBefore), sums.costed == 0 ? "-" : decimal(sums.marginAfter),
        ]
    }

    func json(_ terms: RerateTerms) -> [String: Any] {
        [
            "deck_id": terms.deck.description, "version": terms.version as Any? ?? NSNull(), "from": terms.from.rfc3339, "to": terms.to.rfc3339,
            "currency": currency.code, "records": summary.records, "total": object(summary.total),
            "customers": summary.byCustomer.map { id, sums in
                object(sums).merging([
                    "id": id.description, "name": customers[id]?.name ?? "", "balance": decimal(Int128(customers[id]?.balance ?? 0)),
                    "balance_after": decimal(after(id, sums)), "below_limit": isShort(id, sums),
                ]) { $1 }
            },
            "not_rated": Dictionary(uniqueKeysWithValues: summary.byReason.map { ($0.reason.rawValue, $0.calls) }),
        ]
    }

    private func object(_ sums: RerateSums) -> [String: Any] {
        [
            "calls": sums.calls, "differing": sums.differing, "not_rated": sums.unrated, "before": decimal(sums.before),
            "after": decimal(sums.after), "difference": decimal(sums.difference), "costed": sums.costed,
            "margin_before": decimal(sums.marginBefore), "margin_after": decimal(sums.marginAfter),
        ]
    }

    private func decimal(_ micros: Int128) -> String { Money.decimal(micros: Int64(clamping: micros)) }

    /// A call that would change, or that cannot be rated.
    static func text(_ line: RerateScan.Line) -> String? {
        let head = "\(line.cdr.number)\t\(WallTime(microseconds: line.cdr.startedAt).rfc3339)\t\(line.cdr.calledE164)"
        switch line.verdict {
        case .notConcerned: return nil
        case .rated(let charge):
            guard charge.differenceMicros != 0 else { return nil }
            return head + "\t\(Money.decimal(micros: charge.beforeMicros)) -> \(Money.decimal(micros: charge.corrected.amountMicros))"
                + "\t\(Money.decimal(micros: charge.differenceMicros)) \(charge.corrected.currency)"
        case .unrated(let reason, _): return head + "\t\(reason.reason)"
        }
    }
}

/// The file of all calls that are asked about. It is there when it is whole.
struct RerateTable {
    static let columns = [
        "record", "call_id", "started_at", "customer_id", "called", "duration_ms", "deck_id_before", "version_before", "billed_seconds_before",
        "corrections", "before", "version", "prefix", "billed_seconds", "after", "difference", "cost", "currency", "not_rated",
    ]
    private let path: String
    private let fresh: String
    private let handle: FileHandle
    private var writer = CSVWriter()

    init(_ path: String) throws {
        self.path = path
        fresh = path + ".new"
        guard FileManager.default.createFile(atPath: fresh, contents: nil), let handle = FileHandle(forWritingAtPath: fresh) else {
            throw fail(.cannotCreate, "\(fresh) cannot be written")
        }
        self.handle = handle
        writer.append(Self.columns)
    }

    mutating func add(_ line: RerateScan.Line) throws {
        let cdr = line.cdr
        let charge: Charge
        var result = ["", "", "", "", "", "", "", ""]
        var reason = ""
        switch line.verdict {
        case .notConcerned: return
        case .rated(let difference):
            charge = difference.original
            result = [
                "\(difference.corrections)", Money.decimal(micros: difference.beforeMicros), "\(difference.corrected.deckVersion)",
                difference.corrected.entry.prefix, "\(difference.corrected.billedSeconds)", Money.decimal(micros: difference.corrected.amountMicros),
                Money.decimal(micros: difference.differenceMicros), difference.costMicros.map { Money.decimal(micros: $0) } ?? "",
            ]
        case .unrated(let why, let original): (charge, reason) = (original, why.rawValue)
        }
        writer.append(
            [
                "\(cdr.number)", UUIDv7(bytes: cdr.callID)?.description ?? "", WallTime(microseconds: cdr.startedAt).rfc3339,
                UUIDv7(bytes: charge.payer.ownerID)?.description ?? "", cdr.calledE164, "\(cdr.durationMs)",
                UUIDv7(bytes: charge.deckID)?.description ?? "", "\(charge.deckVersion)", "\(charge.billedSeconds)",
            ] + result + [charge.currency, reason])
        if writer.bytes.count > 1 << 20 { try write() }
    }

    mutating func finish() throws {
        try write()
        do {
            try handle.close()
        } catch {
            throw fail(.inputOutput, "\(fresh) cannot be written: \(error.localizedDescription)")
        }
        guard unsafe rename(fresh, path) == 0 else { throw fail(.cannotCreate, "\(path) cannot be written") }
    }

    private mutating func write() throws {
        do {
            try handle.write(contentsOf: Data(writer.take()))
        } catch {
            throw fail(.inputOutput, "\(fresh) cannot be written: \(error.localizedDescription)")
        }
    }
}

package import Foundation
internal import Model
internal import Primitives
package import Projections

/// The records behind a cursor, as the export's reader may see them. Records in the views never change, so pages may be read in
/// several snapshots, which keeps the writer from having to spare old pages for long.
package struct ExportReader {
    /// Where an export stands: every record up to these numbers was seen.
    package struct Cursor: Sendable, Equatable {
        package var cdr: UInt64
        package var correction: UInt64

        package init(cdr: UInt64 = 0, correction: UInt64 = 0) {
            self.cdr = cdr
            self.correction = correction
        }
    }

    package struct Batch {
        package var records: [ExportRecord] = []
        package var names = ExportNames()
        /// Where the next one begins.
        package var cursor: Cursor
        package var firstCDR: UInt64 = 0
        package var lastCDR: UInt64 = 0
        package var firstCorrection: UInt64 = 0
        package var lastCorrection: UInt64 = 0
    }

    private static let page = 2_000
    private let views: Views
    private let provider: Data
    private let customer: Data

    /// Empty ids: no bound.
    package init(_ views: Views, provider: Data, customer: Data) {
        self.views = views
        self.provider = provider
        self.customer = customer
    }

    /// Everything that there is now.
    package func end() throws(ExportError) -> Cursor {
        try read { views throws(ViewsError) in
            Cursor(cdr: try views.nextCDRNumber() - 1, correction: try views.nextCorrectionNumber() - 1)
        }
    }

    /// The records after `start` up to `end`, at most `limit`: calls first, then corrections, so that a correction never comes before
    /// the call that it corrects.
    package func records(after start: Cursor, upTo end: Cursor, limit: Int) throws(ExportError) -> Batch {
        let (provider, customer) = (provider, customer)
        let scope = try read { views throws(ViewsError) in try ExportScope(provider: provider, customer: customer, in: views) }
        let parties = scope.parties
        var batch = Batch(cursor: start)
        while batch.records.count < limit, batch.cursor.cdr < end.cdr {
            let before = batch
            let after = try read { views throws(ViewsError) -> Batch in
                var batch = before
                let cdrs = try Self.cdrs(of: parties, after: batch.cursor.cdr, in: views)
                for cdr in cdrs where cdr.number <= end.cdr {
                    guard batch.records.count < limit else { return batch }
                    batch.cursor.cdr = cdr.number
                    try batch.names.learn(cdr, in: views)
                    guard let seen = scope.seen(cdr, batch.names) else { continue }
                    if batch.firstCDR == 0 { batch.firstCDR = cdr.number }
                    batch.lastCDR = cdr.number
                    batch.records.append(.call(seen))
                }
                // The last page: whatever else there is up to the end is not for this export.
                if cdrs.count < Self.page || cdrs.contains(where: { $0.number >= end.cdr }) {
                    batch.cursor.cdr = end.cdr
                }
                return batch
            }
            batch = after
        }
        guard batch.cursor.cdr >= end.cdr else { return batch }
        while batch.records.count < limit, batch.cursor.correction < end.correction {
            let before = batch
            batch = try read { views throws(ViewsError) in
                var batch = before
                try Self.corrections(into: &batch, scope, upTo: end, limit: limit, in: views)
                return batch
            }
        }
        return batch
    }

    /// A page of corrections. The calls that they are of come before them, in this file or an earlier one.
    private static func corrections(
        into batch: inout Batch, _ scope: ExportScope, upTo end: Cursor, limit: Int, in views: borrowing ViewSnapshot
    ) throws(ViewsError) {
        let found = try views.corrections(after: batch.cursor.correction, limit: page)
        for correction in found where correction.number <= end.correction {
            guard batch.records.count < limit else { return }
            batch.cursor.correction = correction.number
            guard let cdr = try views.cdr(number: correction.cdrNumber) else { throw .unreadable(table: .corrections) }
            try batch.names.learn(cdr, in: views)
            guard let seenCall = scope.seen(cdr, batch.names),
                let seen = scope.seen(Correction(correction), of: cdr, batch.names)
            else { continue }
            if batch.firstCorrection == 0 { batch.firstCorrection = correction.number }
            batch.lastCorrection = correction.number
            batch.records.append(.correction(seen, of: seenCall))
        }
        if found.count < page || found.contains(where: { $0.number >= end.correction }) {
            batch.cursor.correction = end.correction
        }
    }

    private static func cdrs(
        of parties: [UUIDv7]?, after number: UInt64, in views: borrowing ViewSnapshot
    ) throws(ViewsError) -> [Cdr] {
        guard let parties else { return try views.cdrs(after: number, limit: page) }
        if let only = parties.first, parties.count == 1 { return try views.cdrs(of: ProviderID(only), after: number, limit: page) }
        // The index is by party, whatever its kind; a call between two of them is there once.
        var merged: [UInt64: Cdr] = [:]
        for party in parties {
            for cdr in try views.cdrs(of: ProviderID(party), after: number, limit: page) { merged[cdr.number] = cdr }
        }
        return Array(merged.values.sorted { $0.number < $1.number }.prefix(page))
    }

    private func read<R>(_ body: (borrowing ViewSnapshot) throws(ViewsError) -> R) throws(ExportError) -> R {
        do throws(ViewsError) {
            return try views.read(body)
        } catch {
            throw .views(reason: "\(error)")
        }
    }
}

internal import Foundation
package import Model
internal import OpenSSL
package import Primitives
package import Projections

/// Makes the files of one export, each in five steps of which any may be the last before a crash:
///
/// 1. file and manifest are written to `.work` and synced; 2. the event is recorded: from here on the file exists; 3. the file gets
/// its name in the folder; 4. its manifest does; 5. the server gets it, and that is recorded.
///
/// A file that anybody can see is in the log, and one that is in the log will be seen: what was staged and not recorded is thrown
/// away and made again, what was recorded and not named is named by the next pass.
package struct Exporter {
    package var views: Views
    package var folder: ExportFolder
    /// Returns when the event is durable and in the views.
    package var record: (CdrFileExported) throws(ExportError) -> Void
    /// Called before every step; a test throws here what a crash would be.
    package var checkpoint: (String) throws(ExportError) -> Void = { _ in }

    package init(views: Views, folder: ExportFolder, record: @escaping (CdrFileExported) throws(ExportError) -> Void) {
        self.views = views
        self.folder = folder
        self.record = record
    }

    /// Finishes what the last pass began.
    package func recover(_ export: CdrExport) throws(ExportError) {
        let last = try lastFile(of: export)
        if let last, folder.staged(last.name) == Array(last.sha256) { try folder.publish(last.name) }
        if let last, folder.contains(last.name) { try folder.publish(last.name + ".json") }
        folder.discard(except: [])
    }

    /// Makes every file that is due. Returns how many.
    package func run(_ export: CdrExport, at now: WallTime) throws(ExportError) -> Int {
        try recover(export)
        let last = try lastFile(of: export)
        let since = WallTime(microseconds: last?.dueAt ?? export.createdAt)
        guard let due = ExportSchedule(export).due(after: since, by: now) else { return 0 }
        return try makeFiles(export, dueAt: due)
    }

    /// All that there is now, in as many files as the layout wants.
    package func makeFiles(_ export: CdrExport, dueAt: WallTime) throws(ExportError) -> Int {
        let reader = ExportReader(views, provider: export.providerID, customer: export.customerID)
        let end = try reader.end()
        var made = 0
        while true {
            let last = try lastFile(of: export)
            let start = ExportReader.Cursor(cdr: last?.cdrCursor ?? 0, correction: last?.correctionCursor ?? 0)
            let layout = ExportLayout(export)
            let batch = try reader.records(after: start, upTo: end, limit: layout.recordsMax)
            if batch.records.isEmpty, made > 0 || export.skipEmpty { return made }
            try makeFile(export, layout, batch, after: last, dueAt: dueAt)
            made += 1
            if batch.cursor == end { return made }
        }
    }

    /// The bytes of a file that was recorded: from the folder, or else made again.
    package func bytes(of file: CdrFileExported, _ export: CdrExport) throws(ExportError) -> [UInt8] {
        if let bytes = folder.bytes(file.name), Hash.sha256(bytes) == Array(file.sha256) { return bytes }
        let previous = try read { views throws(ViewsError) in
            try CdrExportID(file.exportID).flatMap { id throws(ViewsError) in try views.exportFile(of: id, file.file - 1) }
        }
        let reader = ExportReader(views, provider: export.providerID, customer: export.customerID)
        let batch = try reader.records(
            after: .init(cdr: previous?.cdrCursor ?? 0, correction: previous?.correctionCursor ?? 0),
            upTo: .init(cdr: file.cdrCursor, correction: file.correctionCursor), limit: .max)
        let bytes = ExportLayout(file).bytes(batch.records, firstRecord: file.firstRecord, batch.names)
        guard Hash.sha256(bytes) == Array(file.sha256) else { throw .notReproducible(name: file.name) }
        return bytes
    }

    private func makeFile(
        _ export: CdrExport, _ layout: ExportLayout, _ batch: ExportReader.Batch, after last: CdrFileExported?, dueAt: WallTime
    ) throws(ExportError) {
        var file = CdrFileExported()
        file.exportID = export.id
        file.file = (last?.file ?? 0) + 1
        file.name = layout.name(file: file.file, dueAt: dueAt.microseconds)
        file.firstRecord = last.map { $0.firstRecord + $0.records } ?? 1
        file.records = UInt64(batch.records.count)
        (file.firstCdr, file.lastCdr) = (batch.firstCDR, batch.lastCDR)
        (file.firstCorrection, file.lastCorrection) = (batch.firstCorrection, batch.lastCorrection)
        (file.cdrCursor, file.correctionCursor) = (batch.cursor.cdr, batch.cursor.correction)
        (file.format, file.timeZone, file.guardFormulas) = (layout.format, layout.timeZone, layout.guardsFormulas)
        file.dueAt = dueAt.microseconds
        file.previousSha256 = last?.sha256 ?? Data(count: 32)
        let bytes = layout.bytes(batch.records, firstRecord: file.firstRecord, batch.names)
        file.bytes = UInt64(bytes.count)
        file.sha256 = Data(Hash.sha256(bytes))
        try checkpoint("stage the file")
        try folder.stage(bytes, as: file.name)
        try checkpoint("stage the manifest")
        try folder.stage(ExportManifest(file).json, as: file.name + ".json")
        try checkpoint("record")
        try record(file)
        try checkpoint("name the file")
        try folder.publish(file.name)
        try checkpoint("name the manifest")
        try folder.publish(file.name + ".json")
        try checkpoint("done")
    }

    private func lastFile(of export: CdrExport) throws(ExportError) -> CdrFileExported? {
        guard let id = CdrExportID(export.id) else { return nil }
        return try read { views throws(ViewsError) in try views.lastExportFile(of: id) }
    }

    private func read<R>(_ body: (borrowing ViewSnapshot) throws(ViewsError) -> R) throws(ExportError) -> R {
        do throws(ViewsError) {
            return try views.read(body)
        } catch {
            throw .views(reason: "\(error)")
        }
    }
}

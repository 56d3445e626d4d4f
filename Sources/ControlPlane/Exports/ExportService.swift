internal import Dispatch
internal import Exports
internal import Foundation
package import Logging
package import Model
package import Primitives
package import Projections
internal import SwiftProtobuf
internal import Synchronization

/// Makes and sends the files of all exports when they are due, on a thread of its own: a slow disk or server holds up files and
/// nothing else. What is true is in the log; this holds what failed last.
package final class ExportService: Sendable {
    private let directory: DataDirectory
    private let views: Views
    private let logger: Logger
    /// Returns when the command is durable, and in the views.
    private let submit: @Sendable (AdminRequest) -> Result<AdminOutcome, AdminRejection>
    private let statuses = Mutex<[CdrExportID: ExportStatus]>([:])
    private let isStopping = Mutex(false)
    private let stopped = DispatchSemaphore(value: 0)
    private let thread = Mutex<DriverThread?>(nil)

    package init(
        directory: DataDirectory, views: Views, logger: Logger,
        submit: @escaping @Sendable (AdminRequest) -> Result<AdminOutcome, AdminRejection>
    ) {
        self.directory = directory
        self.views = views
        self.logger = logger
        self.submit = submit
    }

    package func status(of id: CdrExportID) -> ExportStatus { statuses.withLock { $0[id] ?? ExportStatus() } }

    func start() throws(ControlPlaneError) {
        let started = try DriverThread("exports") { [self] in
            while !isStopping.withLock({ $0 }) {
                pass(at: .now)
                _ = stopped.wait(timeout: .now() + 1)
            }
        }
        thread.withLock { $0 = started }
    }

    /// Ends after the file that is being made or sent.
    func stop() {
        isStopping.withLock { $0 = true }
        stopped.signal()
        let started = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        started?.join()
    }

    /// Does all that is due.
    package func pass(at now: WallTime) {
        let exports = (try? views.read { snapshot throws(ViewsError) in try snapshot.cdrExports(limit: .max) }) ?? []
        for export in exports {
            guard let id = CdrExportID(export.id), !export.disabled, !isStopping.withLock({ $0 }) else { continue }
            var status = self.status(of: id)
            if let retryAt = status.retryAt, retryAt > now { continue }
            do throws(ExportError) {
                let folder = try ExportFolder(self.folder(of: id))
                let exporter = Exporter(views: views, folder: folder) { file throws(ExportError) in try self.record(.recordCdrFile(file)) }
                // Not looked at again before it is due: a pass over many exports costs nothing then.
                if status.nextDue.map({ $0 <= now }) ?? true || status.failuresInARow > 0 { _ = try exporter.run(export, at: now) }
                try deliver(export, id, exporter)
                status.nextDue = try nextDue(export, id, after: now)
                status.succeeded()
            } catch {
                status.failed(error.description, at: now)
                logger.warning(
                    "an export of call records failed and is tried again",
                    metadata: ["export": "\(id)", "failures": "\(status.failuresInARow)", "reason": "\(error.description)"])
            }
            statuses.withLock { $0[id] = status }
        }
    }

    package func folder(of id: CdrExportID) -> String { directory.exports + "/" + id.description }

    /// Every file that the server has not, in order.
    private func deliver(_ export: CdrExport, _ id: CdrExportID, _ exporter: Exporter) throws(ExportError) {
        guard export.hasSftp else { return }
        while !isStopping.withLock({ $0 }) {
            let delivered = try read { views throws(ViewsError) in try views.delivered(of: id) }
            guard let file = try read({ views throws(ViewsError) in try views.exportFile(of: id, delivered + 1) }) else { return }
            // Whatever has become of the folder: what leaves is what was recorded.
            let outgoing = exporter.folder.path + "/.work/outgoing"
            do {
                try FileManager.default.createDirectory(atPath: outgoing, withIntermediateDirectories: true)
                try Data(try exporter.bytes(of: file, export)).write(to: URL(fileURLWithPath: outgoing + "/" + file.name))
                try Data(ExportManifest(file).json).write(to: URL(fileURLWithPath: outgoing + "/" + file.name + ".json"))
            } catch let error as ExportError {
                throw error
            } catch {
                throw .file(path: outgoing, reason: error.localizedDescription)
            }
            defer { try? FileManager.default.removeItem(atPath: outgoing) }
            var upload = SFTPUpload(export.sftp, keyFile: directory.keys + "/export-sftp", workDirectory: outgoing)
            upload.isCancelled = { [self] in isStopping.withLock { $0 } }
            try upload.send([outgoing + "/" + file.name, outgoing + "/" + file.name + ".json"])
            try record(
                .recordCdrDelivery(
                    .with {
                        $0.exportID = export.id
                        $0.file = file.file
                        $0.host = export.sftp.host
                    }))
        }
    }

    private func record(_ command: AdminCommand) throws(ExportError) {
        if case .failure(let rejection) = submit(AdminRequest(command, actor: "exports", requestID: "schedule")) {
            throw .refused(reason: rejection.reason)
        }
    }

    private func nextDue(_ export: CdrExport, _ id: CdrExportID, after now: WallTime) throws(ExportError) -> WallTime {
        let last = try read { views throws(ViewsError) in try views.lastExportFile(of: id) }
        let due = ExportSchedule(export).due(after: WallTime(microseconds: last?.dueAt ?? export.createdAt))
        // An export that skips empty files has no file of the last boundary.
        return due > now ? due : ExportSchedule(export).due(after: now)
    }

    private func read<R>(_ body: (borrowing ViewSnapshot) throws(ViewsError) -> R) throws(ExportError) -> R {
        do throws(ViewsError) {
            return try views.read(body)
        } catch {
            throw .views(reason: "\(error)")
        }
    }
}

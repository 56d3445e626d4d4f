internal import Foundation
package import Model
internal import Primitives
internal import Recordings
internal import Synchronization

/// Writes recordings, on a thread of its own: decoding, encrypting and the disk hold up no packet.
package final class Recorder: Sendable {
    private static let interval: TimeInterval = 0.2

    private struct State {
        var begun: [(RecordingSetup, RecordingTap)] = []
        var open = 0
        var isStopping = false
        var isRunning = false
    }

    private let spool: RecordingSpool?
    private let report: @Sendable (RecordingReport) -> Void
    private let trouble: @Sendable (String) -> Void
    /// Guards `state`.
    private let condition = NSCondition()
    private nonisolated(unsafe) var state = State()

    /// - Parameters:
    ///   - spool: nil: nothing can be recorded, which each recording's report then says.
    ///   - report: called on the recorder's thread.
    ///   - trouble: the same; what an operator has to change before anything can be recorded.
    package init(spool: RecordingSpool?, report: @escaping @Sendable (RecordingReport) -> Void, trouble: @escaping @Sendable (String) -> Void) {
        self.spool = spool
        self.report = report
        self.trouble = trouble
    }

    private func withState<Result>(_ body: (inout State) -> Result) -> Result {
        condition.lock()
        defer { condition.unlock() }
        return unsafe body(&state)
    }

    package func start() {
        withState { $0.isRunning = true }
        let thread = Thread { [self] in
            nameThread("media-recorder")
            run()
        }
        thread.start()
    }

    /// From any thread.
    /// - Returns: where the session's packets are to go.
    package func begin(_ setup: RecordingSetup) -> RecordingTap {
        let tap = RecordingTap()
        withState { state in
            state.begun.append((setup, tap))
            condition.signal()
        }
        return tap
    }

    /// Finishes every recording, and returns when their files are on the disk.
    package func stop() {
        condition.lock()
        unsafe state.isStopping = true
        condition.broadcast()
        while unsafe state.isRunning { condition.wait() }
        condition.unlock()
    }

    private func run() {
        var jobs: [RecordingJob] = []
        if let spool {
            do throws(RecordingError) { try spool.make() } catch { trouble("\(error)") }
        }
        for left in spool?.remaining(at: WallTime.now) ?? [] { report(left) }
        while true {
            condition.lock()
            if jobs.isEmpty {
                while unsafe state.begun.isEmpty && !state.isStopping { condition.wait() }
            } else if unsafe !state.isStopping {
                _ = condition.wait(until: Date(timeIntervalSinceNow: Recorder.interval))
            }
            let (begun, isStopping) = unsafe (state.begun, state.isStopping)
            unsafe state.begun = []
            condition.unlock()
            for (setup, tap) in begun { if let job = open(setup, tap) { jobs.append(job) } }
            if isStopping { for job in jobs { job.tap.end() } }
            jobs.removeAll { !goesOn($0) }
            if isStopping { break }
        }
        condition.lock()
        unsafe state.isRunning = false
        condition.broadcast()
        condition.unlock()
    }

    private func open(_ setup: RecordingSetup, _ tap: RecordingTap) -> RecordingJob? {
        guard let spool else {
            tap.end()
            fail(setup.id, "this media worker has no directory for recordings (--recordings)")
            return nil
        }
        do throws(RecordingError) {
            // Again, for the case that it could not be made at the start, or has been removed since.
            try spool.make()
            return try RecordingJob(setup, tap, path: spool.part(setup.id), at: Instant.now)
        } catch {
            tap.end()
            fail(setup.id, "\(error)")
            return nil
        }
    }

    private func goesOn(_ job: RecordingJob) -> Bool {
        do throws(RecordingError) {
            try job.turn(at: Instant.now)
            guard job.hasEnded else { return true }
            var report = word(of: job.setup.id)
            report.take(try job.finish())
            report.lostPackets = job.lost
            spool?.finished(job.setup.id)
            self.report(report)
        } catch {
            job.tap.end()
            var report = word(of: job.setup.id)
            report.failure = "\(error)"
            report.lostPackets = job.lost
            // What was written before may be read.
            if let spool, let (seal, _) = try? RecordingReader.close(cutOff: spool.part(job.setup.id)) {
                report.take(seal)
                report.cutOff = true
                spool.finished(job.setup.id)
            }
            self.report(report)
        }
        return false
    }

    private func word(of id: UUIDv7) -> RecordingReport {
        var report = RecordingReport()
        report.recordingID = Data(id.bytes)
        report.finishedAt = WallTime.now.microseconds
        return report
    }

    private func fail(_ id: UUIDv7, _ reason: String) {
        var report = word(of: id)
        report.failure = reason
        self.report(report)
    }

    /// The control plane knows of it.
    func note(_ id: UUIDv7) { spool?.note(id) }
}

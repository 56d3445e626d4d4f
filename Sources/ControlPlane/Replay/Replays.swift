import CShims
package import Ledger
package import Logging
package import Primitives
package import Projections
import Synchronization

/// Rebuilds views in the background while the sequencer goes on: one at a time, on a thread of low priority of its own.
///
/// What is built stands in `views.next`. A swap puts it in the place of what serves, at a boundary between two batches; the
/// former then stand in `views.former` and can be put back until something else is built, or the process ends.
package final class Replays: Sendable {
    private let views: Views
    private let log: any EventLog
    private let directory: DataDirectory
    private let logger: Logger
    private let state = Mutex(Book())
    /// Weakest but one: a rebuild takes what calls leave over.
    private static let niceness: Int32 = 15

    private struct Book {
        var all: [ReplayStatus] = []
        /// Built and not in use: `views.next` before a swap, `views.former` after it.
        var other: (id: UUIDv7, views: Views)?
        var thread: DriverThread?
        var isClosed = false
    }

    package init(views: Views, log: any EventLog, directory: DataDirectory, logger: Logger) {
        self.views = views
        self.log = log
        self.directory = directory
        self.logger = logger
    }

    /// Newest first.
    package var all: [ReplayStatus] { state.withLock { $0.all.reversed() } }

    package func status(_ id: UUIDv7) -> ReplayStatus? { state.withLock { $0.all.first { $0.id == id } } }

    /// What the start of the process had to do.
    package func noteStart(_ opening: ViewsOpening, seconds: Double, at time: WallTime) {
        guard opening.condition != .kept, opening.events > 0 else { return }
        var random = RandomSource.system
        let names = opening.changed.isEmpty ? Views.projectionNames : opening.changed
        var status = ReplayStatus(id: UUIDv7(at: time, random: &random), views: names, startedAt: time)
        status.state = .swapped
        status.applied = opening.events
        status.total = opening.events
        status.finishedAt = time
        status.eventsPerSecond = UInt64(Double(opening.events) / max(seconds, 0.001))
        status.comparison = opening.comparison
        status.atStart = opening.condition
        state.withLock { $0.all.append(status) }
    }

    /// Begins to build.
    ///
    /// - Parameter names: of projections; nil: all.
    package func start(_ names: [String]?) throws(ReplayRejection) -> ReplayStatus {
        let time = WallTime.now
        let known = Views.projectionNames
        for name in names ?? [] where !known.contains(name) { throw .unknownView(name) }
        let chosen = known.filter { names?.contains($0) ?? true }
        var random = RandomSource.system
        let status = ReplayStatus(id: UUIDv7(at: time, random: &random), views: chosen, startedAt: time)
        let begun = state.withLock { book -> Result<ReplayStatus, ReplayRejection> in
            if book.isClosed { return .failure(.closed) }
            if let open = book.all.first(where: \.isOpen) { return .failure(.busy(open.id)) }
            // Whatever was kept for a revert makes room.
            book.other = nil
            book.all.append(status)
            return .success(status)
        }
        let result = try begun.get()
        try run(status.id) { replays throws(ViewsError) in try replays.build(status.id, chosen.count == known.count ? nil : chosen) }
        return result
    }

    package func swap(_ id: UUIDv7) throws(ReplayRejection) -> ReplayStatus {
        try move(id, from: .ready, to: .swapping) { replays throws(ViewsError) in try replays.exchange(id, to: .swapped) }
    }

    package func revert(_ id: UUIDv7) throws(ReplayRejection) -> ReplayStatus {
        try move(id, from: .swapped, to: .reverting) { replays throws(ViewsError) in try replays.exchange(id, to: .ready) }
    }

    /// Ends a rebuild, or drops what it has built; what serves stays.
    package func cancel(_ id: UUIDv7) throws(ReplayRejection) {
        var hadViews = false
        let result = state.withLock { book -> Result<Void, ReplayRejection> in
            guard let index = book.all.firstIndex(where: { $0.id == id }) else { return .failure(.unknownReplay) }
            switch book.all[index].state {
            case .building, .comparing: break  // its thread sees it and cleans up
            case .swapping, .reverting: return .failure(.state(book.all[index].state))
            case .ready, .swapped:
                if book.other?.id == id {
                    book.other = nil
                    hadViews = true
                }
            case .failed, .cancelled: break
            }
            book.all[index].state = .cancelled
            return .success(())
        }
        try result.get()
        if hadViews { remove([directory.nextViews, directory.formerViews]) }
    }

    /// Ends what is at work and waits for it.
    package func close() {
        let thread = state.withLock { book in
            book.isClosed = true
            book.other = nil
            defer { book.thread = nil }
            return book.thread
        }
        thread?.join()
        // The former may be another version's, which is kept for it; the next start knows.
        remove([directory.nextViews])
    }

    // MARK: - on the thread

    private func run(
        _ id: UUIDv7, _ body: @escaping @Sendable (Replays) throws(ViewsError) -> Void
    ) throws(ReplayRejection) {
        let former = state.withLock { book in
            defer { book.thread = nil }
            return book.thread
        }
        former?.join()  // it has nothing left to do
        do throws(ControlPlaneError) {
            let thread = try DriverThread("replay") { [self] in
                _ = shims_nice_thread(Self.niceness)
                do throws(ViewsError) {
                    try body(self)
                } catch {
                    logger.error("a replay of views failed", metadata: ["id": "\(id)", "reason": "\(error)"])
                    change(id) { status in
                        status.state = .failed
                        status.failure = "\(error)"
                    }
                }
            }
            state.withLock { $0.thread = thread }
        } catch {
            change(id) { $0.state = .failed }
            throw .noThread
        }
    }

    private func build(_ id: UUIDv7, _ names: [String]?) throws(ViewsError) {
        let clock = ContinuousClock()
        let began = clock.now
        try Views.removeDirectory(directory.formerViews)
        let next = try views.rebuildBeside(directory.nextViews, names, from: log) { applied, end in
            let seconds = (clock.now - began) / .seconds(1)
            return change(id) { status in
                status.applied = applied
                status.total = end
                status.eventsPerSecond = UInt64(Double(applied) / max(seconds, 0.001))
            }
        }
        guard let next, change(id, { $0.state = .comparing }),
            let comparison = try views.compare(with: next, from: log, goesOn: { change(id) { _ in } })
        else { return try Views.removeDirectory(directory.nextViews) }
        let isWanted = state.withLock { book in
            guard !book.isClosed, let index = book.all.firstIndex(where: { $0.id == id }),
                book.all[index].state == .comparing
            else { return false }
            book.other = (id, next)
            book.all[index].state = .ready
            book.all[index].comparison = comparison
            book.all[index].applied = comparison.applied
            book.all[index].total = comparison.applied
            book.all[index].finishedAt = .now
            return true
        }
        if !isWanted { try Views.removeDirectory(directory.nextViews) }
        logger.info(
            "views were built anew beside those that serve",
            metadata: ["id": "\(id)", "events": "\(comparison.applied)", "differences": "\(comparison.count)"])
    }

    private func exchange(_ id: UUIDv7, to state: ReplayStatus.State) throws(ViewsError) {
        guard let other = self.state.withLock({ $0.other })?.views else { throw .untrusted(.new) }
        let former = try views.swap(with: other, from: log, keepingFormerIn: directory.formerViews)
        self.state.withLock { $0.other = (id, former) }
        change(id) { $0.state = state }
        logger.info("views were swapped", metadata: ["id": "\(id)", "state": "\(state.rawValue)"])
    }

    private func move(
        _ id: UUIDv7, from old: ReplayStatus.State, to new: ReplayStatus.State,
        _ body: @escaping @Sendable (Replays) throws(ViewsError) -> Void
    ) throws(ReplayRejection) -> ReplayStatus {
        let result = state.withLock { book -> Result<ReplayStatus, ReplayRejection> in
            if book.isClosed { return .failure(.closed) }
            guard let index = book.all.firstIndex(where: { $0.id == id }) else { return .failure(.unknownReplay) }
            guard book.all[index].state == old, book.other?.id == id else { return .failure(.state(book.all[index].state)) }
            if let open = book.all.first(where: { $0.isOpen && $0.id != id }) { return .failure(.busy(open.id)) }
            book.all[index].state = new
            return .success(book.all[index])
        }
        let status = try result.get()
        try run(id, body)
        return status
    }

    /// - Returns: whether it is to go on: false if it was cancelled, or everything ends.
    @discardableResult
    private func change(_ id: UUIDv7, _ body: (inout ReplayStatus) -> Void) -> Bool {
        state.withLock { book in
            guard let index = book.all.firstIndex(where: { $0.id == id }), book.all[index].state != .cancelled else {
                return false
            }
            body(&book.all[index])
            return !book.isClosed
        }
    }

    private func remove(_ paths: [String]) {
        for path in paths {
            do throws(ViewsError) {
                try Views.removeDirectory(path)
            } catch {
                logger.warning("views that are not needed cannot be removed", metadata: ["reason": "\(error)"])
            }
        }
    }
}

import Bus
import Model
import Primitives

/// When each call has to be looked at next. Calls change their minds often, so what is queued is only asked after when its
/// time has come.
struct CallWakes: Sendable {
    private var times: [CallID: Instant] = [:]
    private var queue = DeadlineQueue<CallID>()

    /// Not later than the first call's time; it may turn out that nothing was to do.
    var first: Instant? { queue.first }

    subscript(id: CallID) -> Instant? {
        get { times[id] }
        set {
            guard times[id] != newValue else { return }
            times[id] = newValue
            if let newValue { queue.insert(id, at: newValue) }
            forgetMoved()
        }
    }

    /// Takes out the calls whose time has come, in order of time.
    mutating func popDue(_ now: Instant) -> [CallID] {
        // Most looks find nothing.
        guard let first = queue.first, first <= now else { return [] }
        var due: [CallID] = []
        while let id = queue.popFirst(dueBy: now) {
            guard let time = times[id], time <= now else { continue }
            times[id] = nil
            due.append(id)
        }
        return due
    }

    /// Keeps the queue within a multiple of the table.
    private mutating func forgetMoved() {
        guard queue.count > 4 * times.count + 64 else { return }
        queue.removeAll()
        for (id, time) in times.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) }) { queue.insert(id, at: time) }
    }
}

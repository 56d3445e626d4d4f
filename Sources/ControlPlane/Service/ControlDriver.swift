internal import Bus
internal import Dispatch
package import Model
internal import Synchronization

/// The way to the one thread that decides. Commands wait here while the last batch is made durable, and then go
/// into the next one together.
package final class ControlDriver: Sendable {
    typealias Answer = @Sendable (Result<AdminOutcome, AdminRejection>) -> Void

    enum Item: Sendable {
        case command(AdminRequest, answer: Answer)
        case workers(CheckedContinuation<[WorkerStatus], Never>)
        case gateways(CheckedContinuation<[GatewayStatus], Never>)
        case bindings(SubscriberID, CheckedContinuation<[Binding], Never>)
        case watchers(SubscriberID, CheckedContinuation<[LineWatcher], Never>)
    }

    private struct Inbox {
        var items: [Item] = []
        var isOpen = false
        var mustStop = false
    }

    /// Commands that may wait at once; more is a flood, and is told so.
    private static let itemsMax = 10_000
    private static let full = AdminRejection.unavailable(reason: "the control plane is stopping or overloaded")
    private let inbox = Mutex(Inbox())
    let waker: Waker

    init() throws(ControlPlaneError) {
        do {
            waker = try Waker()
        } catch {
            throw .bus(reason: "\(error)")
        }
    }

    /// Returns when the command is durable. Cancelling the task does not take the command back.
    package func submit(_ request: AdminRequest) async throws(AdminRejection) -> AdminOutcome {
        let result = await withCheckedContinuation { continuation in
            let answer: Answer = { continuation.resume(returning: $0) }
            if !put(.command(request, answer: answer)) { answer(.failure(Self.full)) }
        }
        return try result.get()
    }

    /// The same for a thread of our own, which may wait. Needs no task: whoever waits for that thread to end may hold all that
    /// tasks run on.
    @Sendable func submitAndWait(_ request: AdminRequest) -> Result<AdminOutcome, AdminRejection> {
        final class Box: Sendable {
            let value = Mutex<Result<AdminOutcome, AdminRejection>?>(nil)
            let arrived = DispatchSemaphore(value: 0)
        }
        let answer = Box()
        let isTaken = put(
            .command(request) { result in
                answer.value.withLock { $0 = result }
                answer.arrived.signal()
            })
        guard isTaken else { return .failure(Self.full) }
        answer.arrived.wait()
        return answer.value.withLock { $0 } ?? .failure(.unavailable(reason: "the control plane is stopping"))
    }

    /// Every enrolled worker, by name.
    package func workers() async -> [WorkerStatus] {
        await withCheckedContinuation { continuation in
            if !put(.workers(continuation)) { continuation.resume(returning: []) }
        }
    }

    /// What workers have said last of the gateways that register or are probed.
    package func gateways() async -> [GatewayStatus] {
        await withCheckedContinuation { continuation in
            if !put(.gateways(continuation)) { continuation.resume(returning: []) }
        }
    }

    /// The contacts by which a subscriber is reached now.
    package func bindings(of subscriber: SubscriberID) async -> [Binding] {
        await withCheckedContinuation { continuation in
            if !put(.bindings(subscriber, continuation)) { continuation.resume(returning: []) }
        }
    }

    package func watchers(of subscriber: SubscriberID) async -> [LineWatcher] {
        await withCheckedContinuation { continuation in
            if !put(.watchers(subscriber, continuation)) { continuation.resume(returning: []) }
        }
    }

    // MARK: - between the threads

    func open() { inbox.withLock { $0.isOpen = true } }

    /// What waits is still answered; nothing more gets in.
    func close() {
        inbox.withLock { inbox in
            inbox.isOpen = false
            inbox.mustStop = true
        }
        waker.wake()
    }

    /// Everything that waits, and whether it is the last of all.
    func take() -> (items: [Item], mustStop: Bool) {
        inbox.withLock { inbox in
            defer { inbox.items.removeAll(keepingCapacity: true) }
            return (inbox.items, inbox.mustStop)
        }
    }

    private func put(_ item: Item) -> Bool {
        let accepted = inbox.withLock { inbox in
            guard inbox.isOpen, inbox.items.count < Self.itemsMax else { return false }
            inbox.items.append(item)
            return true
        }
        if accepted { waker.wake() }
        return accepted
    }
}

import Model
import Primitives
import SIP
import SwiftProtobuf

/// A REGISTER that waits for the control plane's answer.
struct Registering: Sendable {
    let bind: BindContacts
    let transaction: ServerTransactionID
    let request: SIPMessage

    /// What the control plane is told of it, roughly.
    fileprivate var byteCount: Int {
        bind.bindings.reduce(64) { sum, binding in
            sum + 128 + binding.contactUri.utf8.count + binding.callID.utf8.count + binding.userAgent.utf8.count + binding.instanceID.utf8.count
                + binding.path.reduce(0) { $0 + $1.utf8.count }
        }
    }
}

/// Registrations that wait a moment for others.
///
/// A message to the control plane wakes a thread of each process's bus and the thread that decides, is a commit of the contacts' file,
/// and wakes all of them again for the answer. A phone does not care about some milliseconds when it registers, and a platform of many phones
/// has many registrations in that time: they go in one message and are answered by one.
struct GatheredRegistrations: Sendable {
    /// More than these wait for nobody.
    static let countMax = 64
    static let bytesMax = 64 << 10

    private var entries: [Registering] = []
    private var byteCount = 0
    /// When they are sent at the latest; nil: there are none.
    private(set) var until: Instant?

    /// False: it goes alone, because with it the message might be too long.
    mutating func add(_ entry: Registering, until deadline: Instant) -> Bool {
        let size = entry.byteCount
        guard size <= Self.bytesMax else { return false }
        byteCount += size
        entries.append(entry)
        if until == nil { until = deadline }
        return true
    }

    var isFull: Bool { entries.count >= Self.countMax || byteCount >= Self.bytesMax }

    /// In the order in which they came.
    mutating func takeAll() -> [Registering] {
        defer { self = GatheredRegistrations() }
        return entries
    }
}

extension SignalMachine {
    mutating func ask(_ entry: Registering) {
        guard configuration.registrationsGathered > .zero, registering.add(entry, until: kit.now + configuration.registrationsGathered) else {
            // What came before it is bound before it.
            sendRegistrations()
            return askAlone(entry)
        }
        if registering.isFull { sendRegistrations() }
    }

    mutating func sendRegistrations() {
        let entries = registering.takeAll()
        if entries.count > 1 {
            kit.ask(.with { $0.bindBatch.binds = entries.map(\.bind) }, .bindBatch(entries))
        } else if let entry = entries.first {
            askAlone(entry)
        }
    }

    private mutating func askAlone(_ entry: Registering) { kit.ask(.with { $0.bind = entry.bind }, .bind(entry)) }

    mutating func bound(_ reply: BindBatchReply, _ waiting: [Registering]) {
        for (entry, one) in zip(waiting, reply.replies) {
            guard one.outcome != .alone else {
                askAlone(entry)
                continue
            }
            var one = one
            one.logPosition = reply.logPosition
            bound(one, entry.transaction, entry.request)
        }
    }

    mutating func controlIsSilent(_ request: SIPMessage, _ transaction: ServerTransactionID) {
        var response = request.response(503, toTag: "control")
        response.headers.append(.retryAfter, "5")
        kit.respond(response, to: transaction, .controlSilent)
    }
}

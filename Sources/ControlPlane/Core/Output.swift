package import Model

/// What the driver carries out, in order. Everything in it is durable already.
package enum Output: Sendable {
    /// - Parameter encoded: the same in bytes, where they were made already.
    case reply(worker: String, requestID: [UInt8], DeskReply, encoded: [UInt8]? = nil)
    case adminResult(ticket: UInt64, Result<AdminOutcome, AdminRejection>)
    /// To all workers.
    case feed(FeedMessage)
    case admission(Admission)
    case note(ControlNote)
}

extension Output {
    var isOfTheAPI: Bool {
        switch self {
        case .adminResult: true
        case .reply, .feed, .admission, .note: false
        }
    }
}

/// For the log of the process; no secrets.
package enum ControlNote: Equatable, Sendable {
    case workerArrived(String)
    case workerLost(String)
    case callsAdopted(count: Int, from: String)
    case callsClosed(count: Int, of: String)
    /// A batch could not be made durable; everybody in it was told to try again.
    case batchFailed(commands: Int, reason: String)
    case viewsBehind(reason: String)
    /// How these lines are could not be read; whoever watches them is told as soon as it can.
    case watchersUntold(lines: Int, reason: String)
    case locationStoreFailed(reason: String)
    /// The erasure is in the log, and the key is still there; it is tried again.
    case keyNotDestroyed(reason: String)
}

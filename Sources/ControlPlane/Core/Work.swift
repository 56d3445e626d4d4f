package import Model

/// One thing to decide.
package enum Work: Sendable {
    /// A request from a worker, under the name that its key was enrolled with.
    case desk(worker: String, requestID: [UInt8], DeskRequest)
    /// A command from the API; the ticket finds its asker again.
    case admin(ticket: UInt64, AdminRequest)
}

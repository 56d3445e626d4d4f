package import Model
package import Primitives

/// A worker as the control plane sees it now: what was enrolled, and whether it is heard.
package struct WorkerStatus: Sendable {
    package enum State: String, Sendable {
        /// Never heard since the control plane started.
        case absent
        case alive
        case draining
        /// Heard once, silent for longer than the limit.
        case dead
    }
    package var name: String
    package var kind: WorkerKind
    package var state: State
    package var listeners: [String]
    package var busEndpoint: String
    package var calls: UInt32
    package var loadPermille: UInt32
    /// Of a media worker that has been heard.
    package var media: MediaFigures?
    /// When it was last heard; nil for an absent worker.
    package var heardAt: WallTime?
}

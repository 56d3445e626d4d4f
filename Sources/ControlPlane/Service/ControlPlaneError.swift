/// Why a data directory cannot be opened or served. Each text says what to do.
package enum ControlPlaneError: Error, Equatable, Sendable {
    /// Another process serves the directory.
    case directoryInUse(path: String)
    case directoryUnusable(path: String, reason: String)
    /// A key file that is missing beside a ledger, damaged, or readable by others.
    case keyUnusable(path: String, reason: String)
    case ledger(reason: String)
    case views(reason: String)
    /// An address of the bus is taken or cannot be bound.
    case bus(reason: String)
}

extension ControlPlaneError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .directoryInUse(let path): "\(path) is served by another process: stop it, or choose another directory"
        case .directoryUnusable(let path, let reason): "\(path) cannot be used: \(reason)"
        case .keyUnusable(let path, let reason): "key \(path): \(reason)"
        case .ledger(let reason): "ledger: \(reason)"
        case .views(let reason): "views: \(reason)"
        case .bus(let reason): "bus: \(reason)"
        }
    }
}

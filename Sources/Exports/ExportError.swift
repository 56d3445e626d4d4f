/// Why a file could not be made, kept or sent. Each text says what to do; none holds a secret.
package enum ExportError: Error, Equatable {
    case file(path: String, reason: String)
    case views(reason: String)
    /// The log did not take the file's event.
    case refused(reason: String)
    /// The file is gone from the folder, and made again it is another one.
    case notReproducible(name: String)
    case notSent(reason: String)
    /// Only in tests: the process would have been killed here.
    case killed(String)
}

extension ExportError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .file(let path, let reason): "\(path): \(reason)"
        case .views(let reason): "the views cannot be read: \(reason)"
        case .refused(let reason): "the log did not take the file: \(reason)"
        case .notReproducible(let name):
            "\(name) is missing from the folder, and made again it has another hash (a name in it has changed, or somebody was erased): put it back from a copy"
        case .notSent(let reason): "not sent: \(reason)"
        case .killed(let step): "killed at: \(step)"
        }
    }
}

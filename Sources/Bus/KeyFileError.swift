/// Why a key file is of no use, in words that tell an operator what to change. Never holds a key.
public enum KeyFileError: Error, Equatable, Sendable, CustomStringConvertible {
    case missing(path: String)
    /// Never overwritten: the key in it may be enrolled somewhere.
    case exists(path: String)
    /// Others than its owner may read or write it.
    case exposed(path: String, mode: String)
    /// - Parameter reason: the system's text.
    case unreadable(path: String, reason: String)
    case unwritable(path: String, reason: String)
    /// - Parameter line: counted from 1; 0 when a line is missing.
    case malformed(path: String, line: Int, reason: String)
    /// The public key is not that of the secret one.
    case mismatched(path: String)

    public var description: String {
        switch self {
        case .missing(let path): "key file \(path) does not exist"
        case .exists(let path): "key file \(path) exists already: remove it first, or choose another name"
        case .exposed(let path, let mode): "key file \(path) has mode \(mode), so others can read it: chmod 600 \(path)"
        case .unreadable(let path, let reason): "cannot read key file \(path): \(reason)"
        case .unwritable(let path, let reason): "cannot write key file \(path): \(reason)"
        case .malformed(let path, 0, let reason): "key file \(path): \(reason)"
        case .malformed(let path, let line, let reason): "key file \(path), line \(line): \(reason)"
        case .mismatched(let path): "key file \(path): public and secret key do not belong together"
        }
    }
}

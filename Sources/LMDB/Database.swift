/// A named table of an environment; good for as long as the environment is open.
public struct Database: Hashable, Sendable {
    let handle: UInt32
}

public enum PutMode: Sendable {
    case upsert
    /// The key must be after every other: fills pages to the brim and searches nothing.
    case append
    case insert
}

import Foundation

/// A directory of its own for a test; gone with the value.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "/ledgerline-control-" + UUID().uuidString
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            preconditionFailure("a temporary directory cannot be made: \(error)")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

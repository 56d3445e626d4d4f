import ControlPlane
import Primitives

/// Where a page ended, as a text that clients only hand back. What it names is checked against the token's reach again.
enum Cursor {
    /// Longer than any path through the tree.
    private static let pathMax = 8

    static func text(_ path: [UUIDv7]) -> String { hex(path.flatMap(\.bytes)) }

    static func path(_ text: String) -> [UUIDv7]? {
        guard let bytes = bytes(hex: text), !bytes.isEmpty, bytes.count % 16 == 0, bytes.count / 16 <= pathMax else {
            return nil
        }
        return stride(from: 0, to: bytes.count, by: 16).compactMap { UUIDv7(bytes: bytes[$0..<$0 + 16]) }
    }
}

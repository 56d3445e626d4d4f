package import Primitives

/// A master key of 16 bytes and its salt of 14, as an SDES `inline:` parameter carries them (RFC 4568 §6.1).
///
/// Never printed: every textual form of it is a placeholder.
package struct SRTPMasterKey: Equatable, Sendable {
    package static let byteCount = 30

    let bytes: [UInt8]

    /// nil unless there are exactly 30 bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == SRTPMasterKey.byteCount else { return nil }
        self.bytes = Array(bytes)
    }

    package init(random: inout RandomSource) { bytes = random.bytes(SRTPMasterKey.byteCount) }
}

extension SRTPMasterKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "SRTPMasterKey(secret)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

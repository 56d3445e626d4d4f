package import Primitives

/// A master key and its salt, as an SDES `inline:` parameter carries them (RFC 4568 §6.1) or DTLS makes them (RFC 5764 §4.2).
///
/// Never printed: every textual form of it is a placeholder.
package struct SRTPMasterKey: Equatable, Sendable {
    /// Of the suites that everybody has.
    package static let byteCount = 30

    let bytes: [UInt8]

    /// nil unless there are exactly as many bytes as a key of that suite has.
    package init?(_ bytes: some Collection<UInt8>, for suite: SRTPSuite = .aesCounterMode128HMACSHA1With80Bits) {
        guard bytes.count == suite.keyByteCount else { return nil }
        self.bytes = Array(bytes)
    }

    package init(random: inout RandomSource, for suite: SRTPSuite = .aesCounterMode128HMACSHA1With80Bits) {
        bytes = random.bytes(suite.keyByteCount)
    }
}

extension SRTPMasterKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "SRTPMasterKey(secret)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

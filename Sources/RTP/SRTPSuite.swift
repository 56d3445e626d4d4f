/// The crypto suites of SDP security descriptions that are spoken here (RFC 4568 §6.2).
package enum SRTPSuite: String, CaseIterable, Hashable, Sendable {
    case aesCounterMode128HMACSHA1With80Bits = "AES_CM_128_HMAC_SHA1_80"
    case aesCounterMode128HMACSHA1With32Bits = "AES_CM_128_HMAC_SHA1_32"

    /// Bytes that protection appends to an RTP packet.
    package var mediaTagByteCount: Int {
        switch self {
        case .aesCounterMode128HMACSHA1With80Bits: 10
        case .aesCounterMode128HMACSHA1With32Bits: 4
        }
    }

    /// Bytes that protection appends to an RTCP packet: its index, and a tag that is never shortened
    /// (RFC 4568 §6.2.2).
    package var controlTrailerByteCount: Int { 4 + 10 }
}

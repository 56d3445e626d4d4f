/// The crypto suites that are spoken here, by their names in SDP security descriptions (RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §14.2).
package enum SRTPSuite: String, CaseIterable, Hashable, Sendable {
    case aesCounterMode128HMACSHA1With80Bits = "AES_CM_128_HMAC_SHA1_80"
    case aesCounterMode128HMACSHA1With32Bits = "AES_CM_128_HMAC_SHA1_32"
    case aesCounterMode256HMACSHA1With80Bits = "AES_256_CM_HMAC_SHA1_80"
    case aesCounterMode256HMACSHA1With32Bits = "AES_256_CM_HMAC_SHA1_32"
    case aesGalois128 = "AEAD_AES_128_GCM"
    case aesGalois256 = "AEAD_AES_256_GCM"

    /// Of the master key, without its salt.
    package var masterKeyByteCount: Int {
        switch self {
        case .aesCounterMode128HMACSHA1With80Bits, .aesCounterMode128HMACSHA1With32Bits, .aesGalois128: 16
        case .aesCounterMode256HMACSHA1With80Bits, .aesCounterMode256HMACSHA1With32Bits, .aesGalois256: 32
        }
    }

    package var masterSaltByteCount: Int {
        switch self {
        case .aesCounterMode128HMACSHA1With80Bits, .aesCounterMode128HMACSHA1With32Bits, .aesCounterMode256HMACSHA1With80Bits,
            .aesCounterMode256HMACSHA1With32Bits:
            14
        case .aesGalois128, .aesGalois256: 12
        }
    }

    /// Of a key and its salt, one behind the other.
    package var keyByteCount: Int { masterKeyByteCount + masterSaltByteCount }

    /// Bytes that protection appends to an RTP packet.
    package var mediaTagByteCount: Int {
        switch self {
        case .aesCounterMode128HMACSHA1With80Bits, .aesCounterMode256HMACSHA1With80Bits: 10
        case .aesCounterMode128HMACSHA1With32Bits, .aesCounterMode256HMACSHA1With32Bits: 4
        case .aesGalois128, .aesGalois256: 16
        }
    }

    /// Bytes that protection appends to an RTCP packet: its index, and a tag that is never shortened
    /// (RFC 4568 §6.2.2).
    package var controlTrailerByteCount: Int {
        switch self {
        case .aesCounterMode128HMACSHA1With80Bits, .aesCounterMode128HMACSHA1With32Bits, .aesCounterMode256HMACSHA1With80Bits,
            .aesCounterMode256HMACSHA1With32Bits:
            4 + 10
        case .aesGalois128, .aesGalois256: 4 + 16
        }
    }
}

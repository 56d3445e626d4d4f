internal import CSRTP
internal import CSRTPPrimitives

/// One direction of SRTP and SRTCP under one master key (RFC 3711): the ring around libsrtp's session.
///
/// Noncopyable: a copy would reuse the key stream. Packets are changed in place. libsrtp allocates when a
/// synchronisation source is first heard, and not for later packets of that source; what the library's own
/// cipher backend does is the library's business.
@safe package struct SRTPSession: ~Copyable {
    package enum Direction: Sendable {
        /// For packets that come: their sender chose the key.
        case inbound
        /// For packets that go: we chose the key.
        case outbound
    }

    /// Bytes that must be free behind a packet that is to be protected; libsrtp asks for this much.
    package static let spareByteCount = Int(SRTP_MAX_TRAILER_LEN)
    /// Sources under one key; each costs memory until the session ends, so a peer may not have any number.
    package static let sourceCountMax = 32

    /// How often a source that joins may have had its sequence numbers begin anew: a day of 50 packets a second.
    static let rolloversMax: UInt32 = 66
    /// Packets of unknown sources that are looked at so closely; each costs as many signatures as there are rollovers.
    static let joinsMax = 64

    private let session: srtp_t
    private let places: csrtp_places
    private let suite: SRTPSuite
    private let key: SRTPMasterKey
    private var sources = InlineArray<32, UInt32>(repeating: 0)
    private var sourceCount = 0
    private var joins = 0

    package init(_ direction: Direction, suite: SRTPSuite, key: SRTPMasterKey) throws(SRTPError) {
        guard SRTPLibrary.isReady else { throw .unavailable }
        var places = unsafe csrtp_places()
        unsafe csrtp_note_places(&places)
        defer { csrtp_note_places(nil) }
        unsafe session = unsafe try SRTPSession.make(direction == .inbound ? ssrc_any_inbound : ssrc_any_outbound, suite: suite, key: key)
        unsafe self.places = unsafe places
        self.suite = suite
        self.key = key
    }

    private static func make(
        _ kind: srtp_ssrc_type_t, ssrc: UInt32 = 0, suite: SRTPSuite, key: SRTPMasterKey
    ) throws(SRTPError) -> srtp_t {
        var session: srtp_t?
        let status = unsafe withPolicy(kind, ssrc, suite, key) { policy in unsafe srtp_create(&session, policy) }
        guard status == srtp_err_status_ok, let session = unsafe session else { throw .unavailable }
        return unsafe session
    }

    /// The key is read during the call and not kept: libsrtp derives its session keys at once.
    private static func withPolicy(
        _ kind: srtp_ssrc_type_t, _ ssrc: UInt32, _ suite: SRTPSuite, _ key: SRTPMasterKey,
        _ body: (UnsafePointer<srtp_policy_t>) -> srtp_err_status_t
    ) -> srtp_err_status_t {
        guard key.bytes.count == suite.keyByteCount else { return srtp_err_status_bad_param }
        var policy = unsafe srtp_policy_t()
        unsafe policy.ssrc.type = kind
        unsafe policy.ssrc.value = ssrc
        switch suite {
        case .aesCounterMode128HMACSHA1With80Bits:
            unsafe srtp_crypto_policy_set_rtp_default(&policy.rtp)
            unsafe srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        case .aesCounterMode128HMACSHA1With32Bits:
            unsafe srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp)
            unsafe srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        case .aesCounterMode256HMACSHA1With80Bits:
            unsafe srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtp)
            unsafe srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtcp)
        case .aesCounterMode256HMACSHA1With32Bits:
            unsafe srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(&policy.rtp)
            unsafe srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtcp)
        case .aesGalois128:
            unsafe srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
            unsafe srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
        case .aesGalois256:
            unsafe srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp)
            unsafe srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp)
        }
        var bytes = key.bytes
        return unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            unsafe policy.key = buffer.baseAddress
            return unsafe body(&policy)
        }
    }

    deinit { _ = unsafe srtp_dealloc(session) }

    /// Asks the processor for what the next packet will need: among many sessions it has left the caches since the last one.
    package borrowing func prefetch() {
        unsafe withUnsafePointer(to: places) { places in unsafe csrtp_prefetch(UnsafeRawPointer(session), places) }
    }

    /// Encrypts and tags an RTP packet in place.
    /// - Parameters:
    ///   - buffer: the packet, with `spareByteCount` bytes free behind it.
    ///   - count: bytes of the packet.
    /// - Returns: bytes of the protected packet.
    package mutating func protect(_ buffer: inout MutableRawSpan, count: Int) throws(SRTPError) -> Int {
        try run(.protect, ssrc: ssrcOfMedia(buffer.bytes, count: count, trailer: 0), &buffer, count: count)
    }

    /// Checks and decrypts an SRTP packet in place.
    /// - Returns: bytes of the packet in clear. After an error the buffer is not to be used.
    package mutating func unprotect(_ buffer: inout MutableRawSpan, count: Int) throws(SRTPError) -> Int {
        let ssrc = try ssrcOfMedia(buffer.bytes, count: count, trailer: suite.mediaTagByteCount)
        guard knows(ssrc) else { return try join(ssrc, &buffer, count: count) }
        return try run(.unprotect, ssrc: ssrc, &buffer, count: count)
    }

    /// As `protect`, for an RTCP compound.
    package mutating func protectControl(_ buffer: inout MutableRawSpan, count: Int) throws(SRTPError) -> Int {
        try run(.protectControl, ssrc: ssrcOfControl(buffer.bytes, count: count, trailer: 0), &buffer, count: count)
    }

    /// As `unprotect`, for an SRTCP packet.
    package mutating func unprotectControl(_ buffer: inout MutableRawSpan, count: Int) throws(SRTPError) -> Int {
        let ssrc = try ssrcOfControl(buffer.bytes, count: count, trailer: suite.controlTrailerByteCount)
        return try run(.unprotectControl, ssrc: ssrc, &buffer, count: count)
    }

    // MARK: - Checks before the library is asked

    private borrowing func ssrcOfMedia(_ buffer: RawSpan, count: Int, trailer: Int) throws(SRTPError) -> UInt32 {
        precondition(count >= 0 && count <= buffer.byteCount)
        let header: RTPHeader
        do throws(RTPParseError) {
            header = try RTPHeader(parsing: buffer.extracting(first: count))
        } catch {
            switch error {
            case .tooShort(let have, let need): throw .tooShort(have: have, need: need + trailer)
            case .wrongVersion, .wrongPadding, .wrongLength, .wrongType: throw .malformed
            }
        }
        guard count >= header.byteCount + trailer else {
            throw .tooShort(have: count, need: header.byteCount + trailer)
        }
        return header.ssrc
    }

    private borrowing func ssrcOfControl(_ buffer: RawSpan, count: Int, trailer: Int) throws(SRTPError) -> UInt32 {
        precondition(count >= 0 && count <= buffer.byteCount)
        let need = RTCPHeader.byteCount + trailer
        guard count >= need else { throw .tooShort(have: count, need: need) }
        do throws(RTPParseError) {
            return try RTCPHeader(parsing: buffer.extracting(first: count)).senderSSRC
        } catch {
            throw .malformed
        }
    }

    private borrowing func knows(_ ssrc: UInt32) -> Bool {
        for index in 0..<sourceCount where sources[index] == ssrc { return true }
        return false
    }

    // MARK: - The library

    /// A source that is heard for the first time under this key. It may have sent for hours before, to whoever had the call until then:
    /// how often its sequence numbers have begun anew is in no packet (RFC 3711 §3.3.1), so it is found out by trying.
    private mutating func join(_ ssrc: UInt32, _ buffer: inout MutableRawSpan, count: Int) throws(SRTPError) -> Int {
        guard joins < SRTPSession.joinsMax else { return try run(.unprotect, ssrc: ssrc, &buffer, count: count) }
        joins += 1
        // A packet that does not check may have been changed in place by then.
        let original = unsafe buffer.withUnsafeBytes { bytes in unsafe Array(bytes.prefix(count)) }
        do throws(SRTPError) {
            return try run(.unprotect, ssrc: ssrc, &buffer, count: count)
        } catch .wrongKey {
            let trial = unsafe try SRTPSession.make(ssrc_specific, ssrc: ssrc, suite: suite, key: key)
            defer { _ = unsafe srtp_dealloc(trial) }
            for rollovers in 1...SRTPSession.rolloversMax {
                guard unsafe srtp_set_stream_roc(trial, ssrc, rollovers) == srtp_err_status_ok else { break }
                SRTPSession.restore(original, &buffer)
                var length = Int32(count)
                let status = unsafe buffer.withUnsafeMutableBytes { bytes in unsafe srtp_unprotect(trial, bytes.baseAddress!, &length) }
                guard status == srtp_err_status_ok else { continue }
                SRTPSession.restore(original, &buffer)
                let session = unsafe session
                let added = unsafe SRTPSession.withPolicy(ssrc_specific, ssrc, suite, key) { policy in unsafe srtp_add_stream(session, policy) }
                guard added == srtp_err_status_ok, unsafe srtp_set_stream_roc(session, ssrc, rollovers) == srtp_err_status_ok else {
                    throw .unavailable
                }
                return try run(.unprotect, ssrc: ssrc, &buffer, count: count)
            }
            throw .wrongKey
        }
    }

    private static func restore(_ bytes: [UInt8], _ buffer: inout MutableRawSpan) {
        unsafe buffer.withUnsafeMutableBytes { target in unsafe target.copyBytes(from: bytes) }
    }

    private enum Operation {
        case protect, unprotect, protectControl, unprotectControl

        var spareByteCount: Int {
            switch self {
            case .protect, .protectControl: SRTPSession.spareByteCount
            case .unprotect, .unprotectControl: 0
            }
        }
    }

    private mutating func run(
        _ operation: Operation, ssrc: UInt32, _ buffer: inout MutableRawSpan, count: Int
    ) throws(SRTPError) -> Int {
        let isNew = !knows(ssrc)
        guard !isNew || sourceCount < SRTPSession.sourceCountMax else { throw .tooManySources }
        let need = count + operation.spareByteCount
        guard buffer.byteCount >= need else { throw .noRoom(have: buffer.byteCount, need: need) }
        var length = Int32(count)
        let session = unsafe session
        let status = unsafe buffer.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return srtp_err_status_bad_param }
            return switch operation {
            case .protect: unsafe srtp_protect(session, base, &length)
            case .unprotect: unsafe srtp_unprotect(session, base, &length)
            case .protectControl: unsafe srtp_protect_rtcp(session, base, &length)
            case .unprotectControl: unsafe srtp_unprotect_rtcp(session, base, &length)
            }
        }
        guard status == srtp_err_status_ok else { throw SRTPError(status) }
        if isNew {
            // Only after success: a forged packet must not use up a place.
            sources[sourceCount] = ssrc
            sourceCount += 1
        }
        return Int(length)
    }
}

extension SRTPError {
    /// The library's codes end here; the numbers of its statuses mean nothing to callers.
    fileprivate init(_ status: srtp_err_status_t) {
        switch status {
        case srtp_err_status_auth_fail: self = .wrongKey
        case srtp_err_status_replay_fail: self = .replayed
        case srtp_err_status_replay_old, srtp_err_status_pkt_idx_old: self = .replayWindowPassed
        case srtp_err_status_key_expired: self = .keyUsedUp
        case srtp_err_status_parse_err, srtp_err_status_bad_param: self = .malformed
        default: self = .unavailable
        }
    }
}

internal import Primitives
internal import RTP

/// What a packet is in clear, and under its keys.
extension RelayLeg {
    mutating func unprotect(
        _ channel: Channel, _ buffer: inout MutableRawSpan, count: Int, at now: Instant
    ) throws(DropError) -> Int {
        guard inbound != nil else { throw DropError(.keyMissing) }
        if oldInbound != nil { return try unprotectTwice(channel, &buffer, count: count, at: now) }
        do throws(SRTPError) {
            switch channel {
            case .media: return try inbound!.unprotect(&buffer, count: count)
            case .control: return try inbound!.unprotectControl(&buffer, count: count)
            }
        } catch {
            throw DropError(error)
        }
    }

    /// While a peer changes its key, its packets come under the one or the other.
    mutating func unprotectTwice(
        _ channel: Channel, _ buffer: inout MutableRawSpan, count: Int, at now: Instant
    ) throws(DropError) -> Int {
        let original = unsafe buffer.withUnsafeBytes { bytes in unsafe Array(bytes.prefix(count)) }
        do throws(SRTPError) {
            switch channel {
            case .media: return try inbound!.unprotect(&buffer, count: count)
            case .control: return try inbound!.unprotectControl(&buffer, count: count)
            }
        } catch {
            guard error == .wrongKey, now < oldInboundUntil else {
                if now >= oldInboundUntil { oldInbound = nil }
                throw DropError(error)
            }
            unsafe buffer.withUnsafeMutableBytes { target in unsafe target.copyBytes(from: original) }
        }
        do throws(SRTPError) {
            switch channel {
            case .media: return try oldInbound!.unprotect(&buffer, count: count)
            case .control: return try oldInbound!.unprotectControl(&buffer, count: count)
            }
        } catch {
            throw DropError(error)
        }
    }

    mutating func protect(_ channel: Channel, _ buffer: inout MutableRawSpan, count: Int) throws(DropError)
        -> Int
    {
        guard outbound != nil else { throw DropError(.keyMissing) }
        do throws(SRTPError) {
            switch channel {
            case .media: return try outbound!.protect(&buffer, count: count)
            case .control: return try outbound!.protectControl(&buffer, count: count)
            }
        } catch {
            guard error == .replayWindowPassed, channel == .media, restarts.begins(anew: &buffer, count: count) else { throw DropError(error) }
        }
        do throws(SRTPError) {
            return try outbound!.protect(&buffer, count: count)
        } catch {
            throw DropError(error)
        }
    }

    static func header(of packet: RawSpan) throws(DropError) -> RTPHeader {
        do throws(RTPParseError) {
            let header = try RTPHeader(parsing: packet)
            _ = try header.payload(of: packet)
            return header
        } catch {
            throw DropError(error)
        }
    }

    static func compound(of packet: RawSpan) throws(DropError) -> RTCPCompound {
        do throws(RTPParseError) {
            return try RTCPCompound(parsing: packet)
        } catch {
            throw DropError(error)
        }
    }
}

/// A drop on its way up; one small value, so that throwing it allocates nothing.
struct DropError: Error {
    let reason: DropReason

    init(_ reason: DropReason) { self.reason = reason }

    init(_ error: RTPParseError) {
        switch error {
        case .tooShort: reason = .tooShort
        case .wrongVersion, .wrongPadding, .wrongLength, .wrongType: reason = .malformed
        }
    }

    init(_ error: SRTPError) {
        switch error {
        case .wrongKey: reason = .wrongKey
        case .replayed, .replayWindowPassed: reason = .replayed
        case .tooShort: reason = .tooShort
        case .malformed: reason = .malformed
        case .noRoom: reason = .tooLong
        case .tooManySources, .keyUsedUp, .unavailable: reason = .protectionLimit
        }
    }
}

internal import Primitives

/// What a leg's peer hears instead of the other leg: packets of ours.
enum OwnStream: Sendable {
    case speech(PromptStream)
    case keys(KeyStream)

    var ssrc: UInt32 {
        switch self {
        case .speech(let stream): stream.ssrc
        case .keys(let stream): stream.ssrc
        }
    }

    /// When the next packet is to leave.
    var nextAt: Instant {
        switch self {
        case .speech(let stream): stream.nextAt
        case .keys(let stream): stream.nextAt
        }
    }

    var isOver: Bool {
        switch self {
        case .speech(let stream): stream.isOver
        case .keys(let stream): stream.isOver
        }
    }

    /// - Returns: bytes of the packet; nil: it is over.
    mutating func write(into buffer: inout MutableRawSpan, at now: Instant) -> Int? {
        switch self {
        case .speech(var stream):
            defer { self = .speech(stream) }
            return stream.write(into: &buffer, at: now)
        case .keys(var stream):
            defer { self = .keys(stream) }
            return stream.write(into: &buffer, at: now)
        }
    }
}

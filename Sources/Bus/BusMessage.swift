/// What travels on desk, studio and relay: a body, with an id unless it is a notice.
///
/// A request and its reply carry the same id; which of the two it is follows from the direction.
public struct BusMessage: Hashable, Sendable {
    /// nil: a notice, which nobody answers.
    public var id: RequestID?
    public var body: [UInt8]

    public init(id: RequestID?, body: [UInt8]) {
        self.id = id
        self.body = body
    }

    public static func notice(_ body: [UInt8]) -> BusMessage { BusMessage(id: nil, body: body) }

    /// As on the wire (`docs/wire/bus.md`): a zero and the body, or a one, the id's 16 bytes and the body.
    ///
    /// One frame and not two, because CURVE seals and opens each frame by itself, which is most of what a message costs.
    public var frame: [UInt8] {
        guard let id else { return [FrameKind.notice.rawValue] + body }
        return [FrameKind.request.rawValue] + id.bytes + body
    }

    /// nil when the kind is unknown or the id is cut short.
    public init?(frame: [UInt8]) {
        switch frame.first.flatMap(FrameKind.init) {
        case .notice: self.init(id: nil, body: Array(frame.dropFirst()))
        case .request:
            guard let id = RequestID(bytes: frame.dropFirst().prefix(16)) else { return nil }
            self.init(id: id, body: Array(frame.dropFirst(17)))
        case nil: return nil
        }
    }
}

/// A frame's first byte.
enum FrameKind: UInt8 {
    case notice = 0x00
    case request = 0x01

    /// How many bytes come before the body.
    var headerBytes: Int {
        switch self {
        case .notice: 1
        case .request: 17
        }
    }
}

/// What travels on desk, studio and relay: a body, with an id unless it is a notice.
///
/// A request and its reply carry the same id; which of the two it is follows from the direction.
package struct BusMessage: Hashable, Sendable {
    /// nil: a notice, which nobody answers.
    package var id: RequestID?
    package var body: [UInt8]

    package init(id: RequestID?, body: [UInt8]) {
        self.id = id
        self.body = body
    }

    package static func notice(_ body: [UInt8]) -> BusMessage { BusMessage(id: nil, body: body) }

    /// Two frames: the id (16 bytes, or none for a notice), then the body.
    package var frames: [[UInt8]] { [id?.bytes ?? [], body] }

    /// nil unless there are two frames of which the first is empty or 16 bytes long.
    package init?(frames: [[UInt8]]) {
        guard frames.count == 2 else { return nil }
        if frames[0].isEmpty {
            self.init(id: nil, body: frames[1])
        } else {
            guard let id = RequestID(bytes: frames[0]) else { return nil }
            self.init(id: id, body: frames[1])
        }
    }
}

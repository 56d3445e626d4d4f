import Foundation
import Model
import Primitives
import SIP

/// Keys that a phone presses by INFO (`application/dtmf-relay`, `application/dtmf`): a side that takes telephone events, or nothing but
/// sound, gets them so.
extension CallMachine {
    struct Keys: Equatable {
        let keys: String
        let milliseconds: UInt32

        /// nil: it is about something else.
        init?(_ request: SIPMessage) {
            guard let type = request.headers[.contentType]?.split(separator: ";").first?.lowercased() else { return nil }
            let text = String(decoding: request.body, as: UTF8.self)
            switch type.filter({ $0 != " " }) {
            case "application/dtmf-relay":
                var fields: [String: String] = [:]
                for line in text.split(whereSeparator: \.isNewline) {
                    let parts = line.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " } }
                    if parts.count == 2 { fields[parts[0].lowercased()] = parts[1] }
                }
                guard let signal = fields["signal"] else { return nil }
                keys = signal
                milliseconds = fields["duration"].flatMap { UInt32($0) } ?? 0
            case "application/dtmf":
                keys = text.filter { !$0.isWhitespace }
                milliseconds = 0
            default: return nil
            }
            guard !keys.isEmpty, keys.count <= 32, keys.allSatisfy({ "0123456789*#ABCDabcd".contains($0) }) else { return nil }
        }
    }

    /// - Returns: false: the request goes through as it is.
    mutating func press(_ request: SIPMessage, from side: Side, _ kit: inout CallKit) -> Bool {
        guard let keys = Keys(request), let other = self[side.other] else { return false }
        var order = StudioRequest()
        order.keys.sessionID = Data(mediaSession.bytes)
        order.keys.toB = side == .a
        order.keys.keys = keys.keys
        order.keys.milliseconds = keys.milliseconds
        if let events = CodecChoice.agreed(other.media).first(where: { $0.theirs.kind == .keys })?.theirs, let type = UInt32(events.number) {
            order.keys.payloadType = type
            order.keys.clockRate = UInt32(events.clockRate)
        } else if !other.takesInfo, let encoding = other.media.promptEncoding {
            order.keys.encoding = encoding
        } else {
            return false
        }
        kit.ask(order, of: mediaWorker, .play(id))
        return true
    }
}

import Model
import Primitives
import SIP

/// Packets of calls that are not here, while the control plane is asked whose they are, and what it said.
struct Located: Sendable {
    struct Packet: Sendable {
        let message: SIPMessage
        let bytes: [UInt8]
        let hop: Hop
    }

    private static let ownersMax = 10_000
    private static let packetsMax = 16
    private var owners: [CallID: String] = [:]
    private var waiting: [CallID: (packets: [Packet], until: Instant)] = [:]

    subscript(call: CallID) -> String? {
        get { owners[call] }
        set {
            if owners.count >= Located.ownersMax { owners.removeAll() }
            owners[call] = newValue
        }
    }

    var nextWake: Instant? { waiting.values.map(\.until).min() }

    /// - Returns: whether the question is still to be asked.
    mutating func hold(_ message: SIPMessage, _ bytes: [UInt8], _ hop: Hop, for call: CallID, now: Instant) -> Bool {
        let packet = Packet(message: message, bytes: bytes, hop: hop)
        guard var entry = waiting[call] else {
            guard waiting.count < Located.ownersMax else { return false }
            waiting[call] = ([packet], now + .seconds(5))
            return true
        }
        // The same packet again, while the answer is on its way, needs no second place.
        if entry.packets.count < Located.packetsMax, !entry.packets.contains(where: { $0.bytes == bytes }) {
            entry.packets.append(packet)
            waiting[call] = entry
        }
        return false
    }

    mutating func release(_ call: CallID) -> [Packet] { waiting.removeValue(forKey: call)?.packets ?? [] }

    mutating func expire(_ now: Instant) {
        for (call, entry) in waiting where entry.until <= now { waiting[call] = nil }
    }

    mutating func forgetOwners() { owners.removeAll() }
}

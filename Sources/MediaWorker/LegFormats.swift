package import Codecs

/// What one side of a session takes and sends, as its signalling has agreed.
package struct LegFormats: Equatable, Sendable {
    package struct Speech: Equatable, Sendable {
        package var codec: Codec
        /// Under which the side takes it.
        package var payloadType: UInt8
        /// Under which it sends it.
        package var heardAs: UInt8

        package init(codec: Codec, payloadType: UInt8, heardAs: UInt8) {
            self.codec = codec
            self.payloadType = payloadType
            self.heardAs = heardAs
        }
    }

    /// Of telephone events and noise: those of any sound. A description may name any number up to 2^32.
    static let clockRates = 1...192_000

    /// Telephone events (RFC 4733), or comfort noise (RFC 3389).
    package struct Extra: Equatable, Sendable {
        package var clockRate: Int
        package var payloadType: UInt8
        package var heardAs: UInt8

        package init(clockRate: Int, payloadType: UInt8, heardAs: UInt8) {
            self.clockRate = clockRate
            self.payloadType = payloadType
            self.heardAs = heardAs
        }
    }

    /// Most wanted first.
    package var speech: [Speech] = []
    package var keys: [Extra] = []
    package var noise: [Extra] = []
    /// Speech that the side wants in a packet.
    package var packetMilliseconds = 20
    /// What the other side says is to be put into these formats.
    package var converts = false

    package init() {}

    /// What is said to the side.
    var spoken: Speech? { speech.first }

    var isWideBand: Bool { spoken?.codec.isWideBand == true }

    /// Keys for the side, by the clock of its speech if it has them so.
    var spokenKeys: Extra? { keys.first { $0.clockRate == spoken?.codec.clockRate } ?? keys.first }

    /// The codec under that number, for the clock and the record; nil: one that we do not know.
    func codec(heardAs type: UInt8) -> Codec? { speech.first { $0.heardAs == type }?.codec ?? Codec(fixedPayloadType: type) }
}

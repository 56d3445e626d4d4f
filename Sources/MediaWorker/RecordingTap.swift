internal import Primitives
internal import Synchronization

/// Where the packets of a session are copied for its recording: the relay's thread puts them in, the recorder's takes them out.
///
/// It is bounded: what comes while the recorder is held up for longer is counted as lost, and the relay is not held up.
package final class RecordingTap: Sendable {
    /// Some ten seconds of both sides in G.711.
    private static let bytesMax = 1 << 18
    /// Side, time, length.
    private static let headBytes = 11

    private struct State: Sendable {
        var bytes: [UInt8] = []
        var lost: UInt64 = 0
        var formats: (a: LegFormats, b: LegFormats) = (LegFormats(), LegFormats())
        var hasEnded = false
    }

    private let state = Mutex(State())

    package init() {}

    /// What came since it was asked before.
    struct Contents: Sendable {
        fileprivate(set) var bytes: [UInt8]
        let lost: UInt64
        let formats: (a: LegFormats, b: LegFormats)
        /// Nothing more will come.
        let hasEnded: Bool

        /// - Parameter body: gets side, time of arrival and the packet, in the order in which they came.
        func forEach(_ body: (Side, Instant, RawSpan) -> Void) {
            var place = 0
            while place + RecordingTap.headBytes <= bytes.count {
                var time: UInt64 = 0
                for index in 1...8 { time = time << 8 | UInt64(bytes[place + index]) }
                let count = Int(bytes[place + 9]) << 8 | Int(bytes[place + 10])
                let start = place + RecordingTap.headBytes
                body(bytes[place] == 0 ? .a : .b, Instant(nanoseconds: time), unsafe bytes.span.bytes.extracting(start..<start + count))
                place = start + count
            }
        }
    }

    /// - Parameter packet: RTP in clear.
    func take(_ side: Side, _ packet: RawSpan, at now: Instant) {
        state.withLock { state in
            guard !state.hasEnded, packet.byteCount <= 0xFFFF, state.bytes.count + packet.byteCount + Self.headBytes <= Self.bytesMax else {
                state.lost += 1
                return
            }
            state.bytes.append(side == .a ? 0 : 1)
            let time = now.nanoseconds
            for step in 0..<8 { state.bytes.append(UInt8(truncatingIfNeeded: time >> UInt64(56 - 8 * step))) }
            state.bytes.append(UInt8(truncatingIfNeeded: packet.byteCount >> 8))
            state.bytes.append(UInt8(truncatingIfNeeded: packet.byteCount))
            unsafe packet.withUnsafeBytes { unsafe state.bytes.append(contentsOf: $0) }
        }
    }

    /// What the sides' packets are from now on.
    func set(_ a: LegFormats, _ b: LegFormats) { state.withLock { $0.formats = (a, b) } }

    /// The session is closed, or is not to be recorded any more.
    func end() { state.withLock { $0.hasEnded = true } }

    /// - Parameter spare: an array whose room is used again.
    func takeAll(_ spare: [UInt8]) -> Contents {
        state.withLock { state in
            let contents = Contents(bytes: state.bytes, lost: state.lost, formats: state.formats, hasEnded: state.hasEnded)
            state.bytes = spare
            state.bytes.removeAll(keepingCapacity: true)
            return contents
        }
    }
}

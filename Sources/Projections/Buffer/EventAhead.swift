import Ledger
import Primitives

/// The newest event that a replay has read, kept until the next one is there.
///
/// What an event asks for is all over the memory. It takes longer to come than the projections take to work, so it is
/// sent for while the event before is taken in.
@safe final class EventAhead {
    private(set) var header: EnvelopeHeader?
    private var bytes: UnsafeMutableRawPointer
    private var capacity = 4_096
    private var count = 0

    init() { unsafe bytes = .allocate(byteCount: capacity, alignment: 8) }

    deinit { unsafe bytes.deallocate() }

    func keep(_ header: EnvelopeHeader, _ envelope: RawSpan) {
        if envelope.byteCount > capacity {
            unsafe bytes.deallocate()
            capacity = max(envelope.byteCount, capacity * 2)
            unsafe bytes = .allocate(byteCount: capacity, alignment: 8)
        }
        self.header = header
        count = envelope.byteCount
        unsafe envelope.withUnsafeBytes { envelope in
            guard let start = envelope.baseAddress else { return }
            unsafe bytes.copyMemory(from: start, byteCount: envelope.count)
        }
    }

    /// Nothing happens if there is none.
    @inline(__always) func take<E: Error>(_ body: (EnvelopeHeader, RawSpan) throws(E) -> Void) throws(E) {
        guard let header else { return }
        self.header = nil
        try body(header, unsafe UnsafeRawBufferPointer(start: bytes, count: count).bytes)
    }
}

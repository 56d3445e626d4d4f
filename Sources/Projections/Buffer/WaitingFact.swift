/// What stands before the bytes of each fact that a waiting row is made of: the fact's kind, its sequence, how many bytes.
struct WaitingFact {
    static let headBytes = 16

    let kind: CallFact
    let sequence: UInt64

    @inline(__always) func store(to place: UnsafeMutableRawPointer, _ bytes: RawSpan) {
        unsafe place.storeBytes(of: sequence, as: UInt64.self)
        unsafe place.storeBytes(of: UInt32(truncatingIfNeeded: bytes.byteCount), toByteOffset: 8, as: UInt32.self)
        unsafe place.storeBytes(of: UInt32(kind.rawValue), toByteOffset: 12, as: UInt32.self)
        unsafe bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe (place + Self.headBytes).copyMemory(from: start, byteCount: bytes.count)
        }
    }

    /// Shows the facts of a row one after the other.
    static func forEach<E: Error>(
        in facts: RawSpan, _ body: (_ fact: WaitingFact, _ bytes: RawSpan) throws(E) -> Void
    ) throws(E) {
        var offset = 0
        while offset + headBytes <= facts.byteCount {
            let sequence = unsafe facts.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let count = Int(unsafe facts.unsafeLoadUnaligned(fromByteOffset: offset + 8, as: UInt32.self))
            let number = unsafe facts.unsafeLoadUnaligned(fromByteOffset: offset + 12, as: UInt32.self)
            guard let kind = CallFact(rawValue: UInt8(truncatingIfNeeded: number)) else { return }
            offset += headBytes
            try body(WaitingFact(kind: kind, sequence: sequence), facts.extracting(offset..<(offset + count)))
            offset += count
        }
    }
}

/// What a message or a description is written into: bytes. A `String` asks at each append how it is stored and whether all of it is ASCII,
/// which takes five times as long as copying.
struct TextWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    static func += (writer: inout TextWriter, text: String) {
        let isCopied: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe writer.bytes.append(contentsOf: $0) }
        if isCopied == nil { writer.bytes.append(contentsOf: text.utf8) }
    }

    static func += (writer: inout TextWriter, bytes: [UInt8]) { writer.bytes.append(contentsOf: bytes) }

    /// In decimal digits.
    static func += (writer: inout TextWriter, number: some FixedWidthInteger & UnsignedInteger) {
        var (rest, divisor) = (UInt64(number), UInt64(1))
        while rest / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            writer.bytes.append(0x30 + UInt8(truncatingIfNeeded: rest / divisor))
            (rest, divisor) = (rest % divisor, divisor / 10)
        }
    }

    static func += (writer: inout TextWriter, letter: Unicode.Scalar) {
        guard letter.isASCII else { return writer += String(letter) }
        writer.bytes.append(UInt8(truncatingIfNeeded: letter.value))
    }

    /// What `write` makes, as a string.
    static func text(capacity: Int = 128, _ write: (inout TextWriter) -> Void) -> String {
        var writer = TextWriter(capacity: capacity)
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

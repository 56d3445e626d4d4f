/// What a message or a description is written into: bytes. A `String` asks at each append how it is stored and whether all of it is ASCII,
/// which takes five times as long as copying, and an `Array` whether somebody else holds it.
@safe struct TextWriter: ~Copyable {
    private var memory: UnsafeMutableBufferPointer<UInt8>
    private var count = 0

    init(capacity: Int) { unsafe memory = .allocate(capacity: max(capacity, 16)) }

    deinit { unsafe memory.deallocate() }

    var bytes: [UInt8] { unsafe Array(UnsafeBufferPointer(rebasing: memory[..<count])) }

    /// What is written in the source: it is where it is, and nobody counts who reads it.
    static func += (writer: inout TextWriter, text: StaticString) {
        guard text.hasPointerRepresentation else { return writer += text.unicodeScalar }
        unsafe writer.append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @_disfavoredOverload static func += (writer: inout TextWriter, text: String) {
        let isCopied: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe writer.append($0) }
        if isCopied == nil { writer += Array(text.utf8) }
    }

    static func += (writer: inout TextWriter, bytes: [UInt8]) { unsafe bytes.withUnsafeBufferPointer { unsafe writer.append($0) } }

    /// In decimal digits.
    static func += (writer: inout TextWriter, number: some FixedWidthInteger & UnsignedInteger) {
        var (rest, divisor) = (UInt64(number), UInt64(1))
        while rest / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            writer.append(0x30 + UInt8(truncatingIfNeeded: rest / divisor))
            (rest, divisor) = (rest % divisor, divisor / 10)
        }
    }

    static func += (writer: inout TextWriter, letter: Unicode.Scalar) {
        guard letter.isASCII else { return writer += String(letter) }
        writer.append(UInt8(truncatingIfNeeded: letter.value))
    }

    private mutating func append(_ byte: UInt8) {
        makeRoom(for: 1)
        unsafe memory[count] = byte
        count &+= 1
    }

    private mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        makeRoom(for: bytes.count)
        unsafe memory.baseAddress.unsafelyUnwrapped.advanced(by: count).update(from: start, count: bytes.count)
        count &+= bytes.count
    }

    @inline(__always) private mutating func makeRoom(for more: Int) {
        if unsafe more > memory.count &- count { grow(by: more) }
    }

    @inline(never) private mutating func grow(by more: Int) {
        let larger = unsafe UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(2 * memory.count, count + more))
        _ = unsafe larger.update(fromContentsOf: memory[..<count])
        unsafe memory.deallocate()
        unsafe memory = larger
    }

    /// What `write` makes, as a string.
    static func text(capacity: Int = 128, _ write: (inout TextWriter) -> Void) -> String {
        var writer = TextWriter(capacity: capacity)
        write(&writer)
        return unsafe String(decoding: UnsafeBufferPointer(rebasing: writer.memory[..<writer.count]), as: UTF8.self)
    }
}

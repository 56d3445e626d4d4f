internal import CZlib

/// Raw DEFLATE (RFC 1951) with a preset dictionary, for many short texts of one kind: the text of a call between two phones is
/// mostly what every such text says. One stream for each direction is kept and reset, as making one costs more than a text.
@safe public struct PresetDeflate: ~Copyable {
    /// How far back a repetition is found: the dictionary and a text fit into it.
    private static let windowBits: Int32 = 13
    public static var windowBytes: Int { 1 << Int(windowBits) }
    private let compressor: UnsafeMutablePointer<z_stream>
    private let expander: UnsafeMutablePointer<z_stream>
    private let dictionary: [UInt8]

    /// - Parameter dictionary: what is likely, the likeliest at its end. Whoever expands needs the same.
    public init(dictionary: [UInt8]) {
        self.dictionary = dictionary
        unsafe compressor = .allocate(capacity: 1)
        unsafe expander = .allocate(capacity: 1)
        unsafe compressor.initialize(to: z_stream())
        unsafe expander.initialize(to: z_stream())
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        // The sign says that there is neither header nor checksum: the seal around it is one.
        let made = unsafe deflateInit2_(
            compressor, 9, Z_DEFLATED, -Self.windowBits, 6, Z_DEFAULT_STRATEGY, zlibVersion(), size)
        let opened = unsafe inflateInit2_(expander, -Self.windowBits, zlibVersion(), size)
        precondition(made == Z_OK && opened == Z_OK, "zlib has no memory, or is not the one this program was built for")
    }

    deinit {
        unsafe deflateEnd(compressor)
        unsafe inflateEnd(expander)
        unsafe compressor.deallocate()
        unsafe expander.deallocate()
    }

    /// nil unless the result has fewer bytes than `limit`.
    public func compressed(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
        guard limit > 0 else { return nil }
        let dictionaryCount = UInt32(dictionary.count)
        guard unsafe deflateReset(compressor) == Z_OK,
            unsafe deflateSetDictionary(compressor, dictionary, dictionaryCount) == Z_OK
        else { return nil }
        var isWhole = false
        let out = unsafe [UInt8](unsafeUninitializedCapacity: limit) { out, count in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                unsafe compressor.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
                unsafe compressor.pointee.avail_in = UInt32(bytes.count)
                unsafe compressor.pointee.next_out = out.baseAddress
                unsafe compressor.pointee.avail_out = UInt32(limit)
                isWhole = unsafe deflate(compressor, Z_FINISH) == Z_STREAM_END
                count = limit - Int(unsafe compressor.pointee.avail_out)
            }
        }
        return isWhole && out.count < limit ? out : nil
    }

    /// nil unless the bytes are a whole text of so many bytes, compressed with this dictionary.
    public func expanded(_ bytes: ArraySlice<UInt8>, count expected: Int) -> [UInt8]? {
        let dictionaryCount = UInt32(dictionary.count)
        guard expected > 0, unsafe inflateReset(expander) == Z_OK,
            unsafe inflateSetDictionary(expander, dictionary, dictionaryCount) == Z_OK
        else { return nil }
        var isWhole = false
        let out = unsafe [UInt8](unsafeUninitializedCapacity: expected) { out, count in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                unsafe expander.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
                unsafe expander.pointee.avail_in = UInt32(bytes.count)
                unsafe expander.pointee.next_out = out.baseAddress
                unsafe expander.pointee.avail_out = UInt32(expected)
                isWhole = unsafe inflate(expander, Z_FINISH) == Z_STREAM_END
                count = expected - Int(unsafe expander.pointee.avail_out)
            }
        }
        return isWhole && out.count == expected ? out : nil
    }
}

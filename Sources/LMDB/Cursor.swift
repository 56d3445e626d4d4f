internal import CLMDB
internal import CShims

/// Walks a table in the order of its keys. Lives for the body it was made for.
@safe public struct Cursor: ~Copyable {
    private let raw: OpaquePointer
    private var currentKey: MDB_val
    private var currentValue: MDB_val

    init(raw: OpaquePointer) {
        unsafe self.raw = raw
        unsafe currentKey = MDB_val()
        unsafe currentValue = MDB_val()
    }

    deinit { unsafe mdb_cursor_close(raw) }

    /// False at the end of the table.
    public mutating func first() throws(LMDBError) -> Bool { try move(MDB_FIRST) }
    public mutating func last() throws(LMDBError) -> Bool { try move(MDB_LAST) }
    public mutating func next() throws(LMDBError) -> Bool { try move(MDB_NEXT) }
    public mutating func previous() throws(LMDBError) -> Bool { try move(MDB_PREV) }

    /// Goes to the first key that is not before `key`.
    public mutating func seek(_ key: [UInt8]) throws(LMDBError) -> Bool {
        // An empty key comes before every other, but LMDB does not take it.
        if key.isEmpty { return try first() }
        let code = unsafe key.withUnsafeBytes { bytes in
            unsafe currentKey = MDB_val(
                mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            return unsafe mdb_cursor_get(raw, &currentKey, &currentValue, MDB_SET_RANGE)
        }
        return try found(code)
    }

    /// Goes to the last key that is not after `key`.
    public mutating func seek(atOrBefore key: [UInt8]) throws(LMDBError) -> Bool {
        guard try seek(key) else { return try last() }
        return self.key == key ? true : try previous()
    }

    /// Copies of the entry that the cursor stands on; only after a move that returned true.
    public var key: [UInt8] { unsafe [UInt8](UnsafeRawBufferPointer(start: currentKey.mv_data, count: currentKey.mv_size)) }
    public var value: [UInt8] {
        unsafe [UInt8](UnsafeRawBufferPointer(start: currentValue.mv_data, count: currentValue.mv_size))
    }

    /// Valid until the transaction ends.
    var rawKey: MDB_val { unsafe currentKey }
    var rawValue: MDB_val { unsafe currentValue }

    /// The entry in place; the bytes must not be kept.
    public borrowing func withEntry<R, E: Error>(_ body: (_ key: RawSpan, _ value: RawSpan) throws(E) -> R) throws(E) -> R {
        let key = unsafe UnsafeRawBufferPointer(start: currentKey.mv_data, count: currentKey.mv_size)
        let value = unsafe UnsafeRawBufferPointer(start: currentValue.mv_data, count: currentValue.mv_size)
        return try unsafe body(key.bytes, value.bytes)
    }

    /// Shows the entries from `key` on in place, in order, until `body` returns false or the table ends. The loop is here and
    /// not generic, because a body that is called across modules for each of a million entries costs more than the entry.
    public mutating func walk(from key: [UInt8], _ body: (_ key: RawSpan, _ value: RawSpan) -> Bool) throws(LMDBError) {
        var isThere = try seek(key)
        while isThere {
            let key = unsafe UnsafeRawBufferPointer(start: currentKey.mv_data, count: currentKey.mv_size)
            let value = unsafe UnsafeRawBufferPointer(start: currentValue.mv_data, count: currentValue.mv_size)
            unsafe prefetch(behind: value)
            guard unsafe body(key.bytes, value.bytes) else { return }
            isThere = try next()
        }
    }

    /// Sends for what stands at the same place of the page behind this one: a table that was only added to has its pages mostly one
    /// behind the other, and the processor does not look beyond a page by itself. Nothing happens where there is no page.
    @inline(__always) private func prefetch(behind value: UnsafeRawBufferPointer) {
        guard let start = value.baseAddress else { return }
        for offset in stride(from: 0, to: min(value.count, Cursor.prefetchedMax), by: 64) { unsafe shims_prefetch(start + (Cursor.pageBytes + offset)) }
    }

    static let pageBytes = 4_096
    private static let prefetchedMax = 512

    private mutating func move(_ operation: MDB_cursor_op) throws(LMDBError) -> Bool {
        try found(unsafe mdb_cursor_get(raw, &currentKey, &currentValue, operation))
    }

    private func found(_ code: Int32) throws(LMDBError) -> Bool {
        if code == MDB_NOTFOUND { return false }
        try check(code)
        return true
    }
}

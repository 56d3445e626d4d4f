import CShims
import Glibc
import LMDB

/// The rows of one table that the open transaction has written or looked up, until they are flushed in the order of their keys;
/// and, of a table whose rows change in place, as LMDB has them from then on, as long as they are few: a call that runs is asked
/// about again soon.
///
/// A row that comes and goes within one transaction (a call that starts and ends) never reaches LMDB; a row that changes a
/// thousand times (a balance) reaches it once; rows that are only added (history) go there in order, page by page.
@safe final class TableBuffer {
    private struct Row {
        // In this order a row is 64 bytes: it is memory that a replay waits for.
        var key: FixedKey
        var isPresent: Bool
        /// Other than what LMDB has.
        var isDirty: Bool
        /// LMDB has no such row.
        var isNew: Bool
        /// The value is not the row's but what the row will be made of: see `ViewTransaction.settle`.
        var isWaiting: Bool
        var count: Int32
        /// Of the place in `values`; 0: there is none. `Row.isNumber`: the value is a number and stands in `offset` itself.
        var capacity: Int32
        var offset: Int

        static let isNumber: Int32 = -1
    }

    /// Rows can be looked up, changed and removed; otherwise they are only added, and looking one up flushes first.
    let isIndexed: Bool
    private var rows: UnsafeMutablePointer<Row>
    private var rowsMax = 64
    private(set) var rowCount = 0
    private var values: UnsafeMutableRawPointer
    private var valuesMax = 4_096
    private(set) var valueBytes = 0
    /// Places that rows have left, by the logarithm of their size.
    private var vacant: [[Int]]
    /// Open addressing; index of the row + 1, 0: none. Empty in a table that is not indexed.
    private var slots: UnsafeMutablePointer<UInt32>
    private var slotCount = 0
    /// The row that was found last: events of one commit ask for the same one after the other.
    private var recent = 0
    /// The rows came in the order of their keys so far.
    private var isSorted = true
    /// Where a key is written to before LMDB gets it.
    private let keyPlace: UnsafeMutableRawPointer
    private var lastBelow: LastKey = .unknown
    /// Rows, and bytes of values, that outlive a flush at the most: 5 MB with the slots, and seldom as much.
    private static let keptMax = (rows: 1 << 14, bytes: 4 << 20)
    /// What the last flush has left here.
    private var kept = (rows: 0, bytes: 0)

    /// Memory for what has come since the last flush, roughly.
    var addedBytes: Int { max(0, valueBytes - kept.bytes) + max(0, rowCount - kept.rows) * 96 }

    init(isIndexed: Bool) {
        self.isIndexed = isIndexed
        vacant = Array(repeating: [], count: isIndexed ? 31 : 0)
        unsafe rows = LargeMemory.allocate(byteCount: rowsMax * MemoryLayout<Row>.stride).bindMemory(to: Row.self, capacity: rowsMax)
        unsafe values = LargeMemory.allocate(byteCount: valuesMax)
        unsafe slots = LargeMemory.allocate(byteCount: 4).bindMemory(to: UInt32.self, capacity: 1)
        unsafe keyPlace = .allocate(byteCount: FixedKey.bytesMax, alignment: 8)
        if isIndexed { grow(to: 128) }
    }

    deinit {
        unsafe free(rows)
        unsafe free(values)
        unsafe free(slots)
        unsafe keyPlace.deallocate()
    }

    var isEmpty: Bool { rowCount == 0 }

    // MARK: - Looking up

    enum Found {
        case unknown
        case absent
        case row(Int)
    }

    @inline(__always) func find(_ key: FixedKey) -> Found {
        if recent < rowCount, unsafe rows[recent].key == key {
            return unsafe rows[recent].isPresent ? .row(recent) : .absent
        }
        let mask = UInt64(slotCount - 1)
        var slot = key.hash & mask
        while true {
            let index = unsafe slots[Int(slot)]
            if index == 0 { break }
            if unsafe rows[Int(index) - 1].key == key {
                recent = Int(index) - 1
                return unsafe rows[Int(index) - 1].isPresent ? .row(Int(index) - 1) : .absent
            }
            slot = (slot + 1) & mask
        }
        return lastBelow.isBefore(key) ? .absent : .unknown
    }

    /// Sends for the row of a key that will be looked up soon.
    @inline(__always) func prefetch(_ key: FixedKey) {
        let row = Int(unsafe slots[Int(key.hash & UInt64(slotCount - 1))]) - 1
        if row >= 0 { unsafe shims_prefetch(rows + row) }
    }

    /// The value of a row that was found; for as long as nothing is put.
    @inline(__always) func withValue<R, E: Error>(_ row: Int, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        let bytes = unsafe UnsafeRawBufferPointer(start: place(of: row), count: Int(rows[row].count))
        return try unsafe body(bytes.bytes)
    }

    @inline(__always) private func place(of row: Int) -> UnsafeMutableRawPointer {
        if unsafe rows[row].capacity == Row.isNumber {
            return unsafe UnsafeMutableRawPointer(rows + row) + MemoryLayout<Row>.offset(of: \.offset)!
        }
        return unsafe values + rows[row].offset
    }

    /// The value of a row that was found, if it is a number.
    @inline(__always) func number(_ row: Int) -> UInt64? {
        if unsafe rows[row].capacity == Row.isNumber {
            return UInt64(bigEndian: UInt64(bitPattern: Int64(unsafe rows[row].offset)))
        }
        return withValue(row) { value in
            value.byteCount == 8 ? unsafe value.unsafeLoadUnaligned(as: UInt64.self).bigEndian : nil
        }
    }

    /// Changes a row that was found.
    @inline(__always) func set(_ row: Int, number: UInt64) {
        release(row)
        unsafe rows[row].capacity = Row.isNumber
        unsafe rows[row].offset = Int(Int64(bitPattern: number.bigEndian))
        unsafe rows[row].count = 8
        unsafe rows[row].isPresent = true
        unsafe rows[row].isDirty = true
    }

    /// Takes a row away that was found.
    @inline(__always) func remove(row: Int) {
        release(row)
        unsafe rows[row].isPresent = false
        unsafe rows[row].isWaiting = false
        unsafe rows[row].isDirty = unsafe !rows[row].isNew
    }

    /// What LMDB says about a key that was unknown.
    func remember(_ key: FixedKey, _ value: RawSpan?) {
        let row = add(key)
        unsafe rows[row].isDirty = false
        if let value {
            unsafe rows[row].isNew = false
            store(value, in: row)
        } else {
            unsafe rows[row].isPresent = false
            unsafe rows[row].isNew = true
        }
    }

    var knowsLast: Bool {
        if case .unknown = lastBelow { false } else { true }
    }

    func setLast(_ last: LastKey) { lastBelow = last }

    /// The last row, if it is known to come after every other and not after `key`.
    func last(atOrBefore key: FixedKey) -> (row: Int, key: FixedKey)? {
        guard !isIndexed, isSorted, rowCount > 0, lastBelow.isBefore(unsafe rows[0].key) else { return nil }
        let last = unsafe rows[rowCount - 1].key
        return key < last ? nil : (rowCount - 1, last)
    }

    // MARK: - Changing

    @inline(__always) func put(_ key: FixedKey, _ value: RawSpan) {
        let row = isIndexed ? place(key) : add(key)
        store(value, in: row)
        unsafe rows[row].isPresent = true
        unsafe rows[row].isDirty = true
        unsafe rows[row].isWaiting = false
    }

    @inline(__always) func put(_ key: FixedKey, number: UInt64) {
        set(isIndexed ? place(key) : add(key), number: number)
    }

    /// A row that is made later, of this and what `append` brings.
    @inline(__always) func putWaiting(_ key: FixedKey, _ fact: WaitingFact, _ bytes: RawSpan) {
        let row = place(key)
        unsafe rows[row].count = 0
        unsafe rows[row].isPresent = true
        unsafe rows[row].isDirty = true
        unsafe rows[row].isWaiting = true
        append(to: row, fact, bytes)
    }

    @inline(__always) func isWaiting(_ row: Int) -> Bool { unsafe rows[row].isWaiting }

    @inline(__always) func append(to row: Int, _ fact: WaitingFact, _ bytes: RawSpan) {
        let before = Int(unsafe rows[row].count)
        let after = before + WaitingFact.headBytes + bytes.byteCount
        if unsafe Int(rows[row].capacity) < after { reserve(after, for: row, keeping: before) }
        let start = unsafe place(of: row) + before
        unsafe fact.store(to: start, bytes)
        unsafe rows[row].count = Int32(after)
    }

    /// The rows that wait, in the order in which they came; the body may put rows and look them up.
    func forEachWaiting<E: Error>(_ body: (FixedKey, _ facts: [UInt8]) throws(E) -> Void) throws(E) {
        for row in 0..<rowCount where unsafe rows[row].isWaiting {
            let facts = withValue(row) { value in unsafe value.withUnsafeBytes { unsafe Array($0) } }
            try body(unsafe rows[row].key, facts)
        }
    }

    /// Adds bytes behind what the row holds.
    @inline(__always) func append(_ key: FixedKey, _ bytes: RawSpan) {
        let row = place(key)
        let before = Int(unsafe rows[row].count)
        let after = before + bytes.byteCount
        if unsafe Int(rows[row].capacity) < after { reserve(after, for: row, keeping: before) }
        unsafe bytes.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            unsafe (values + rows[row].offset + before).copyMemory(from: source, byteCount: bytes.count)
        }
        unsafe rows[row].count = Int32(after)
    }

    func key(_ row: Int) -> FixedKey { unsafe rows[row].key }

    @inline(__always) func putNothing(_ key: FixedKey) {
        let row = isIndexed ? place(key) : add(key)
        release(row)
        unsafe rows[row].count = 0
        unsafe rows[row].isPresent = true
        unsafe rows[row].isDirty = true
    }

    func remove(_ key: FixedKey) {
        remove(row: place(key))
    }

    /// The row of the key, made if it is not there.
    @inline(__always) private func place(_ key: FixedKey) -> Int {
        if recent < rowCount, unsafe rows[recent].key == key { return recent }
        let mask = UInt64(slotCount - 1)
        var slot = key.hash & mask
        while true {
            let index = unsafe slots[Int(slot)]
            if index == 0 { break }
            if unsafe rows[Int(index) - 1].key == key {
                recent = Int(index) - 1
                return recent
            }
            slot = (slot + 1) & mask
        }
        return add(key)
    }

    @inline(__always) private func add(_ key: FixedKey) -> Int {
        if rowCount == rowsMax { growRows() }
        let isNew = lastBelow.isBefore(key)
        if isSorted, rowCount > 0, unsafe !(rows[rowCount - 1].key < key) { isSorted = false }
        unsafe (rows + rowCount).initialize(
            to: Row(
                key: key, isPresent: true, isDirty: true, isNew: isNew, isWaiting: false, count: 0, capacity: 0, offset: 0))
        rowCount += 1
        if isIndexed {
            recent = rowCount - 1
            if rowCount * 2 > slotCount { grow(to: slotCount * 2) } else { link(rowCount - 1) }
        }
        return rowCount - 1
    }

    @inline(__always) private func link(_ row: Int) {
        let mask = UInt64(slotCount - 1)
        var slot = unsafe rows[row].key.hash & mask
        while unsafe slots[Int(slot)] != 0 { slot = (slot + 1) & mask }
        unsafe slots[Int(slot)] = UInt32(row + 1)
    }

    private func grow(to count: Int) {
        unsafe free(slots)
        unsafe slots = LargeMemory.allocate(byteCount: count * 4).bindMemory(to: UInt32.self, capacity: count)
        unsafe slots.initialize(repeating: 0, count: count)
        slotCount = count
        for row in 0..<rowCount { link(row) }
    }

    private func growRows() {
        let count = rowsMax * LargeMemory.growth(from: rowsMax * MemoryLayout<Row>.stride)
        let larger = unsafe LargeMemory.allocate(byteCount: count * MemoryLayout<Row>.stride)
            .bindMemory(to: Row.self, capacity: count)
        unsafe larger.moveInitialize(from: rows, count: rowCount)
        unsafe free(rows)
        unsafe rows = unsafe larger
        rowsMax = count
    }

    @inline(__always) private func store(_ value: RawSpan, in row: Int) {
        guard value.byteCount > 0 else {
            release(row)
            unsafe rows[row].count = 0
            return
        }
        if unsafe Int(rows[row].capacity) < value.byteCount { reserve(value.byteCount, for: row) }
        unsafe rows[row].count = Int32(value.byteCount)
        unsafe value.withUnsafeBytes { value in
            guard let source = value.baseAddress else { return }
            unsafe (values + rows[row].offset).copyMemory(from: source, byteCount: value.count)
        }
    }

    /// Finds a place for so many bytes: one that another row has left, or a new one. Sizes are powers of two, so that places of
    /// calls that have ended serve the next ones, and stay in the processor's cache.
    private func reserve(_ count: Int, for row: Int, keeping kept: Int = 0) {
        let (oldCapacity, oldOffset) = unsafe (rows[row].capacity, rows[row].offset)
        // Given to others after the move.
        if kept > 0 { unsafe rows[row].capacity = 0 } else { release(row) }
        defer {
            if kept > 0 {
                unsafe (values + rows[row].offset).copyMemory(from: values + oldOffset, byteCount: kept)
                if oldCapacity > 0, isIndexed { vacant[oldCapacity.trailingZeroBitCount].append(oldOffset) }
            }
        }
        let size = isIndexed ? max(4, Int.bitWidth - (count - 1).leadingZeroBitCount) : 0
        if isIndexed, size < vacant.count, let offset = vacant[size].popLast() {
            unsafe rows[row].offset = offset
            unsafe rows[row].capacity = 1 << Int32(size)
            return
        }
        let capacity = isIndexed ? 1 << size : (count + 7) & ~7
        if valueBytes + capacity > valuesMax {
            var max = valuesMax * LargeMemory.growth(from: valuesMax)
            while valueBytes + capacity > max { max *= 2 }
            let larger = unsafe LargeMemory.allocate(byteCount: max)
            unsafe larger.copyMemory(from: values, byteCount: valueBytes)
            unsafe free(values)
            unsafe values = unsafe larger
            valuesMax = max
        }
        unsafe rows[row].offset = valueBytes
        unsafe rows[row].capacity = Int32(capacity)
        valueBytes += capacity
    }

    /// Gives the row's place to others.
    @inline(__always) private func release(_ row: Int) {
        let capacity = unsafe rows[row].capacity
        if capacity > 0, isIndexed { vacant[capacity.trailingZeroBitCount].append(unsafe rows[row].offset) }
        unsafe rows[row].capacity = 0
    }

    /// Forgets all rows, and gives back the memory that large transactions needed.
    func shrink() {
        clear()
        guard rowsMax > 1_024 || valuesMax > 1 << 16 else { return }
        unsafe free(rows)
        unsafe free(values)
        (rowsMax, valuesMax) = (64, 4_096)
        unsafe rows = LargeMemory.allocate(byteCount: rowsMax * MemoryLayout<Row>.stride).bindMemory(to: Row.self, capacity: rowsMax)
        unsafe values = LargeMemory.allocate(byteCount: valuesMax)
        if isIndexed { grow(to: 128) }
    }

    // MARK: - Flushing

    /// Brings LMDB to what stands here, in the order of the keys.
    func flush(into database: Database, _ transaction: borrowing WriteTransaction) throws(LMDBError) {
        guard rowCount > 0 else { return }
        var isFlushed = false
        defer { if isFlushed { keep() } else { clear() } }
        if !isIndexed, isSorted {
            try write(rowCount, database, transaction) { $0 }
            return
        }
        let order = dirtyRows()
        if !order.isEmpty { try write(order.count, database, transaction) { Int(order[$0].row) } }
        isFlushed = true
    }

    /// What stands here is what LMDB has.
    private func keep() {
        guard isIndexed, rowCount <= Self.keptMax.rows, valueBytes <= Self.keptMax.bytes else { return clear() }
        for row in 0..<rowCount {
            unsafe rows[row].isDirty = false
            unsafe rows[row].isNew = unsafe !rows[row].isPresent
        }
        kept = (rowCount, valueBytes)
        lastBelow = .unknown
    }

    /// In the order of their keys.
    func sortedRows() -> [Int] { dirtyRows().map { Int($0.row) } }

    private func dirtyRows() -> [RowOrder.Place] {
        var order: [RowOrder.Place] = []
        order.reserveCapacity(rowCount)
        for row in 0..<rowCount where unsafe rows[row].isDirty {
            order.append(RowOrder.Place(word: unsafe rows[row].key.a, row: UInt32(row)))
        }
        if !isSorted {
            let rows = unsafe self.rows
            RowOrder.sort(&order) { l, r in
                let (left, right) = unsafe (rows[Int(l)].key, rows[Int(r)].key)
                // Of two rows with one key the later one is written last.
                return left < right || (left == right && l < r)
            } touch: {
                unsafe shims_prefetch(rows + Int($0))
            }
        }
        return order
    }

    @inline(__always)
    private func write(
        _ count: Int, _ database: Database, _ transaction: borrowing WriteTransaction, _ row: (Int) -> Int
    ) throws(LMDBError) {
        try transaction.withWriteCursor(in: database) { cursor throws(LMDBError) in
            let last = try cursor.withLastKey { LastKey($0) }
            // Once a key is after every other, so are all that follow.
            var isAppending = false
            for position in 0..<count {
                // In the order of the keys the rows are all over the memory.
                if position + 16 < count { unsafe shims_prefetch(rows + row(position + 16)) }
                if position + 8 < count { unsafe shims_prefetch(place(of: row(position + 8))) }
                let entry = unsafe rows[row(position)]
                unsafe entry.key.store(to: keyPlace)
                let key = unsafe UnsafeRawBufferPointer(start: keyPlace, count: entry.key.count)
                guard entry.isPresent else {
                    try unsafe cursor.remove(key)
                    continue
                }
                if !isAppending { isAppending = last.isBefore(entry.key) }
                let value = unsafe UnsafeRawBufferPointer(start: place(of: row(position)), count: Int(entry.count))
                if isAppending, try unsafe cursor.put(key, value, .append) { continue }
                _ = try unsafe cursor.put(key, value)
            }
        }
    }

    /// Forgets all rows, and keeps their memory for the next ones.
    func clear() {
        let count = rowCount
        rowCount = 0
        if valueBytes > 0 { for size in vacant.indices { vacant[size].removeAll(keepingCapacity: true) } }
        if isIndexed, count > 0 {
            // After one large transaction the small ones must not wipe a large table each.
            if slotCount > 1 << 12, count * 16 < slotCount {
                grow(to: slotCount / 4)
            } else {
                unsafe slots.update(repeating: 0, count: slotCount)
            }
        }
        valueBytes = 0
        kept = (0, 0)
        isSorted = true
        lastBelow = .unknown
    }
}

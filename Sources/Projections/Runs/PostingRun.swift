import Primitives

/// Movements of one account, many in a row, as `RecordRun` has the records of a party.
///
/// The key is the account, the sequence (8 bytes) and the index (4 bytes) of the first movement. The value begins with the balance
/// before it; then comes each movement: how much its sequence is greater (0 for the first), its index, its amount. The balance after a
/// movement is the one before it and the amount.
struct PostingRun {
    struct Movement: Equatable {
        var sequence: UInt64
        var index: UInt32
        var amount: Int64
        var balance: Int64
    }

    private(set) var movements: [Movement] = []
    private(set) var value: [UInt8] = []
    /// Of the value, behind each movement.
    private var ends: [Int] = []

    init(_ movement: Movement) {
        value.append(varint: zigzag(movement.balance &- movement.amount))
        write(movement, after: movement.sequence)
    }

    /// nil: it is none.
    init?(_ key: Key, _ value: [UInt8]) {
        guard key.bytes.count == 32 else { return nil }
        var sequence = key.bytes[20..<28].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        self.value = value
        var reader = VarintReader(value)
        guard let before = reader.next() else { return nil }
        var balance = unzigzag(before)
        while !reader.isAtEnd {
            guard let step = reader.next(), let index = reader.next(), let amount = reader.next(),
                let index = UInt32(exactly: index)
            else { return nil }
            let (next, overflow) = sequence.addingReportingOverflow(step)
            if overflow { return nil }
            sequence = next
            balance &+= unzigzag(amount)
            movements.append(Movement(sequence: sequence, index: index, amount: unzigzag(amount), balance: balance))
            ends.append(reader.offset)
        }
        guard !movements.isEmpty else { return nil }
    }

    /// false: the row is full.
    mutating func append(_ movement: Movement) -> Bool {
        let last = movements[movements.count - 1].sequence
        guard movement.sequence >= last else { return false }
        let step = movement.sequence - last
        let count = varintBytes(step) + varintBytes(UInt64(movement.index)) + varintBytes(zigzag(movement.amount))
        guard value.count + count <= RunRow.bytesMax else { return false }
        write(movement, after: last)
        return true
    }

    private mutating func write(_ movement: Movement, after sequence: UInt64) {
        value.append(varint: movement.sequence - sequence)
        value.append(varint: UInt64(movement.index))
        value.append(varint: zigzag(movement.amount))
        movements.append(movement)
        ends.append(value.count)
    }

    /// The value of the row as it was when `end` was the newest event.
    static func cut(_ key: Key, _ value: [UInt8], through end: UInt64) -> [UInt8]? {
        guard let run = PostingRun(key, value) else { return nil }
        let seen = run.movements.prefix { $0.sequence <= end }.count
        return seen == 0 ? [] : Array(value.prefix(run.ends[seen - 1]))
    }
}

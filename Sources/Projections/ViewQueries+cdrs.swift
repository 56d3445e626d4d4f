public import Model
import Primitives

extension ViewQueries where Self: ~Copyable {
    public func cdr(number: UInt64) throws(ViewsError) -> Cdr? {
        guard let sequence = try self.number(Key(number), in: .cdrs) else { return nil }
        return try cdr(at: sequence)
    }

    public func cdr(call: CallID) throws(ViewsError) -> Cdr? {
        guard let number = try number(Key(call.value), in: .cdrsByCall) else { return nil }
        return try cdr(number: number)
    }

    /// The number of the next record: one more than the last, from 1.
    public func nextCDRNumber() throws(ViewsError) -> UInt64 {
        guard let (key, _) = try last(in: .cdrs, atOrBefore: Key(UInt64.max)) else { return 1 }
        var reader = KeyReader(key.bytes)
        guard let number = reader.number64() else { throw .unreadable(table: .cdrs) }
        return number + 1
    }

    /// Records in the order of their numbers.
    public func cdrs(after number: UInt64 = 0, limit: Int) throws(ViewsError) -> [Cdr] {
        var records: [Cdr] = []
        for (_, value) in try page(.cdrs, after: Key(number), limit: limit) {
            var reader = KeyReader(value)
            guard let sequence = reader.number64() else { throw .unreadable(table: .cdrs) }
            records.append(try cdr(at: sequence))
        }
        return records
    }

    private func cdr(at sequence: UInt64) throws(ViewsError) -> Cdr {
        try opened(try decoded(CdrRecorded.self, try fact(at: sequence).payload, of: .cdrs).cdr)
    }

    public func cdrs(of id: ProviderID, after number: UInt64 = 0, limit: Int) throws(ViewsError) -> [Cdr] {
        try cdrs(party: id.value, number, limit)
    }
    public func cdrs(of id: CustomerID, after number: UInt64 = 0, limit: Int) throws(ViewsError) -> [Cdr] {
        try cdrs(party: id.value, number, limit)
    }
    public func cdrs(of id: TenantID, after number: UInt64 = 0, limit: Int) throws(ViewsError) -> [Cdr] {
        try cdrs(party: id.value, number, limit)
    }
    public func cdrs(of id: SubscriberID, after number: UInt64 = 0, limit: Int) throws(ViewsError) -> [Cdr] {
        try cdrs(party: id.value, number, limit)
    }
    public func cdrs(of id: CarrierID, after number: UInt64 = 0, limit: Int) throws(ViewsError) -> [Cdr] {
        try cdrs(party: id.value, number, limit)
    }

    private func cdrs(party id: UUIDv7, _ after: UInt64, _ limit: Int) throws(ViewsError) -> [Cdr] {
        guard limit > 0 else { return [] }
        let prefix = Key(id)
        // The row that the next number may be in is the one before it.
        let before = try last(in: .cdrsByParty, atOrBefore: prefix.adding(after))?.key
        var numbers: [UInt64] = []
        try scan(.cdrsByParty, from: before.flatMap { $0.hasPrefix(prefix) ? $0 : nil } ?? prefix) { key, value throws(ViewsError) in
            guard key.hasPrefix(prefix) else { return false }
            guard let run = RecordRun(key, value) else { throw .unreadable(table: .cdrsByParty) }
            numbers += run.numbers.filter { $0 > after }
            return numbers.count < limit
        }
        var records: [Cdr] = []
        for number in numbers.prefix(limit) {
            guard let record = try cdr(number: number) else { throw .unreadable(table: .cdrsByParty) }
            records.append(record)
        }
        return records
    }
}

import Foundation
import Ledger
import Model
import Primitives
import Subjects

/// Calls that were made once, from the first to the last of them ended, and are played again and again: each time they are
/// other calls at a later time, with ids, times, record numbers and seals of their own. Making an event from nothing costs
/// ten times what the log costs; fifty million would take an hour.
///
/// What stays the same from one round to the next: who calls whom, for how long, and `log_position`.
struct CallTape {
    private struct Part {
        let offset: Int
        let subject: UUIDv7
        let prepared: PreparedPart
    }

    private struct StoredEvent {
        let type: String
        let schemaVersion: UInt32
        var payload: [UInt8]
        /// A record: its number goes before the payload, which is the rest of it.
        let isRecord: Bool
        var calls: [Int] = []
        var journals: [Int] = []
        /// Times in microseconds, as varints of eight bytes: so they stay for two thousand years.
        var times: [Int] = []
        var parts: [Part] = []
    }

    private struct StoredCommit {
        let call: Int
        let time: WallTime
        var events: [StoredEvent]
    }

    private var commits: [StoredCommit] = []
    private var calls: [Data: Int] = [:]
    private(set) var eventCount = 0

    // The round that is played.
    private var position = 0
    private var shift: Duration = .zero
    private var ids: [UUIDv7] = []

    /// - Parameter times: those that stand in the events.
    mutating func record(
        _ call: Data, _ events: [(event: Event, payload: [UInt8])], at time: WallTime, journal: Data, times: [Int64], keys: SubjectKeys?
    ) throws {
        let index = calls[call] ?? calls.count
        calls[call] = index
        var stored: [StoredEvent] = []
        for (event, payload) in events {
            var isRecord = false
            var bytes = payload
            if case .cdrRecorded = event {
                isRecord = true
                bytes.removeFirst(Self.recordHeadBytes(payload))
            }
            var copy = StoredEvent(type: event.storedType, schemaVersion: event.schemaVersion, payload: bytes, isRecord: isRecord)
            copy.calls = bytes.places(of: Array(call))
            if !journal.isEmpty { copy.journals = bytes.places(of: Array(journal)) }
            for time in Set(times) { copy.times += bytes.places(of: varint(UInt64(time))) }
            let (mark, parts) = event.sealedParts
            for part in parts {
                guard let keys, let offset = bytes.places(of: Array(part)).first, let subject = UUIDv7(bytes: part.dropFirst().prefix(16)),
                    let plain = try keys.open(Array(part), mark: mark, record: call)
                else { continue }
                copy.parts.append(Part(offset: offset, subject: subject, prepared: keys.prepare(plain, mark: mark)))
            }
            stored.append(copy)
        }
        eventCount += events.count
        commits.append(StoredCommit(call: index, time: time, events: stored))
    }

    /// Of a record's bytes: tag and length of the record, tag and value of its number.
    private static func recordHeadBytes(_ payload: [UInt8]) -> Int {
        let lengthEnd = payload[1...].firstIndex { $0 < 0x80 }!
        precondition(payload[lengthEnd + 1] == 1 << 3, "a record begins with its number")
        return payload[(lengthEnd + 2)...].firstIndex { $0 < 0x80 }! + 1
    }

    /// The next commit, of a round that begins where the last one ended.
    mutating func next(_ records: inout UInt64, _ random: inout RandomSource, keys: SubjectKeys?) throws -> Commit {
        if position == commits.count || ids.isEmpty {
            position = 0
            shift += commits[commits.count - 1].time - commits[0].time + .milliseconds(20)
            ids = Array(repeating: UUIDv7(high: 0, low: 0), count: calls.count)
        }
        defer { position += 1 }
        let time = commits[position].time + shift
        let call = commits[position].call
        if ids[call].high == 0 { ids[call] = UUIDv7(at: time, random: &random) }
        let id = ids[call]
        let journal = UUIDv7(at: time, random: &random)
        let idData = Data(id.bytes)
        let moved = UInt64(shift / .microseconds(1))
        var events: [NewEvent] = []
        for index in commits[position].events.indices {
            let stored = commits[position].events[index]
            var payload: [UInt8] = []
            if stored.isRecord {
                records += 1
                let number = varint(records)
                let length = varint(UInt64(1 + number.count + stored.payload.count))
                payload.reserveCapacity(12 + stored.payload.count)
                payload.append(1 << 3 | 2)
                payload += length
                payload.append(1 << 3)
                payload += number
            }
            let start = payload.count
            payload += stored.payload
            for offset in stored.calls { payload.overwrite(at: start + offset, id) }
            for offset in stored.journals { payload.overwrite(at: start + offset, journal) }
            for offset in stored.times { payload.add(moved, toVarintAt: start + offset) }
            for part in stored.parts {
                guard let sealed = try keys?.seal(part.prepared, subject: part.subject, record: idData, &random) else { continue }
                payload.overwrite(at: start + part.offset, sealed)
            }
            events.append(NewEvent(stream: id, type: stored.type, schemaVersion: stored.schemaVersion, payload: payload))
        }
        return Commit(events: events, actor: "s1", cause: "desk 0f3a9c2e", time: time)
    }
}

private func varint(_ value: UInt64) -> [UInt8] {
    var (rest, bytes) = (value, [UInt8]())
    while rest >= 0x80 {
        bytes.append(UInt8(rest & 0x7F) | 0x80)
        rest >>= 7
    }
    bytes.append(UInt8(rest))
    return bytes
}

extension [UInt8] {
    fileprivate func places(of part: [UInt8]) -> [Int] {
        guard let first = part.first, count >= part.count else { return [] }
        return (0...(count - part.count)).filter { self[$0] == first && self[$0..<($0 + part.count)].elementsEqual(part) }
    }

    fileprivate mutating func overwrite(at offset: Int, _ bytes: [UInt8]) {
        for index in bytes.indices { self[offset + index] = bytes[index] }
    }

    fileprivate mutating func overwrite(at offset: Int, _ id: UUIDv7) {
        for index in 0..<8 {
            self[offset + index] = UInt8(truncatingIfNeeded: id.high >> UInt64(56 - 8 * index))
            self[offset + 8 + index] = UInt8(truncatingIfNeeded: id.low >> UInt64(56 - 8 * index))
        }
    }

    fileprivate mutating func add(_ amount: UInt64, toVarintAt offset: Int) {
        var value: UInt64 = 0
        for index in 0..<8 { value |= UInt64(self[offset + index] & 0x7F) << UInt64(7 * index) }
        value += amount
        for index in 0..<8 { self[offset + index] = UInt8(value >> UInt64(7 * index) & 0x7F) | (index < 7 ? 0x80 : 0) }
    }
}

extension Event {
    /// What is sealed in a fact of a call, and the mark that it was sealed with.
    fileprivate var sealedParts: (mark: UInt8, parts: [Data]) {
        if case .callStarted(let fact) = self { return (CallStarted.mark, fact.sealed) }
        if case .callAnswered(let fact) = self { return (CallSnapshot.mark, fact.snapshot.sealed) }
        if case .callEnded(let fact) = self { return (CallEnded.mark, fact.sealed) }
        if case .cdrRecorded(let fact) = self { return (Cdr.mark, fact.cdr.sealed) }
        return (0, [])
    }
}

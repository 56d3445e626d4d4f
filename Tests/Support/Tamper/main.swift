import Foundation
import LMDB
import Ledger
import OpenSSL
import Primitives

/// Changes a stopped log behind its back, as somebody would who has the disk and not the keys.
///
///     tamper DIR flip SEQUENCE BIT      a bit of an event
///     tamper DIR drop SEQUENCE          an event
///     tamper DIR add SEQUENCE           a forged event there; those from there on move up
///     tamper DIR swap SEQUENCE OTHER    two events
///     tamper DIR tile LEVEL INDEX BIT   a bit of a tile of hashes
///     tamper DIR format NUMBER          as a later version would write
///     tamper DIR grow COUNT SEED        more events, as the log's own writer appends them
///     tamper DIR tomorrow               an event of a type that nobody knows yet
///     tamper DIR dump                   changes nothing: a digest of every table's keys and values
///
/// DIR is the ledger's directory.
let arguments = CommandLine.arguments
let numbers = arguments.dropFirst(3).compactMap { UInt64($0) }

func stop(_ text: String) -> Never {
    FileHandle.standardError.write(Data((text + "\n").utf8))
    exit(64)
}

func number(_ index: Int) -> UInt64 {
    guard index < numbers.count else { stop("a number is missing") }
    return numbers[index]
}

/// As keys and numbers stand in the tables.
func key(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

func edit(_ table: String, _ body: (inout WriteTransaction, Database) throws -> Void) throws {
    let environment = try Environment(directory: arguments[1], sizeMax: 1 << 40, databasesMax: 8)
    var transaction = try environment.beginWrite()
    let database = try transaction.database(table)
    try body(&transaction, database)
    try transaction.commit()
}

func change(_ table: String, _ key: [UInt8], _ body: (inout [UInt8]) -> Void) throws {
    try edit(table) { transaction, database in
        guard var value = try transaction.value(of: key, in: database) else { stop("\(table) has no such entry") }
        body(&value)
        try transaction.put(key, value, in: database)
    }
}

func flip(_ bytes: inout [UInt8], _ bit: UInt64) {
    let place = Int(bit % UInt64(bytes.count * 8))
    bytes[place / 8] ^= 1 << UInt8(place % 8)
}

/// The same for every file that holds the same, wherever its pages lie, and in which a search finds it.
func dump() throws -> String {
    let environment = try Environment(directory: arguments[1], sizeMax: 1 << 40, databasesMax: 8, isReadOnly: true)
    let transaction = try environment.beginRead()
    var hasher = StreamingSHA256()
    for table in ["events", "streams", "tiles", "commands", "meta"] {
        guard let database = try transaction.database(table) else { stop("\(table) is missing") }
        try transaction.withCursor(in: database) { (cursor: inout Cursor) throws(LMDBError) in
            var isThere = try cursor.first()
            while isThere {
                for part in [cursor.key, cursor.value, try transaction.value(of: cursor.key, in: database) ?? []] {
                    hasher.update(key(UInt64(part.count)))
                    hasher.update(part)
                }
                isThere = try cursor.next()
            }
        }.get()
        hasher.update(Array(table.utf8))
    }
    return hex(hasher.finish())
}

func grow() throws {
    let log = try LMDBEventLog(directory: arguments[1], durability: .none)
    var random = RandomSource(seed: number(1))
    let end = log.head + number(0)
    while log.head < end {
        let commits = (0..<min(512, (end - log.head + 1) / 2)).map { _ in
            Commit(
                events: (0..<2).map { _ in
                    NewEvent(
                        stream: UUIDv7(high: 0x0190_0000_0000_7000, low: 1 << 63 | random.next() % 300), type: "test.happened", schemaVersion: 1,
                        payload: random.bytes(Int(random.next() % 300)))
                }, actor: "tamper", cause: "grow", time: WallTime(microseconds: 1_700_000_000_000_000 + Int64(log.head)),
                idempotencyKey: random.bytes(16))
        }
        _ = try log.append(commits)
    }
    print(log.head)
}

guard arguments.count >= 3 else { stop("usage: tamper DIR flip|drop|add|swap|tile|format|grow|tomorrow|dump NUMBER…") }
do {
    switch arguments[2] {
    case "flip": try change("events", key(number(0))) { flip(&$0, number(1)) }
    case "drop": try edit("events") { try $0.remove(key(number(0)), from: $1) }
    case "add":
        try edit("events") { transaction, events in
            let place = number(0)
            guard var carried = try transaction.value(of: key(place), in: events) ?? transaction.value(of: key(place - 1), in: events)
            else { stop("there is no such place") }
            carried[carried.count - 1] ^= 1
            var next = place
            while true {
                let pushed = try transaction.value(of: key(next), in: events)
                try transaction.put(key(next), carried, in: events)
                guard let pushed else { return }
                carried = pushed
                next += 1
            }
        }
    case "swap":
        try edit("events") { transaction, events in
            guard let one = try transaction.value(of: key(number(0)), in: events), let other = try transaction.value(of: key(number(1)), in: events)
            else { stop("there are no such events") }
            try transaction.put(key(number(0)), other, in: events)
            try transaction.put(key(number(1)), one, in: events)
        }
    case "tile": try change("tiles", [UInt8(number(0))] + key(number(1))) { flip(&$0, number(2)) }
    case "format": try change("meta", Array("format".utf8)) { $0 = key(number(0)) }
    case "grow": try grow()
    case "tomorrow":
        _ = try LMDBEventLog(directory: arguments[1]).append([
            Commit(
                events: [NewEvent(stream: UUIDv7(high: 0x0190_0000_0000_7000, low: 1 << 63), type: "tomorrow.came", schemaVersion: 1, payload: [])],
                actor: "tamper", cause: "tomorrow", time: WallTime(microseconds: 0))
        ])
    case "dump": print(try dump())
    default: stop("\(arguments[2]) is unknown")
    }
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(70)
}

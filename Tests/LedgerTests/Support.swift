import Foundation
import Ledger
import Primitives

/// A directory that is removed with the test.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("ledgerline-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

func stream(_ number: UInt64) -> UUIDv7 { UUIDv7(high: 0x0190_0000_0000_7000, low: 1 << 63 | number) }

func event(_ number: UInt64, on streamNumber: UInt64 = 1, size: Int = 40) -> NewEvent {
    NewEvent(
        stream: stream(streamNumber), type: "test.happened", schemaVersion: 1,
        payload: Array("\(number)".utf8) + [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size))
}

func commit(_ events: [NewEvent], expecting: [Expectation] = [], key: [UInt8]? = nil, outcome: [UInt8] = []) -> Commit {
    Commit(
        events: events, expectations: expecting, actor: "tester", cause: "request-1",
        time: WallTime(microseconds: 1_700_000_000_000_000), idempotencyKey: key, outcome: outcome)
}

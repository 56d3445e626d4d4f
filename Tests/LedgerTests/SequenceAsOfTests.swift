import Foundation
import LMDB
import Ledger
import Primitives
import Testing

@Suite struct SequenceAsOfTests {
    @Test func aTimeIsTheLastSequenceRecordedAtItOrBefore() throws {
        let directory = try TemporaryDirectory()
        let log = try LMDBEventLog(directory: directory.path, sizeMax: 1 << 26, durability: .none)
        #expect(try log.sequence(asOf: WallTime(microseconds: 5)) == 0)
        // Several events share a time: those of one commit, and those of one batch.
        let times: [Int64] = [10, 10, 10, 20, 30, 30, 41]
        var random = RandomSource(seed: 1)
        for time in times {
            let event = NewEvent(
                stream: UUIDv7(at: WallTime(microseconds: time), random: &random), type: "test", schemaVersion: 1,
                payload: [1])
            _ = try log.append([
                Commit(events: [event], actor: "test", cause: "test", time: WallTime(microseconds: time))
            ])
        }
        for time in Int64(0)...50 {
            let expected = UInt64(times.filter { $0 <= time }.count)
            #expect(try log.sequence(asOf: WallTime(microseconds: time)) == expected, "at \(time)")
        }
    }
}

import Foundation
import Ledger
import Model
import Primitives
import SwiftProtobuf
import Testing

@testable import Projections

@Suite struct CorrectionsTests {
    private let fixture: Fixture
    private let calls: [UUIDv7]

    /// Four calls that came in at the 4th, 2nd, 2nd and 9th second, and ended in that order.
    init() throws {
        fixture = try Fixture()
        var make = Builder()
        calls = (0..<4).map { _ in make.id() }
        for (index, second) in [4, 2, 2, 9].enumerated() {
            let cdr = Cdr.with {
                $0.number = UInt64(index + 1)
                $0.callID = calls[index].data
                $0.startedAt = Int64(second) * 1_000_000
            }
            try fixture.record(.cdrRecorded(.with { $0.cdr = cdr }), calls[index])
        }
    }

    private func correct(_ number: UInt64, record: UInt64, index: UInt32 = 0) throws {
        let correction = ChargeCorrected.with {
            $0.number = number
            $0.cdrNumber = record
            $0.chargeIndex = index
            $0.callID = calls[Int(record) - 1].data
        }
        try fixture.record(.chargeCorrected(correction), calls[Int(record) - 1])
    }

    private func second(_ seconds: Int64) -> WallTime { WallTime(microseconds: seconds * 1_000_000) }

    @Test func recordsAreFoundInTheOrderOfTheirSetUp() throws {
        try fixture.ask { views throws(ViewsError) in
            let all = try views.records(startedAfter: (second(0), 0), before: second(100), limit: 10)
            #expect(all.map(\.number) == [2, 3, 1, 4])
            #expect(all.map(\.at) == [second(2), second(2), second(4), second(9)])
            #expect(try views.records(startedAfter: (second(2), 0), before: second(9), limit: 10).map(\.number) == [2, 3, 1])
            #expect(try views.records(startedAfter: (second(2), 2), before: second(100), limit: 2).map(\.number) == [3, 1])
            #expect(try views.records(startedAfter: (second(2), 3), before: second(4), limit: 10).isEmpty)
        }
    }

    @Test func correctionsOfARecordStandInTheirOrderAndAllHaveNumbers() throws {
        try correct(1, record: 3)
        try correct(2, record: 1)
        try correct(3, record: 3, index: 1)
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.corrections(ofRecord: 3).map(\.number) == [1, 3])
            #expect(try views.corrections(ofRecord: 2).isEmpty)
            #expect(try views.corrections(limit: 10).map(\.cdrNumber) == [3, 1, 3])
            #expect(try views.corrections(after: 1, limit: 1).map(\.number) == [2])
            #expect(try views.nextCorrectionNumber() == 4)
        }
    }

    @Test func aGapInTheNumbersIsRefused() throws {
        try correct(1, record: 1)
        let correction = ChargeCorrected.with {
            $0.number = 3
            $0.cdrNumber = 1
        }
        try fixture.append([
            NewEvent(stream: calls[0], type: "charge.corrected", schemaVersion: 1, payload: Event.chargeCorrected(correction).serialized())
        ])
        #expect(throws: ViewsError.broken(sequence: fixture.log.head, .correctionNumber(expected: 2, actual: 3))) {
            try fixture.views.catchUp(with: fixture.log)
        }
    }
}

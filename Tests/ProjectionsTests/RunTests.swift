import Foundation
import LMDB
import Model
import Primitives
import Testing

@testable import Projections

@Suite struct RunTests {
    @Test func numbersOfRecordsComeBackAndAreCutAtEveryOne() throws {
        var random = RandomSource(seed: 5)
        var (rows, all): ([RecordRun], [UInt64]) = ([], [])
        var number: UInt64 = 0
        for _ in 0..<1_000 {
            number += UInt64.random(in: 1...20_000, using: &random)
            all.append(number)
            if rows.isEmpty || !rows[rows.count - 1].append(number) { rows.append(RecordRun(number)) }
        }
        #expect(rows.count > 5 && rows.allSatisfy { $0.value.count <= RunRow.bytesMax })
        let read = try rows.map { try #require(RecordRun(Key(.platform).adding($0.first), $0.value)) }
        #expect(read.flatMap(\.numbers) == all)
        for row in rows {
            let key = Key(.platform).adding(row.first)
            for (place, end) in row.numbers.enumerated() {
                for cut in [end, end + (place + 1 < row.numbers.count ? 0 : 9)] {
                    let value = try #require(RecordRun.cut(key, row.value, through: cut))
                    #expect(RecordRun(key, value)?.numbers == Array(row.numbers[...place]))
                }
            }
        }
    }

    @Test func movementsOfAnAccountComeBackWithTheirBalancesAndAreCutAtEveryEvent() throws {
        var random = RandomSource(seed: 6)
        let account = Key([UInt8](repeating: 1, count: 20))
        var (rows, all): ([PostingRun], [PostingRun.Movement]) = ([], [])
        var (sequence, balance): (UInt64, Int64) = (7, -40)
        for _ in 0..<500 {
            sequence += UInt64.random(in: 0...300, using: &random)
            let index = all.last?.sequence == sequence ? all[all.count - 1].index + 1 : 0
            let amount = Int64.random(in: -9_000_000...9_000_000, using: &random)
            balance += amount
            let movement = PostingRun.Movement(sequence: sequence, index: index, amount: amount, balance: balance)
            all.append(movement)
            if rows.isEmpty || !rows[rows.count - 1].append(movement) { rows.append(PostingRun(movement)) }
        }
        #expect(rows.count > 5 && rows.allSatisfy { $0.value.count <= RunRow.bytesMax })
        var read: [PostingRun.Movement] = []
        for row in rows {
            let first = row.movements[0]
            let key = account.adding(first.sequence).adding(first.index)
            read += try #require(PostingRun(key, row.value)).movements
            for movement in row.movements {
                let value = try #require(PostingRun.cut(key, row.value, through: movement.sequence))
                #expect(PostingRun(key, value)?.movements == row.movements.filter { $0.sequence <= movement.sequence })
            }
        }
        #expect(read == all)
    }

    @Test func theGreatestAmountsAndBalancesComeBack() throws {
        let key = Key([UInt8](repeating: 1, count: 20)).adding(UInt64.max - 1).adding(UInt32.max)
        for (amount, balance) in [(Int64.max, Int64.max), (.min, .min), (-1, .max - 1), (.max, -1)] {
            let movement = PostingRun.Movement(sequence: .max - 1, index: .max, amount: amount, balance: balance)
            #expect(PostingRun(key, PostingRun(movement).value)?.movements == [movement])
        }
    }

    @Test(arguments: [[0x80], [0x00], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]] as [[UInt8]])
    func bytesThatAreNoRunAreSaidSo(value: [UInt8]) {
        #expect(RecordRun(Key(.platform).adding(UInt64(1)), value) == nil)
        #expect(PostingRun(Key([UInt8](repeating: 1, count: 20)).adding(UInt64(1)).adding(UInt32(0)), value) == nil)
    }

    /// In one transaction for each event, in one for all, and in a rebuild.
    @Test(arguments: 31...34) func theRowsDoNotDependOnHowEventsWereGathered(seed: UInt64) throws {
        let fixture = try Fixture()
        var history = History(seed: seed)
        try fixture.live(&history, steps: 1_200)
        let other = try Views(directory: fixture.path("other"), log: fixture.log, bootID: "boot-1", sizeMax: 1 << 28)
        try other.catchUp(with: fixture.log)
        #expect(try Views.difference(fixture.views, other) == nil)
    }

    @Test func recordsOfAPartyArePagedFromAnyNumber() throws {
        let fixture = try Fixture()
        var history = History(seed: 3)
        try fixture.live(&history, steps: 2_500)
        try fixture.views.read { views throws(ViewsError) in
            let all = try views.cdrs(limit: .max)
            let providers = Set(all.map(\.caller.providerID)).compactMap { ProviderID($0) }
            for provider in providers {
                let own = all.filter { $0.caller.providerID == provider.data || $0.called.providerID == provider.data }.map(\.number)
                for after in [0] + own {
                    let page = try views.cdrs(of: provider, after: after, limit: 3).map(\.number)
                    #expect(page == Array(own.filter { $0 > after }.prefix(3)))
                }
            }
            #expect(all.count > 100)
        }
    }
}

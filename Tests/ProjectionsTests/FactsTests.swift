import Foundation
import Ledger
import Model
import Primitives
import SwiftProtobuf
import Testing

@testable import Projections

/// The rows that are made of stored bytes, against the same rows made with the generated messages.
@Suite struct FactsTests {
    /// What the generated code would store.
    private struct Reference {
        var live: [Data: LiveCall] = [:]
        var accounts: [[UInt8]: AccountState] = [:]
        var postings: [[UInt8]: AccountPosting] = [:]
        var holds: [Data: CreditHold] = [:]
        var journals: [Data: UInt64] = [:]
        var cdrs: [UInt64: Cdr] = [:]
        var cdrSequences: [[UInt8]: [UInt8]] = [:]
        var statements: [AccountRef: [AccountPosting]] = [:]
        var byParty: Set<[UInt8]> = []
        var byStart: Set<[UInt8]> = []

        mutating func change(_ account: AccountRef, _ body: (inout AccountState) -> Void) throws -> AccountState {
            let key = try #require(Key(account)).bytes
            body(&accounts[key, default: AccountState(account)])
            return accounts[key]!
        }

        mutating func hold(_ hold: CreditHold?, _ call: Data) throws {
            if let old = holds[call] { _ = try change(old.account) { $0.heldMicros -= old.amountMicros } }
            holds[call] = hold
            if let hold { _ = try change(hold.account) { $0.heldMicros += hold.amountMicros } }
        }

        mutating func take(_ event: Event, _ context: EventContext) throws {
            switch event {
            case .callStarted(let event):
                var call = LiveCall()
                call.started = event
                call.worker = event.worker
                call.startedSequence = context.sequence
                live[event.callID] = call
                if event.hasHold { try hold(event.hold, event.callID) }
            case .callAnswered(let event):
                live[event.callID]?.answeredAt = event.answeredAt
                live[event.callID]?.answeredGatewayID = event.gatewayID
                live[event.callID]?.answeredSubscriberID = event.subscriberID
                live[event.callID]?.snapshot = event.snapshot
            case .callUpdated(let event): live[event.callID]?.snapshot = event.snapshot
            case .callAdopted(let event): live[event.callID]?.worker = event.worker
            case .creditRenewed(let event):
                try hold(event.hold, event.callID)
            case .callEnded(let event):
                live[event.callID] = nil
                try hold(nil, event.callID)
            case .cdrRecorded(let event):
                cdrs[event.cdr.number] = event.cdr
                cdrSequences[Key(event.cdr.number).bytes] = Key(context.sequence).bytes
                var key = Key()
                key.add(WallTime(microseconds: event.cdr.startedAt))
                byStart.insert(key.adding(event.cdr.number).bytes)
                for id in parties(event.cdr.caller, event.cdr.called) { byParty.insert(Key(id).adding(event.cdr.number).bytes) }
            case .journalPosted(let event):
                journals[event.id] = context.sequence
                for (index, posting) in event.postings.enumerated() {
                    let state = try change(posting.account) {
                        $0.postings += 1
                        $0.balanceMicros += posting.amountMicros
                    }
                    let line = AccountPosting.with {
                        $0.sequence = context.sequence
                        $0.index = UInt32(index)
                        $0.amountMicros = posting.amountMicros
                        $0.balanceMicros = state.balanceMicros
                        $0.journalID = event.id
                        $0.kind = event.kind
                        $0.callID = event.callID
                        $0.reason = event.reason
                        $0.postedAt = context.time.microseconds
                    }
                    let key = try #require(Key(posting.account))
                    statements[posting.account, default: []].append(line)
                    postings[key.adding(context.sequence).adding(UInt32(index)).bytes] = .with {
                        $0.amountMicros = line.amountMicros
                        $0.balanceMicros = line.balanceMicros
                    }
                }
            default: break  // decoded as a whole
            }
        }
    }

    private func rows(_ table: Table, _ views: Views) throws -> [[UInt8]: [UInt8]] {
        try views.read { views throws(ViewsError) in
            var rows: [[UInt8]: [UInt8]] = [:]
            try views.scan(table, from: Key()) { key, value in
                rows[key.bytes] = value
                return true
            }
            return rows
        }
    }

    @Test(arguments: 21...28)
    func rowsAreTheBytesThatTheGeneratedMessagesMake(seed: UInt64) throws {
        let fixture = try Fixture()
        var history = History(seed: seed)
        var reference = Reference()
        var compared = 0
        for step in 0..<700 {
            let (time, events) = history.next()
            let contexts = try fixture.record(events, at: time)
            for ((event, _), context) in zip(events, contexts) { try reference.take(event, context) }
            guard step % 100 == 99 else { continue }
            compared += reference.live.count
            #expect(try rows(.liveCalls, fixture.views) == bytes(reference.live))
            #expect(try rows(.accounts, fixture.views) == bytes(reference.accounts))
            #expect(Set(try movements(fixture.views)) == Set(reference.postings.keys))
            #expect(try rows(.holds, fixture.views) == bytes(reference.holds))
        }
        let journals = reference.journals.map { (Array($0.key), Key($0.value).bytes) }
        #expect(try rows(.journals, fixture.views) == Dictionary(uniqueKeysWithValues: journals))
        #expect(try rows(.cdrs, fixture.views) == reference.cdrSequences)
        try fixture.views.read { views throws(ViewsError) in
            let cdrs = try views.cdrs(limit: .max)
            #expect(cdrs == reference.cdrs.values.sorted { $0.number < $1.number })
            for (account, lines) in reference.statements {
                #expect(try views.postings(of: account, limit: .max) == lines)
            }
        }
        let numbers = try rows(.cdrsByParty, fixture.views).flatMap { key, value in
            try #require(RecordRun(Key(key), value)).numbers.map { Key(Array(key.prefix(16))).adding($0).bytes }
        }
        #expect(numbers.count == reference.byParty.count && Set(numbers) == reference.byParty)
        #expect(Set(try rows(.cdrsByStart, fixture.views).keys) == reference.byStart)
        // There were some to compare.
        #expect(compared > 0 && !reference.postings.isEmpty)
    }

    private func movements(_ views: Views) throws -> [[UInt8]] {
        try rows(.postings, views).flatMap { key, value in
            try #require(PostingRun(Key(key), value)).movements.map {
                Key(Array(key.prefix(20))).adding($0.sequence).adding($0.index).bytes
            }
        }
    }

    private func bytes(_ messages: [some Sequence<UInt8> & Hashable: some Message]) throws -> [[UInt8]: [UInt8]] {
        var result: [[UInt8]: [UInt8]] = [:]
        for (key, message) in messages { result[Array(key)] = try message.serializedBytes() }
        return result
    }

    @Test(arguments: 0..<40)
    func bytesThatAreNoMessageAreAnErrorAndNoTrap(length: Int) throws {
        var random = RandomSource(seed: UInt64(length))
        for type in ["call.started", "call.answered", "call.ended", "cdr.recorded", "journal.posted", "credit.renewed"] {
            for _ in 0..<20 {
                let fixture = try Fixture()
                let stream = UUIDv7(at: WallTime(microseconds: 1), random: &random)
                var payload = random.bytes(length)
                if length > 2 { (payload[0], payload[1]) = (0x0A, UInt8(length)) }  // longer than what follows
                try fixture.append([NewEvent(stream: stream, type: type, schemaVersion: 1, payload: payload)])
                #expect(throws: ViewsError.self) { try fixture.views.catchUp(with: fixture.log) }
                #expect(try fixture.views.read { views in views.applied } == 0)
                break
            }
        }
    }
}

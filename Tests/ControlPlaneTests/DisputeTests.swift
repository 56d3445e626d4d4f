import Foundation
import LMDB
import Ledger
import Model
import OpenSSL
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane
@testable import Dispute

/// Packs of real calls hold; whatever is changed in one, by an outsider or by the operator who can sign it anew, is refused.
@Suite struct DisputeTests {
    private let key = SigningKey(seed: Array(0..<32))!
    private let name = "ledgerline.example/log"
    private var verifier: (name: String, key: VerifyingKey) { (name, key.verifyingKey) }

    private func pack(_ town: Town, _ call: CallID) throws -> DisputePack {
        try PackMaker(log: town.platform.log, views: town.platform.views, origin: name, key: key).pack(call: call, at: town.platform.wall)
    }

    /// An outbound call of 61 s with a failed first gateway, a change of worker, and media; the town's second call.
    private func charged(_ allowances: [Allowance] = []) throws -> (town: Town, call: CallID) {
        let town = try Town()
        if !allowances.isEmpty {
            town.plan.allowances = allowances
            try town.platform.admin(.changeServicePlan(town.plan, expectedVersion: nil))
        }
        let free = town.newCall()
        _ = try town.start(free, from: town.alice, to: "1001")
        _ = try town.finish(free, cause: .cancelled)
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        town.platform.run(.seconds(4), beating: ["s1", "s2"])
        _ = try town.answer(call)
        town.platform.run(.seconds(60) + .milliseconds(250), beating: ["s1", "s2"])
        _ = try town.platform.desk(
            "s1",
            .with {
                $0.callFinished.ended.callID = call.data
                $0.callFinished.ended.endedAt = town.platform.wall.microseconds
                $0.callFinished.ended.cause = .calledHungUp
                $0.callFinished.ended.sipStatus = 200
                $0.callFinished.ended.attempts = [
                    .with {
                        $0.target = "sip:2092488700@192.0.2.1"
                        $0.gatewayID = town.carrier.gateways[0].id
                        $0.sipStatus = 503
                    },
                    .with {
                        $0.target = "sip:002488700@192.0.2.2"
                        $0.gatewayID = town.carrier.gateways[1].id
                        $0.sipStatus = 200
                    },
                ]
                $0.callFinished.ended.media = .with {
                    $0.mediaWorker = "m1"
                    $0.a = .with {
                        $0.packetsIn = 3_010
                        $0.bytesIn = 517_720
                        $0.lastPacketAt = town.platform.wall.microseconds - 400_000
                    }
                }
            })
        return (town, call)
    }

    @Test func thePackOfACallExplainsAndProvesItsCharge() throws {
        let (town, call) = try charged()
        let pack = try pack(town, call)
        let verdict = try pack.verified(with: verifier)
        #expect(verdict.log == name && verdict.size == town.platform.head)
        #expect(verdict.proven.contains { $0.hasPrefix("retail: 0.04 USD") || $0.hasPrefix("retail: 0.0") })
        #expect(verdict.proven.contains { $0.contains("the longest prefix of the number") })
        #expect(verdict.notProven.contains { $0.hasPrefix("the balances") })
        let explained = pack.explanation
        #expect(explained.record == 2 && explained.milliseconds == 60_250 && explained.called.isEmpty && pack.stated.called == "+12092488700")
        #expect(explained.charges.map(\.edge) == ["retail", "wholesale", "carrier"])
        #expect(
            explained.charges[0].steps == [
                "60250 ms from answer to end: a second that has begun counts, so 61 s",
                "increments 60/60: the first of 60 s, then 1 × 60 s, are 120 s billed",
                "0.00 connection fee + 0.04 a minute × 120 s ÷ 60 = 0.00 + 0.08 = 0.08", "rounded half-up to 4 decimals: 0.08 USD",
            ])
        #expect(!explained.charges[0].candidates.isEmpty)
        #expect(explained.attempts.map(\.status) == [503, 200])
        #expect(explained.media.map(\.words) == ["the last packet from the caller came 0.4 s before the end", "nothing was heard from the called"])
        #expect(explained.milestones.map(\.what).contains { $0.hasPrefix("answered by gateway") })
        let customer = try #require(pack.stated.balances.first { $0.account.hasPrefix("customer.") })
        #expect(customer.before == "0.00" && customer.name == "Acme")
        #expect(pack.stated.names.contains { $0.name == "second" && $0.kind == "gateway" })
        // The pack's file is the pack.
        #expect(try DisputePack(try pack.encoded()) == pack)
        // A person's page says the same, in a document without scripts.
        let page = pack.page(.success(verdict))
        #expect(page.contains("61 s") && page.contains("What is not proven") && !page.contains("<script") && !page.contains("http"))
    }

    @Test func callsOfEveryKindHavePacksThatHold() throws {
        let town = try Town(prepaid: true)
        try town.topUp(1_000_000)
        var calls: [CallID] = []
        for (dialled, answers) in [("2488700", true), ("2488700", false), ("1001", true), ("999", false)] {
            let call = town.newCall()
            _ = try town.start(call, from: town.alice, to: dialled)
            if answers {
                _ = try town.answer(call)
                town.platform.run(.seconds(3), beating: ["s1", "s2"])
            }
            _ = try? town.finish(call)
            calls.append(call)
        }
        for call in calls { #expect(try pack(town, call).verified(with: verifier).proven.count >= 4) }
        #expect(throws: DisputeError.self) { try pack(town, town.newCall()) }
    }

    @Test func aCallThatOutranItsCreditIsExplainedAndALimitNobodySetIsRefused() throws {
        let town = try Town(prepaid: true)
        try town.topUp(40_000)
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        _ = try town.answer(call)
        town.platform.run(.seconds(60) + .milliseconds(40), beating: ["s1", "s2"])
        _ = try town.finish(call, cause: .creditExhausted)
        let pack = try pack(town, call)
        _ = try pack.verified(with: verifier)
        let retail = try #require(pack.explanation.charges.first { $0.edge == "retail" })
        #expect(retail.steps[0] == "60040 ms from answer to end: money was set aside for 60 s, and no more is charged")
        #expect(retail.billedSeconds == 60)
        for limit in [59, 61, 120] as [UInt32] {
            let forged = try relogged(pack, call) {
                guard case .cdrRecorded(var event) = $0 else { return }
                event.cdr.charges[0].timeLimitSeconds = limit
                $0 = .cdrRecorded(event)
            }
            #expect(throws: (any Error).self) { try forged.verified(with: verifier) }
        }
    }

    @Test func aPackIsCheckedByTheKeyThatIsGiven() throws {
        let (town, call) = try charged()
        let pack = try pack(town, call)
        #expect(throws: Never.self) { try pack.verified(with: nil) }
        let other = SigningKey(seed: Array(repeating: 9, count: 32))!
        #expect(throws: Contradiction.self) { try pack.verified(with: (name, other.verifyingKey)) }
        #expect(throws: Contradiction.self) { try pack.verified(with: ("other.example", key.verifyingKey)) }
    }

    /// What an outsider may change. With `signed`, the operator signs the changed pack anew, and the rest must show it.
    @Test(arguments: [false, true]) func everyKindOfChangeIsRefusedWithItsReason(signed: Bool) throws {
        let (town, call) = try charged()
        let good = try pack(town, call)
        func refused(_ words: String, _ change: (inout DisputePack) -> Void) {
            var changed = good
            change(&changed)
            #expect(changed != good)
            if signed, let body = try? changed.signedBody() { changed.signature = PackSignature.sign(body, name: name, key) }
            do {
                _ = try changed.verified(with: verifier)
                Issue.record("accepted: \(words)")
            } catch {
                #expect("\(error)".contains(words), "\(error)")
            }
        }
        func flipped(_ text: String, at place: Int) -> String {
            guard var bytes = Base64.decode(text) else { return text }
            bytes[place % bytes.count] ^= 0x10
            return Base64.encode(bytes)
        }
        for index in good.events.indices {
            for place in stride(from: 0, to: 200, by: 23) {
                refused("is not in the signed log") { $0.events[index].envelope = flipped($0.events[index].envelope, at: place) }
            }
            for hash in good.events[index].path.indices {
                refused("is not in the signed log") { $0.events[index].path[hash] = flipped($0.events[index].path[hash], at: hash) }
            }
            refused("is not in the signed log") { $0.events[index].path.removeLast() }
        }
        refused("not in its order") { $0.events.swapAt(0, 1) }
        refused("not in its order") { $0.events.insert($0.events[0], at: 0) }
        let callEvents = good.events.indices.filter { good.events[$0].role == .call }
        for index in callEvents.dropLast() { refused("are left out before event") { $0.events.remove(at: index) } }
        refused("no event of the call's record") { $0.events.removeLast() }
        refused("is given as a deck's version") { $0.events[callEvents[callEvents.count - 1]].role = .deck }
        refused("is not what the pack says it is") { $0.events[callEvents[1]].type = "call.updated" }
        refused("signature does not hold") { $0.checkpoint = $0.checkpoint.replacingOccurrences(of: "\n\(town.platform.head)\n", with: "\n\(town.platform.head + 1)\n") }
        refused("signature does not hold") { pack in
            let lines = pack.checkpoint.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            var signature = lines[4].split(separator: " ").map(String.init)
            signature[2] = flipped(signature[2], at: 40)
            pack.checkpoint = (lines[..<4] + [signature.joined(separator: " ")] + lines[5...]).joined(separator: "\n")
        }
        refused("the explanation does not follow from the events: its charges") { $0.explanation.charges[0].amount = "0.01" }
        refused("the explanation does not follow from the events: its charges") { $0.explanation.charges[2].steps[3] += "0" }
        refused("the explanation does not follow from the events: its milliseconds") { $0.explanation.milliseconds -= 1_000 }
        refused("the explanation does not follow from the events: its media") { $0.explanation.media[0].packetsIn += 1 }
        refused("the explanation does not follow from the events: its attempts") { $0.explanation.attempts.removeFirst() }
        refused("the explanation does not follow from the events: its milestones") { $0.explanation.milestones[0].what = "nothing" }
        refused("the explanation does not follow from the events: its corrections") {
            $0.explanation.corrections.append(.init(sequence: 1, recordedAt: "", reason: "", movements: []))
        }
        refused("stated balance") { $0.stated.balances[0].after = "1.00" }
        refused("are not of its movements") { $0.stated.balances[0].account = "cash.platform.USD" }
        refused("names another key") { $0.key = SigningKey(seed: Array(repeating: 3, count: 32))!.verifyingKey.noteKey(name: $0.log) }
        refused("of the log") { $0.log = "elsewhere.example" }
        if !signed {
            refused("over another pack") { $0.madeAt = "2020-01-01T00:00:00.000000Z" }
            refused("over another pack") { $0.stated.names[0].name = "Somebody else" }
            refused("over another pack") { $0.stated.balances.removeAll() }
            refused("not of the log's key") { pack in
                let fields = pack.signature.dropLast().split(separator: " ", omittingEmptySubsequences: false)
                pack.signature = fields.dropLast().joined(separator: " ") + " " + flipped(String(fields[fields.count - 1]), at: 20) + "\n"
            }
        }
    }

    @Test func noByteOfTheFileCanBeChanged() throws {
        let (town, call) = try charged()
        let good = try pack(town, call)
        let file = try good.encoded()
        var accepted: [Int] = []
        for place in stride(from: 0, to: file.count, by: 17) {
            var changed = file
            changed[place] ^= 0x01
            guard let pack = try? DisputePack(changed), (try? pack.verified(with: verifier)) != nil else { continue }
            // A line break for another space changes nothing that is said.
            if pack != good { accepted.append(place) }
        }
        #expect(accepted.isEmpty)
        #expect(throws: DisputeError.malformed("the file holds fields that are not part of the format")) {
            var object = try #require(try JSONSerialization.jsonObject(with: file) as? [String: Any])
            object["remark"] = "the customer agreed"
            _ = try DisputePack(try JSONSerialization.data(withJSONObject: object))
        }
        #expect(throws: DisputeError.self) { try DisputePack(Data("{}".utf8)) }
        #expect(throws: DisputeError.self) { try DisputePack(Data()) }
    }

    /// An operator who writes a wrong bill into the log itself, and signs all of it.
    @Test func aLogThatContradictsItselfIsRefused() throws {
        let (town, call) = try charged()
        let good = try pack(town, call)
        func refused(_ words: String, _ change: (inout Event) -> Void) throws {
            let forged = try relogged(good, call, change)
            do {
                _ = try forged.verified(with: verifier)
                Issue.record("accepted: \(words)")
            } catch {
                #expect("\(error)".contains(words), "\(error)")
            }
        }
        let honest = try relogged(good, call) { _ in }
        #expect(throws: Never.self) { try honest.verified(with: verifier) }
        try refused("the retail charge is recorded as 0.10 USD, and the agreed price gives") {
            guard case .cdrRecorded(var event) = $0 else { return }
            event.cdr.charges[0].amountMicros = 100_000
            $0 = .cdrRecorded(event)
        }
        try refused("the money that was moved is not that of the charges") {
            guard case .journalPosted(var event) = $0 else { return }
            event.postings[0].amountMicros -= 1
            event.postings[1].amountMicros += 1
            $0 = .journalPosted(event)
        }
        try refused("the record's duration is not that of the events") {
            guard case .cdrRecorded(var event) = $0 else { return }
            event.cdr.durationMs += 60_000
            $0 = .cdrRecorded(event)
        }
        try refused("the record's end is not that of the events") {
            guard case .callEnded(var event) = $0 else { return }
            event.endedAt += 60_000_000
            $0 = .callEnded(event)
        }
        try refused("is not the row of version 1") {
            guard case .rateDeckVersionPublished(var event) = $0 else { return }
            event.version.entries[0].perMinuteMicros += 1
            $0 = .rateDeckVersionPublished(event)
        }
        try refused("was not yet in force") {
            guard case .rateDeckVersionPublished(var event) = $0 else { return }
            event.version.effectiveAt = .max
            $0 = .rateDeckVersionPublished(event)
        }
        try refused("the record names another movement of money") {
            guard case .cdrRecorded(var event) = $0 else { return }
            event.cdr.journalID = Data()
            $0 = .cdrRecorded(event)
        }
    }

    @Test func freeUnitsAreStepsOfTheSumAndOnlyThoseThatWereOnOffer() throws {
        let minute = Allowance.with {
            $0.number = 1
            $0.name = "a minute"
            $0.seconds = 60
        }
        let (town, call) = try charged([minute])
        let good = try pack(town, call)
        #expect(throws: Never.self) { try good.verified(with: verifier) }
        let retail = good.explanation.charges[0]
        #expect(retail.amount == "0.04")
        #expect(
            retail.steps.dropFirst(2) == [
                "60 s of them are free units of a minute, of the period from 2026-11-01T07:00:00.000000Z",
                "0.00 connection fee + 0.04 a minute × 60 s ÷ 60 = 0.00 + 0.04 = 0.04", "rounded half-up to 4 decimals: 0.04 USD",
            ])
        func forged(_ change: (inout AllowanceUse) -> Void) throws -> String {
            let pack = try relogged(good, call) {
                guard case .cdrRecorded(var event) = $0 else { return }
                change(&event.cdr.charges[0].allowances[0])
                $0 = .cdrRecorded(event)
            }
            do {
                _ = try pack.verified(with: verifier)
                return "accepted"
            } catch {
                return "\(error)"
            }
        }
        #expect(try forged { $0.number = 2 }.contains("were not on offer"))
        #expect(try forged { $0.seconds = 120 }.contains("were not on offer"))
        #expect(try forged { $0.seconds = 59 }.contains("the retail charge is recorded as 0.04 USD"))
        // Who owns a wholesale deck is not asked for free minutes.
        #expect(good.explanation.charges[1].amount == "0.06")
    }

    private func parsed(_ bytes: [UInt8]) throws -> Envelope {
        guard let envelope = Envelope(parsing: bytes.span.bytes) else { throw TestFailure.unexpected("not an envelope") }
        return envelope
    }

    @Test func aCorrectionThatNamesTheCallIsPartOfItsPack() throws {
        let (town, call) = try charged()
        func journal(_ call: CallID, _ micros: Int64) throws {
            var random = RandomSource(seed: UInt64(micros))
            let id = UUIDv7(at: town.platform.wall, random: &random)
            let event = Event.journalPosted(
                .with {
                    $0.id = Data(id.bytes)
                    $0.kind = .adjustment
                    $0.callID = call.data
                    $0.reason = "billed by the wrong deck"
                    $0.postings = [
                        Posting(town.account, micros: micros), Posting(.of(.providerRevenue, owner: town.provider.id, currency: "USD"), micros: -micros),
                    ]
                })
            let commit = Commit(
                events: [NewEvent(stream: id, type: event.storedType, schemaVersion: 1, payload: event.serialized())], actor: "anna", cause: "", time: town.platform.wall)
            _ = try town.platform.log.append([commit])
            _ = try town.platform.views.catchUp(with: town.platform.log)
        }
        let other = town.newCall()
        try journal(call, 10_000)
        let pack = try pack(town, call)
        #expect(throws: Never.self) { try pack.verified(with: verifier) }
        #expect(pack.explanation.corrections.map(\.reason) == ["billed by the wrong deck"])
        #expect(pack.explanation.corrections.first?.movements.map(\.amount) == ["0.01", "-0.01"])
        let last = try #require(pack.stated.balances.last { $0.account.hasPrefix("customer.") })
        #expect(last.before != last.after && last.amount == "0.01")

        // One that names another call does not belong here.
        let foreign = try relogged(pack, call) {
            guard case .journalPosted(var event) = $0, event.kind == .adjustment else { return }
            event.callID = other.data
            $0 = .journalPosted(event)
        }
        do {
            _ = try foreign.verified(with: verifier)
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains("names another call"))
        }
    }

    /// The pack's events in a log of their own, changed, with everything that follows computed and signed anew.
    private func relogged(_ pack: DisputePack, _ call: CallID, _ change: (inout Event) -> Void) throws -> DisputePack {
        let directory = TemporaryDirectory()
        let log = try LMDBEventLog(directory: directory.path + "/ledger", sizeMax: 1 << 26, durability: .none)
        for item in pack.events {
            let envelope = try parsed(Base64.decode(item.envelope) ?? [])
            var event = try Event(storedType: envelope.type, schemaVersion: 1, payload: envelope.payload)
            change(&event)
            let commit = Commit(
                events: [NewEvent(stream: envelope.stream, type: envelope.type, schemaVersion: 1, payload: event.serialized())], actor: "operator", cause: "",
                time: envelope.time)
            _ = try log.append([commit])
        }
        var forged = pack
        forged.events = []
        forged.stated.balances = []
        var entries: [(envelope: Envelope, role: DisputePack.Role)] = []
        for (index, item) in pack.events.enumerated() {
            let sequence = UInt64(index + 1)
            let bytes = try #require(try log.bytes(at: sequence))
            let path = try log.inclusionProof(of: sequence, size: log.head)
            forged.events.append(
                .init(sequence: sequence, role: item.role, type: item.type, envelope: Base64.encode(bytes), path: path.map { Base64.encode($0.bytes) }))
            entries.append((try parsed(bytes), item.role))
        }
        forged.checkpoint = Checkpoint(origin: name, size: log.head, root: try log.rootHash(size: log.head)).signed(with: key)
        forged.explanation = try CallExplanation(try CallEvents(entries), number: forged.stated.called)
        forged.signature = PackSignature.sign(try forged.signedBody(), name: name, key)
        return forged
    }
}

import Backup
import Dispute
import Exports
import Foundation
import Ledger
import Model
import OpenSSL
import Primitives
import Projections
import Subjects
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// A call of Alice's, and everything that is known of her.
private struct Life {
    let town: Town
    let call: CallID
    /// What nobody must find after she is erased.
    let traces = [
        "alice", "Alice", "2488700", "+12092488700", "10.9.8.7", "alice-phone", "alice-call", "Wonderland",
    ]

    init() throws {
        town = try Town()
        let platform = town.platform
        try platform.keepContacts()
        town.alice.displayName = "Alice Wonderland"
        town.alice.email = "alice@example.com"
        try platform.admin(.changeSubscriber(town.alice, password: Password("another horse"), expectedVersion: nil))
        try town.register(town.alice, contact: "sip:alice-phone@10.9.8.7:5062")
        call = town.newCall()
        var request = town.startRequest(call, from: town.alice, to: "2488700")
        request.startCall.sipCallID = "alice-call@10.9.8.7"
        request.startCall.sourceAddress = "10.9.8.7:5062"
        _ = try platform.desk("s1", request)
        platform.run(.seconds(3), beating: ["s1", "s2"])
        _ = try platform.desk(
            "s1",
            .with {
                $0.callAnswered.callID = call.data
                $0.callAnswered.answeredAt = platform.wall.microseconds
                $0.callAnswered.gatewayID = town.carrier.gateways[0].id
                $0.callAnswered.snapshot.a.callID = "alice-call@10.9.8.7"
                $0.callAnswered.snapshot.a.remoteUri = "<sip:alice@acme.kages.example>"
                $0.callAnswered.snapshot.a.localUri = "<sip:2488700@acme.kages.example>"
                $0.callAnswered.snapshot.a.remoteTarget = "sip:alice-phone@10.9.8.7:5062"
                $0.callAnswered.snapshot.b.remoteUri = "<sip:+12092488700@192.0.2.1>"
                $0.callAnswered.snapshot.remoteSdpA = "c=IN IP4 10.9.8.7"
            })
        platform.run(.seconds(61), beating: ["s1", "s2"])
        _ = try platform.desk(
            "s1",
            .with {
                $0.callFinished.ended.callID = call.data
                $0.callFinished.ended.endedAt = platform.wall.microseconds
                $0.callFinished.ended.cause = .callerHungUp
                $0.callFinished.ended.attempts = [.with { $0.target = "sip:+12092488700@192.0.2.1" }]
            })
    }

    /// Where in the data directory one of her traces is found.
    func found() throws -> [String] {
        var found: [String] = []
        let root = town.platform.directory.path
        for name in FileManager.default.enumerator(atPath: root)?.compactMap({ $0 as? String }) ?? [] {
            guard let bytes = FileManager.default.contents(atPath: "\(root)/\(name)") else { continue }
            for trace in traces where bytes.range(of: Data(trace.utf8)) != nil { found.append("\(trace) in \(name)") }
        }
        return found.sorted()
    }

    /// Everything that an accountant counts.
    func books() throws -> [String] {
        try town.platform.read { views throws(ViewsError) in
            let records = try views.cdrs(limit: 1_000)
            return try views.trialBalance().map { "\($0)" } + ["\(try views.balance(town.account))", "\(records.count) records"]
                + records.map { "\($0.number) \($0.durationMs) \($0.startedAt) \($0.charges)" }
        }
    }

    func erase() throws { try town.platform.admin(.eraseSubject(alice, reason: "request 17")) }

    var alice: UUIDv7 { UUIDv7(bytes: town.alice.id)! }
}

@Suite struct ErasureTests {
    @Test func nothingPersonalIsInAnyFileEvenBeforeTheErasure() throws {
        let life = try Life()
        #expect(try life.found() == [])
    }

    @Test func everythingPersonalIsThereUntilTheErasure() throws {
        let life = try Life()
        let cdr = try #require(try life.town.cdrs().last)
        #expect(cdr.caller.number == "+12092488701" || !cdr.caller.number.isEmpty)
        #expect(cdr.dialled == "2488700")
        #expect(cdr.calledE164 == "+12092488700")
        #expect(cdr.sipCallID == "alice-call@10.9.8.7")
        #expect(cdr.attempts.map(\.target) == ["sip:+12092488700@192.0.2.1"])
        #expect(!cdr.isErased)
    }

    @Test func afterAnErasureThePersonIsGoneAndTheBooksAreWhole() throws {
        let life = try Life()
        let platform = life.town.platform
        let before = try #require(try life.town.cdrs().last)
        let balance = try life.town.balance(life.town.account)
        let recorded = try #require(
            try platform.read { views throws(ViewsError) in try views.history(of: life.call.value, limit: 100) }.last)
        let seed = [UInt8](repeating: 3, count: 32)
        let key = try #require(SigningKey(seed: seed))
        try life.erase()

        #expect(platform.keys.status(of: life.alice) == .erased)
        #expect(try life.found() == [])
        let after = try #require(try life.town.cdrs().last)
        #expect(after.isErased)
        #expect(after.caller.number.isEmpty && after.dialled.isEmpty && after.calledE164.isEmpty)
        #expect(after.attempts.map(\.target) == [""])
        #expect(after.charges == before.charges)
        #expect(after.durationMs == before.durationMs && after.startedAt == before.startedAt)
        #expect(after.charges.allSatisfy { !$0.entry.prefix.isEmpty })
        // The log verifies, the record is provable, the books balance, the views are what a replay makes.
        #expect(try LogVerifier(platform.log).run().isIntact)
        let proof = try InclusionProof(of: recorded, in: platform.log, origin: "test", key: key)
        #expect(!proof.text.isEmpty)
        #expect(try life.town.balance(life.town.account) == balance)
        let trial = try platform.read { views throws(ViewsError) in try views.trialBalance() }
        #expect(trial.allSatisfy { $0.micros == 0 })
        let check = try platform.views.check(against: platform.log, replayingInto: platform.directory.path + "/replay")
        #expect(check.difference == nil)
    }

    @Test func anErasedNameIsFreeAgain() throws {
        let life = try Life()
        try life.erase()
        let tenant = TenantID(life.town.tenant.id)!
        #expect(try life.town.platform.read { views throws(ViewsError) in try views.subscriber(tenant: tenant, user: "alice") } == nil)
        let another = try life.town.subscriber("alice", alias: "1000")
        #expect(try life.town.platform.read { views throws(ViewsError) in try views.subscriber(tenant: tenant, user: "alice") }?.id == another.id)
        let check = try life.town.platform.views.check(
            against: life.town.platform.log, replayingInto: life.town.platform.directory.path + "/replay")
        #expect(check.difference == nil)
    }

    @Test func anErasureSaidTwiceIsOneEvent() throws {
        let life = try Life()
        try life.erase()
        let head = life.town.platform.head
        try life.erase()
        #expect(life.town.platform.head == head)
    }

    @Test func aRunningCallPutsTheErasureOff() throws {
        let town = try Town()
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        let id = UUIDv7(bytes: town.alice.id)!
        #expect(throws: AdminRejection.self) { try town.platform.admin(.eraseSubject(id, reason: "")) }
        _ = try town.finish(call, cause: .cancelled)
        try town.platform.admin(.eraseSubject(id, reason: ""))
        #expect(town.platform.keys.status(of: id) == .erased)
    }

    @Test func aLegalHoldForbidsTheErasureUntilItIsLifted() throws {
        let town = try Town()
        let id = UUIDv7(bytes: town.contact.id)!
        try town.platform.admin(.holdSubject(id, isHeld: true, reason: "case 17"))
        #expect {
            try town.platform.admin(.eraseSubject(id, reason: ""))
        } throws: { error in
            (error as? AdminRejection)?.reason.contains("case 17") == true
        }
        try town.platform.admin(.holdSubject(id, isHeld: false, reason: "closed"))
        try town.platform.admin(.eraseSubject(id, reason: ""))
        let contact = try town.platform.read { views throws(ViewsError) in try views.contact(ContactID(id)) }
        #expect(contact?.name == "" && contact?.isErased == true)
    }

    @Test func whatWasProvenBeforeIsProvenAfterwards() throws {
        let life = try Life()
        let platform = life.town.platform
        let (name, key) = ("ledgerline.example/log", try #require(SigningKey(seed: Array(0..<32))))
        let maker = PackMaker(log: platform.log, views: platform.views, origin: name, key: key)
        let recorded = try #require(
            try platform.read { views throws(ViewsError) in try views.history(of: life.call.value, limit: 100) }.last)
        let head = platform.head
        let root = try platform.log.rootHash(size: head)
        let pack = try maker.pack(call: life.call, at: platform.wall)
        let proof = try InclusionProof(of: recorded, in: platform.log, origin: name, key: key)
        let books = try life.books()
        try life.erase()

        #expect(try platform.log.rootHash(size: head) == root)
        #expect(try proof.verified(with: key.verifyingKey).event.sequence == recorded)
        #expect(try platform.log.bytes(at: recorded) == proof.envelope)
        _ = try pack.verified(with: (name, key.verifyingKey))
        // A new one explains the same money, and names nobody.
        let after = try maker.pack(call: life.call, at: platform.wall)
        _ = try after.verified(with: (name, key.verifyingKey))
        #expect(after.stated.balances == pack.stated.balances)
        #expect(after.stated.caller.isEmpty && after.stated.called.isEmpty && after.stated.dialled.isEmpty)
        #expect(try life.books() == books)
        let text = String(decoding: try after.encoded(), as: UTF8.self)
        #expect(life.traces.filter { text.contains($0) } == [])
    }

    @Test func nothingPersonalIsInWhatIsWrittenAfterwards() throws {
        let life = try Life()
        let platform = life.town.platform
        let store = SnapshotStore(directory: platform.directory.path + "/snapshots", keys: platform.keys)
        let before = platform.head
        #expect(try store.write(from: platform.views, log: platform.log) == before)
        try life.erase()
        platform.run(.seconds(2), beating: ["s1", "s2"])
        #expect(try store.write(from: platform.views, log: platform.log) == platform.head)
        let export = CdrExport.with {
            $0.id = Data(UUIDv7(high: 0x7000, low: 1 << 63).bytes)
            $0.format = .jsonLines
            $0.interval = .hourly
            $0.timeZone = "UTC"
            $0.createdAt = platform.wall.microseconds - 7_200_000_000
        }
        let folder = try ExportFolder(platform.directory.path + "/exports/all")
        let exporter = Exporter(views: platform.views, folder: folder) { _ in }
        #expect(try exporter.makeFiles(export, dueAt: platform.wall) == 1)
        let backup = Backup(
            of: platform.log, origin: "test", key: try #require(SigningKey(seed: Array(0..<32))),
            to: platform.directory.path + "/backup")
        #expect(try backup.run().count == 1)
        #expect(try life.found() == [])
        let lines = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".jsonl") }.map {
            String(decoding: folder.bytes($0) ?? [], as: UTF8.self)
        }
        #expect(lines.count == 1 && lines[0].contains("\"cdr\":1"))
        // The past knows her no more either, from the snapshot that was written while she was known.
        let past = try store.states(asOf: before, log: platform.log)
        let known = try past.read(with: platform.views, platform.log) { views throws(ViewsError) in
            (try views.subscriber(SubscriberID(life.alice)), try views.cdrs(limit: 10))
        }
        #expect(known.0?.username == "" && known.0?.displayName == "" && known.0?.email == "")
        #expect(known.1.map(\.calledE164) == [""])
    }

    @Test func anOldCopyOfTheKeysOpensWhatWasErasedSoItHasToGoToo() throws {
        let life = try Life()
        let platform = life.town.platform
        let copy = platform.directory.path + "/copied.keys"
        try FileManager.default.copyItem(atPath: platform.directory.path + "/subjects.keys", toPath: copy)
        let recorded = try #require(
            try platform.read { views throws(ViewsError) in try views.history(of: life.call.value, limit: 100) }.last)
        try life.erase()
        let stored = try #require(try platform.log.event(at: recorded))
        let old = try SubjectKeys(path: copy, master: TestPlatform.vaultKey, isReadOnly: true)
        guard case .cdrRecorded(let opened) = try Event(opening: stored, old) else { throw TestFailure.unexpected(stored.type) }
        #expect(opened.cdr.calledE164 == "+12092488700")
        // Without the master key beside it the copy opens nothing.
        #expect(throws: SubjectKeyError.self) {
            try SubjectKeys(path: copy, master: [UInt8](repeating: 8, count: 32), isReadOnly: true)
        }
    }

    @Test func anErasedSubscribersPhonesAreForgottenAndCannotComeBack() throws {
        let life = try Life()
        let platform = life.town.platform
        let id = SubscriberID(life.alice)
        #expect(platform.core.bindings(of: id, at: platform.wall).count == 1)
        platform.feed = []
        try life.erase()
        #expect(platform.core.bindings(of: id, at: platform.wall).isEmpty)
        #expect(platform.feed.contains { $0.invalidate.subscriberID == id.data })
        let again = try platform.desk(
            "s1",
            .with {
                $0.bind.subscriberID = id.data
                $0.bind.bindings = [.with { $0.contactUri = "sip:x@10.0.0.1" }]
            })
        #expect(again.bind.outcome == .unknownSubscriber)
        let credential = try platform.desk(
            "s1",
            .with {
                $0.credential.username = "alice"
                $0.credential.domain = life.town.tenant.domain
            })
        #expect(!credential.credential.found)
        let reply = try life.town.start(life.town.newCall(), from: life.town.alice, to: "2488700")
        #expect(reply.callRefused.refusal == .unknownSource)
    }

    @Test func anErasedContactTakesNoNameAndItsCustomersAccountGoesOn() throws {
        let life = try Life()
        let town = life.town
        let (contact, customer) = (try #require(UUIDv7(bytes: town.contact.id)), try #require(UUIDv7(bytes: town.customer.id)))
        try town.platform.admin(.eraseSubject(contact, reason: ""))
        try town.platform.admin(.eraseSubject(customer, reason: ""))
        town.contact.name = "Berta"
        #expect {
            try town.platform.admin(.changeContact(town.contact, expectedVersion: nil))
        } throws: { error in
            (error as? AdminRejection)?.reason.contains("was erased") == true
        }
        var left = try #require(try town.platform.read { views throws(ViewsError) in try views.customer(CustomerID(customer)) })
        #expect(left.name == "" && left.isErased)
        left.status = .locked
        try town.platform.admin(.changeCustomer(left, expectedVersion: nil))
        try town.topUp(5_000_000)
        let balance = try life.town.balance(town.account)
        #expect(balance != 0)
        let check = try town.platform.views.check(
            against: town.platform.log, replayingInto: town.platform.directory.path + "/replay")
        #expect(check.difference == nil)
    }

    @Test func aKillBetweenTheErasureAndTheKeyIsMadeUpForAtTheNextStart() throws {
        let life = try Life()
        let path = life.town.platform.directory.path + "/subjects.keys"
        let keys = try Data(contentsOf: URL(fileURLWithPath: path))
        try life.erase()
        // The key file as it was before, as after a kill, or from a backup.
        try keys.write(to: URL(fileURLWithPath: path))
        let restarted = try life.town.platform.startedElsewhere()
        #expect(restarted.status(of: life.alice) == .erased)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) != keys)
        #expect(try SubjectKeys(path: path, master: TestPlatform.vaultKey, isReadOnly: true).status(of: life.alice) == .erased)
    }

    @Test func viewsThatAreRebuiltWithoutTheKeyFileSayWhatIsMissing() throws {
        let town = try Town()
        let empty = try SubjectKeys(path: town.platform.directory.path + "/other.keys", master: TestPlatform.vaultKey)
        #expect {
            try Views.rebuild(into: town.platform.directory.path + "/rebuilt", from: town.platform.log, keys: empty)
        } throws: { error in
            guard case .personal(.missing) = error as? ViewsError else { return false }
            return true
        }
    }
}

extension TestPlatform {
    /// Goes on with a store of registrations on the disk.
    fileprivate func keepContacts() throws {
        core = try ControlCore(
            log: log, views: views, vault: try Vault(key: Self.vaultKey), random: RandomSource(seed: 3),
            location: try LocationStore(directory: directory.path + "/location", keys: keys), now: now, wall: wall)
        for name in ["s1", "s2"] { _ = try hello(name) }
    }

    /// A second process over the log, with the key file as it is and views of its own.
    fileprivate func startedElsewhere() throws -> SubjectKeys {
        let keys = try SubjectKeys(path: directory.path + "/subjects.keys", master: Self.vaultKey)
        let views = try Views(directory: directory.path + "/other", keys: keys, sizeMax: 1 << 28)
        _ = try ControlCore(
            log: log, views: views, vault: try Vault(key: Self.vaultKey), random: RandomSource(seed: 4), now: now, wall: wall)
        return keys
    }
}

import Foundation
import Invoices
import LMDB
import Ledger
import Model
import OpenSSL
import Primitives
import Projections
import Rating
import SwiftProtobuf
import Testing

@testable import ControlPlane
@testable import Dispute

/// A customer with everything that can stand on an invoice.
private struct Month {
    let town: Town
    /// The second invoice: behind one before it, with calls, a fee, a package, a correction, a payment and an adjustment.
    let invoice: InvoiceIssued
    let note: InvoiceIssued
}

/// Packs of real invoices hold; whatever is changed in one, by an outsider or by the operator who can write another log and sign all of it,
/// is refused by name.
@Suite struct InvoiceDisputeTests {
    private let key = SigningKey(seed: Array(0..<32))!
    private let name = "ledgerline.example/log"
    private var verifier: (name: String, key: VerifyingKey) { (name, key.verifyingKey) }

    private func call(_ town: Town, _ seconds: Int, from subscriber: Subscriber? = nil) throws {
        let call = town.newCall()
        _ = try town.start(call, from: subscriber ?? town.alice, to: "2488700")
        _ = try town.answer(call)
        town.platform.run(.seconds(seconds), beating: ["s1", "s2"])
        _ = try town.finish(call)
        town.platform.advance(.seconds(10))
        for worker in ["s1", "s2"] { _ = try town.platform.desk(worker, .with { $0.heartbeat.calls = 0 }) }
    }

    private func amount(_ micros: Int64) -> Amount {
        .with {
            $0.micros = micros
            $0.currency = "USD"
        }
    }

    private func issue(_ town: Town) throws -> InvoiceIssued {
        let customer = CustomerID(town.customer.id)!
        let desk = InvoiceDesk(
            views: town.platform.views, log: town.platform.log,
            store: InvoiceStore(folder: town.platform.directory.path + "/invoices", keys: town.platform.keys))
        let now = town.platform.wall
        let draft = try desk.worked { views throws(InvoiceError) in try desk.draft(of: Debt(.customer(customer), Currency("USD")!), to: nil, at: now, in: views) }
        return try invoice(town, town.platform.admin(.issueInvoice(draft)).id)
    }

    private func credit(_ town: Town, _ invoice: InvoiceIssued, _ net: Int64) throws -> InvoiceIssued {
        let now = town.platform.wall
        let note = try town.platform.views.read { views throws(ViewsError) in
            Result { () throws(InvoiceError) in
                var random = RandomSource.system
                return try InvoiceMaker.creditNote(
                    of: invoice, net: net, reason: "line was down", issuedAt: now, id: UUIDv7(at: now, random: &random), in: views)
            }
        }.get()
        return try self.invoice(town, town.platform.admin(.issueInvoice(note)).id)
    }

    private func invoice(_ town: Town, _ id: UUIDv7) throws -> InvoiceIssued {
        try #require(try town.platform.read { views throws(ViewsError) in try views.invoice(InvoiceID(id)) })
    }

    private func month() throws -> Month {
        let town = try Town()
        let customer = CustomerID(town.customer.id)!
        town.customer.vatBasisPoints = 1_900
        town.customer.contactID = town.contact.id
        try town.platform.admin(.changeCustomer(town.customer, expectedVersion: nil))
        var billing = Billing()
        billing.providerID = town.provider.id
        (billing.seller.name, billing.seller.country, billing.invoicePrefix, billing.callList) = ("Kages Inc", "DE", "K-", true)
        try town.platform.admin(.changeBilling(billing))
        town.plan.subscriberMonthMicros = 10_000_000
        town.plan.packages = [
            .with {
                ($0.number, $0.name, $0.priceMicros, $0.days) = (3, "Week of talk", 2_000_000, 7)
                $0.allowances = [
                    .with {
                        ($0.number, $0.name, $0.seconds, $0.period) = (1, "two minutes", 120, .once)
                    }
                ]
            }
        ]
        try town.platform.admin(.changeServicePlan(town.plan, expectedVersion: nil))
        // Somebody else's charges stand between ours.
        let neighbour = try town.create(
            .with {
                ($0.providerID, $0.servicePlanID, $0.contactID) = (town.provider.id, town.plan.id, town.contact.id)
                ($0.name, $0.currency) = ("Next Door", "USD")
            }, AdminCommand.createCustomer)
        let own = town.tenant
        town.tenant = try town.create(
            .with {
                ($0.customerID, $0.name, $0.domain) = (neighbour.id, "Next Door", "next.kages.example")
                ($0.countryCode, $0.areaCode) = ("1", "209")
            }, AdminCommand.createTenant)
        let nextDoor = town.tenant
        let nina = try town.subscriber("nina", alias: "1000")
        try call(town, 61, from: nina)
        town.tenant = own
        try call(town, 90)
        try town.platform.admin(.adjust(.customer(customer), amount(-3_333), reason: "Set-up"))
        _ = try issue(town)
        try call(town, 30)
        town.tenant = nextDoor
        try call(town, 150, from: nina)
        town.tenant = own
        try town.platform.admin(.buyPackage(customer, 3))
        try call(town, 200)
        try town.topUp(5_000_000)
        try town.platform.admin(.adjust(.customer(customer), amount(-1_234), reason: "Sticker"))
        try rerate(town)
        town.platform.advance(WallTime(rfc3339: "2026-12-01T08:01:00Z")! - town.platform.wall)
        town.platform.run(.seconds(1))
        while town.platform.core.fees.isBusy { town.platform.run(.seconds(1)) }
        let invoice = try issue(town)
        return Month(town: town, invoice: invoice, note: try credit(town, invoice, 1_000_000))
    }

    /// All calls by a dearer deck: those of the first invoice too.
    private func rerate(_ town: Town) throws {
        try town.platform.admin(
            .publishDeckVersion(
                .with {
                    $0.deckID = town.retail.id
                    $0.effectiveAt = WallTime(rfc3339: "2026-11-01T00:00:00Z")!.microseconds
                    $0.entries = [
                        .with {
                            ($0.prefix, $0.destination, $0.perMinuteMicros) = ("1", "North America", 60_000)
                            ($0.firstIncrementSeconds, $0.nextIncrementSeconds) = (60, 1)
                        }
                    ]
                }))
        let terms = RerateTerms(
            deck: RateDeckID(town.retail.id)!, version: 2, from: WallTime(rfc3339: "2026-11-01T00:00:00Z")!, to: WallTime(rfc3339: "2026-12-01T00:00:00Z")!,
            customer: CustomerID(town.customer.id)!)
        let page = try town.platform.views.read { views throws(ViewsError) in
            Result { try RerateScan(try Rerater(terms, in: views)).page(after: nil, limit: 1_000, differencesMax: 250, in: views) }
        }.get()
        let numbers = page.lines.compactMap { line -> UInt64? in
            guard case .rated(let charge) = line.verdict, charge.differenceMicros != 0 else { return nil }
            return line.cdr.number
        }
        try town.platform.admin(.rerate(RerateStep(terms, id: nil, reason: "wrong deck", records: numbers, looked: UInt64(page.records), next: page.next)))
    }

    private func file(_ town: Town, _ invoice: InvoiceIssued) throws -> Data {
        try InvoicePackMaker(log: town.platform.log, views: town.platform.views, origin: name, key: key)
            .pack(invoice: InvoiceID(invoice.id)!, at: town.platform.wall)
    }

    private func verified(_ file: Data) throws -> (verdict: Verdict, facts: InvoiceFacts) { try InvoicePack(file).verified(with: verifier) }

    // MARK: - what holds

    @Test func thePackOfAnInvoiceProvesEveryLineAndWhereItGoesOn() throws {
        let month = try month()
        let file = try file(month.town, month.invoice)
        #expect(InvoicePack.isOne(file))
        let (verdict, facts) = try verified(file)
        let invoice = month.invoice
        #expect(invoice.lines.contains { $0.kind == .usage } && invoice.lines.count { $0.kind == .item } == 3 && invoice.lines.contains { $0.kind == .correction })
        #expect(verdict.log == name && verdict.size == month.town.platform.head)
        #expect(Set(facts.rows.map(\.kind)) == [.call, .fee, .package, .topUp, .adjustment, .rerating, .invoice])
        func proven(_ words: String) -> Bool { verdict.proven.contains { $0.contains(words) } }
        #expect(proven("number 2 of its series") && proven("goes on where K-000001 ended") && proven("VAT: 19 %"))
        #expect(proven("credit notes to invoice K-000002: C-000001, 1.19 USD together"))
        #expect(proven("the numbers of the calls, times and amounts are those of the list") && proven("the page that was issued"))
        for line in invoice.lines { #expect(proven("\(line.description_p): \(line.calls) movement")) }
        #expect(verdict.notProven.contains { $0.contains("no other credit notes than the 1") })
        let page = try InvoicePack(file).page(.success((verdict, facts)))
        #expect(page.contains("Invoice K-000002") && page.contains("+12092488700") && page.contains("Week of talk") && page.contains("What is not proven"))
        #expect(!page.contains("<script") && !page.contains("http"))
    }

    @Test func theFirstInvoiceAndACreditNoteHavePacksThatHold() throws {
        let month = try month()
        let first = try #require(
            try month.town.platform.read { views throws(ViewsError) in try views.invoice(of: ProviderID(month.town.provider.id)!, .invoice, number: 1) })
        let proven = try verified(try file(month.town, first)).verdict.proven
        #expect(proven.contains { $0.contains("the first of its series") } && proven.contains { $0.contains("began with nothing") })
        let note = try verified(try file(month.town, month.note))
        #expect(note.verdict.proven.contains { $0.contains("1.19 USD of invoice K-000002") })
        #expect(throws: DisputeError.self) { try InvoicePackMaker(log: month.town.platform.log, views: month.town.platform.views, origin: name, key: key)
            .pack(invoice: InvoiceID(UUIDv7(bytes: month.town.customer.id)!), at: month.town.platform.wall) }
    }

    @Test func whoIsErasedIsInNoPackAndItStillVerifies() throws {
        let month = try month()
        for id in [month.town.customer.id, month.town.contact.id, month.town.alice.id] {
            try month.town.platform.admin(.eraseSubject(UUIDv7(bytes: id)!, reason: "asked for"))
        }
        month.town.platform.run(.seconds(2), beating: ["s1", "s2"])
        let file = try file(month.town, month.invoice)
        let (verdict, facts) = try verified(file)
        #expect(facts.rows.filter { $0.kind == .call }.allSatisfy { $0.called.isEmpty && $0.caller.isEmpty })
        #expect(verdict.notProven.contains { $0.contains("the buyer was erased") } && verdict.notProven.contains { $0.contains("somebody on it was erased") })
        let page = try InvoicePack(file).page(.success((verdict, facts)))
        for trace in ["Acme", "Anna", "2488700"] { #expect(!page.contains(trace)) }
    }

    @Test func aPackOfManyCallsHasOneShortProof() throws {
        let town = try Town()
        for _ in 0..<40 { try call(town, 30) }
        let file = try file(town, try issue(town))
        let pack = try InvoicePack(file)
        #expect(try pack.verified(with: verifier).facts.rows.count == 40)
        // A path of its own for each of the 82 events would be a thousand hashes.
        #expect(pack.head.events > 80 && pack.proof.count < 160, "\(pack.proof.count) hashes for \(pack.head.events) events")
    }

    // MARK: - what an outsider changes

    @Test func noByteOfTheFileCanBeChanged() throws {
        let month = try month()
        let good = try file(month.town, month.invoice)
        var accepted: [Int] = []
        for place in stride(from: 0, to: good.count, by: 29) {
            var changed = good
            changed[place] ^= 0x01
            if (try? verified(changed)) != nil { accepted.append(place) }
        }
        #expect(accepted.isEmpty)
        for file in [Data(), Data("{}\n".utf8), good.dropLast(), good + Data("\n".utf8), good + Data("{}\n".utf8)] {
            #expect(throws: (any Error).self) { try verified(Data(file)) }
        }
        let many = String(decoding: good, as: UTF8.self).replacing(/"events":\d+/, with: "\"events\":\(Int.max)")
        #expect(throws: DisputeError.self) { try InvoicePack(Data(many.utf8)) }
        let other = SigningKey(seed: Array(repeating: 9, count: 32))!
        #expect(throws: Contradiction.self) { try InvoicePack(good).verified(with: (name, other.verifyingKey)) }
        #expect(throws: Never.self) { try InvoicePack(good).verified(with: nil) }
    }

    /// With `signed`, the operator signs the changed file anew, and the rest must show it.
    @Test(arguments: [false, true]) func everyKindOfChangeIsRefusedWithItsReason(signed: Bool) throws {
        let month = try month()
        let good = try InvoicePack(try file(month.town, month.invoice))
        let events = try good.lines.indices.map { try good.event($0) }
        struct Parts {
            var head: InvoicePack.Head
            var events: [InvoicePack.ProvenEvent]
            var proof: [String]
        }
        func refused(_ words: String, _ change: (inout Parts) -> Void) throws {
            var parts = Parts(head: good.head, events: events, proof: good.proof)
            change(&parts)
            parts.head.events = parts.events.count
            let file = try InvoicePack.file(parts.head, parts.events, proof: parts.proof) { signed ? PackSignature.sign($0, name: name, key) : good.signature }
            do {
                _ = try verified(file)
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
        let own = try #require(events.firstIndex { $0.sequence == good.head.sequence })
        for index in events.indices where index != own {
            // An invoice that is read before everything else may say so itself.
            let words = events[index].type == "invoice.issued" ? "event" : "not those of the signed log"
            for place in [0, 57, 113] { try refused(words) { $0.events[index].envelope = flipped($0.events[index].envelope, at: place) } }
            try refused(events[index].type == "invoice.issued" && index < own ? "left out" : "not those of the signed log") { $0.events.remove(at: index) }
        }
        for index in good.proof.indices { try refused("not those of the signed log") { $0.proof[index] = flipped($0.proof[index], at: index) } }
        try refused("not those of the signed log") { $0.proof.removeLast() }
        try refused("not those of the signed log") { $0.proof.append($0.proof[0]) }
        try refused("not in its order") { $0.events.swapAt(3, 4) }
        try refused("not in its order") { $0.events.insert($0.events[2], at: 2) }
        try refused("is not in the pack") { $0.events.remove(at: own) }
        try refused("is not what the pack says it is") { $0.events[0].type = "journal.posted" }
        try refused("of another invoice than the pack") { $0.head.invoice = UUIDv7(bytes: month.note.id)!.description }
        try refused("names another key") { $0.head.key = SigningKey(seed: Array(repeating: 3, count: 32))!.verifyingKey.noteKey(name: $0.head.log) }
        try refused("of the log") { $0.head.log = "elsewhere.example" }
        try refused("signature does not hold") {
            $0.head.checkpoint = $0.head.checkpoint.replacingOccurrences(of: "\n\(month.town.platform.head)\n", with: "\n\(month.town.platform.head + 1)\n")
        }
        let record = try #require(events.firstIndex { $0.called != nil })
        try refused("numbers are stated of it") { $0.events[record - 1].called = "+1" }
        if !signed {
            try refused("over another pack") { $0.events[record].called = "+12095550000" }
            try refused("over another pack") { $0.head.buyer?.company = "Somebody else" }
            try refused("over another pack") { $0.head.madeAt = "2020-01-01T00:00:00.000000Z" }
        }
    }

    @Test func whatTheOperatorStatesOtherwiseThanItWasIssuedIsNotSaidToBeProven() throws {
        let month = try month()
        let good = try InvoicePack(try file(month.town, month.invoice))
        var events = try good.lines.indices.map { try good.event($0) }
        let record = try #require(events.firstIndex { $0.called != nil })
        events[record].called = "+12095550000"
        var head = good.head
        head.buyer?.company = "Somebody else"
        let verdict = try verified(try InvoicePack.file(head, events, proof: good.proof) { PackSignature.sign($0, name: name, key) }).verdict
        #expect(verdict.notProven.contains { $0.contains("or the operator states others") } && verdict.notProven.contains { $0.contains("or the operator states another") })
        #expect(!verdict.proven.contains { $0.contains("numbers of the calls") || $0.contains("the page that was issued") })
    }

    // MARK: - what an operator writes into the log itself

    /// Where the operator is the liar.
    private func forger() throws -> Forger {
        let month = try month()
        return Forger(month: month, good: try InvoicePack(try file(month.town, month.invoice)), name: name, key: key)
    }

    @Test func aChargeThatIsDroppedIsMissed() throws {
        let forger = try forger()
        let record = try forger.first("cdr.recorded", forger.month.invoice.afterSequence)
        #expect(throws: Never.self) { try verified(try forger.pack()) }
        // A charge that is dropped, and each other fact, one at a time.
        // The call was put right later.
        try forger.refused("or the call's record is left out", try forger.pack(drops: { $0.sequence == record || $0.sequence == record - 1 }))
        try forger.refused("moved money for is left out", try forger.pack(drops: { $0.sequence == record }))
        try forger.refused("which is not on this invoice", try forger.pack(drops: { $0.sequence == record - 1 }))
        let sticker = try #require(try forger.journals(.adjustment).last)
        try forger.refused("come to other lines: \"Sticker\" says 1 for 0.001234 USD", try forger.pack(drops: { $0.sequence == sticker }))
        for type in ["fee.charged", "package.bought", "charge.corrected"] {
            let sequence = try forger.first(type)
            try forger.refused("is left out", try forger.pack(drops: { $0.sequence == sequence }))
        }
        let topUp = try #require(try forger.journals(.topUp).last)
        try forger.refused("the sum of the payments is", try forger.pack(drops: { $0.sequence == topUp }))
        let vat = try #require(try forger.journals(.invoice).last)
        try forger.refused("is not its VAT and rounding", try forger.pack(drops: { $0.sequence == vat }))
        let before = try forger.first("invoice.issued")
        try forger.refused("invoice before", try forger.pack(drops: { $0.sequence == before }))
    }

    @Test func aChargeOfSomebodyElseOrOfAnotherTimeIsRefused() throws {
        let forger = try forger()
        let (all, cut) = (forger.all, forger.month.invoice.afterSequence)
        // A charge that is another customer's, or of another time.
        let foreign = try #require(try forger.journals(.call).last { sequence in !all.contains { $0.sequence == sequence } && sequence > cut })
        try forger.refused("it is of another account", try forger.pack(adds: [foreign, foreign + 1]))
        let early = try #require(try forger.journals(.call).first { sequence in !all.contains { $0.sequence == sequence } && sequence > 20 && sequence != foreign })
        try forger.refused("event \(early)", try forger.pack(adds: [early, early + 1]))
        try forger.refused("is no part of an invoice", try forger.pack(adds: [1]))
    }

    @Test func amountsPricesAndDurationsHaveToFit() throws {
        let forger = try forger()
        let record = try forger.first("cdr.recorded", forger.month.invoice.afterSequence)
        try forger.refused("the retail charge is recorded as 0.10 USD, and its price gives something else", try forger.changed(record) {
            guard case .cdrRecorded(var event) = $0 else { return }
            event.cdr.charges[0].amountMicros = 100_000
            $0 = .cdrRecorded(event)
        })
        try forger.refused("the money that was moved is not that of its charges", try forger.changed(record - 1) {
            guard case .journalPosted(var event) = $0 else { return }
            event.postings[0].amountMicros -= 10_000
            event.postings[1].amountMicros += 10_000
            $0 = .journalPosted(event)
        })
        try forger.refused("do not sum to zero", try forger.changed(record - 1) {
            guard case .journalPosted(var event) = $0 else { return }
            event.postings[0].amountMicros -= 10_000
            $0 = .journalPosted(event)
        })
        try forger.refused("its duration is not the time from answer to end", try forger.changed(record) {
            guard case .cdrRecorded(var event) = $0 else { return }
            event.cdr.durationMs += 60_000
            $0 = .cdrRecorded(event)
        })
        try forger.refused("are not of one call", try forger.changed(record) {
            guard case .cdrRecorded(var event) = $0 else { return }
            event.cdr.journalID = Data(repeating: 1, count: 16)
            $0 = .cdrRecorded(event)
        })
        try forger.refused("moved another amount", try forger.changed(try forger.first("fee.charged")) {
            guard case .feeCharged(var event) = $0 else { return }
            event.lines[0].monthMicros -= 1_000_000
            event.lines[0].amountMicros -= 1_000_000 * Int64(event.lines[0].quantity)
            event.amountMicros -= 1_000_000 * Int64(event.lines[0].quantity)
            $0 = .feeCharged(event)
        })
        try forger.refused("is not the difference", try forger.changed(try forger.first("charge.corrected")) {
            guard case .chargeCorrected(var event) = $0 else { return }
            event.beforeMicros -= 10_000
            $0 = .chargeCorrected(event)
        })
    }

    @Test func whatTheInvoiceSaysHasToFollow() throws {
        let forger = try forger()
        let vat = try #require(try forger.journals(.invoice).last)
        try forger.refused("come to other lines", try forger.invoice {
            $0.lines[0].amountMicros += 10_000
            $0.lines[1].amountMicros -= 10_000
        })
        try forger.refused("and its lines come to", try forger.invoice { $0.taxMicros -= 10_000 })
        try forger.refused("and its lines come to", try forger.invoice { $0.totalMicros += 10_000 })
        try forger.refused("the opening balance is", try forger.invoice { $0.openingMicros += 10_000 })
        try forger.refused("the closing balance is", try forger.invoice { $0.closingMicros += 10_000 })
        try forger.refused("says 19 % VAT in USD, and the invoice 7 % in USD", try forger.pack(changing: {
            guard case .invoiceIssued(var event) = $1, $0 == forger.good.head.sequence else {
                // The operator moves what it then says.
                guard $0 == vat, case .journalPosted(var journal) = $1 else { return }
                var made = forger.month.invoice
                var tax = made.taxes[0]
                tax.vatBasisPoints = 700
                try? InvoiceMaker.sum(&made, rate: tax)
                journal.postings = InvoiceMaker.postings(of: made, made.debt!)
                $1 = .journalPosted(journal)
                return
            }
            var tax = event.taxes[0]
            tax.vatBasisPoints = 700
            try? InvoiceMaker.sum(&event, rate: tax)
            $1 = .invoiceIssued(event)
        }))
        try forger.refused("number 6 of the series", try forger.invoice { $0.number = 7 })
        try forger.refused("come to more than invoice", try forger.pack(changing: {
            guard case .invoiceIssued(var event) = $1, event.kind == .creditNote else { return }
            event.lines[0].amountMicros *= 100
            event.lines[0].exactMicros *= 100
            try? InvoiceMaker.sum(&event, rate: event.taxes[0])
            $1 = .invoiceIssued(event)
        }))
        try forger.refused("the buyer's invoice before, which ends at event", try forger.invoice { $0.afterSequence -= 1 })
    }
}

/// An operator who writes another log, and signs all of it.
private struct Forger {
    let month: Month
    let good: InvoicePack
    let name: String
    let key: SigningKey

    var all: [InvoicePack.ProvenEvent] { good.lines.indices.compactMap { try? good.event($0) } }

    func first(_ type: String, _ after: UInt64 = 0) throws -> UInt64 {
        let found = all.first { $0.type == type && $0.sequence > after }
        return try #require(found).sequence
    }

    func refused(_ words: String, _ file: Data) throws {
        do {
            _ = try InvoicePack(file).verified(with: (name, key.verifyingKey))
            Issue.record("accepted: \(words)")
        } catch {
            #expect("\(error)".contains(words), "\(error)")
        }
    }

    func changed(_ sequence: UInt64, _ change: (inout Event) -> Void) throws -> Data { try pack(changing: { if $0 == sequence { change(&$1) } }) }

    func invoice(_ change: (inout InvoiceIssued) -> Void) throws -> Data {
        try changed(good.head.sequence) {
            guard case .invoiceIssued(var event) = $0 else { return }
            change(&event)
            $0 = .invoiceIssued(event)
        }
    }

    /// The whole log anew with `change`, and the pack of it, without events that `drops` names and with those that `adds` does, signed by the operator.
    func pack(drops: (InvoicePack.ProvenEvent) -> Bool = { _ in false }, adds: [UInt64] = [], changing change: (UInt64, inout Event) -> Void = { _, _ in }) throws -> Data {
        let directory = TemporaryDirectory()
        let log = try LMDBEventLog(directory: directory.path + "/ledger", sizeMax: 1 << 26, durability: .none)
        try month.town.platform.log.read(from: 1) { envelope throws(LedgerError) in
            guard var event = try? Event(storedType: envelope.type, schemaVersion: envelope.schemaVersion, payload: envelope.payload) else {
                throw .damaged(sequence: envelope.sequence)
            }
            change(envelope.sequence, &event)
            let new = NewEvent(stream: envelope.stream, type: event.storedType, schemaVersion: envelope.schemaVersion, payload: event.serialized())
            _ = try log.append([Commit(events: [new], actor: "operator", cause: "", time: envelope.time)])
            return true
        }
        var items: [UInt64: InvoicePack.ProvenEvent] = [:]
        for index in good.lines.indices {
            let item = try good.event(index)
            if !drops(item) { items[item.sequence] = item }
        }
        for sequence in adds { items[sequence] = InvoicePack.ProvenEvent(sequence: sequence, type: "", envelope: "") }
        let sequences = items.keys.sorted()
        let events = try sequences.map { sequence in
            var item = try #require(items[sequence])
            let bytes = try #require(try log.bytes(at: sequence))
            item.envelope = Base64.encode(bytes)
            item.type = try #require(try log.event(at: sequence)).type
            return item
        }
        var head = good.head
        head.events = events.count
        head.checkpoint = Checkpoint(origin: name, size: log.head, root: try log.rootHash(size: log.head)).signed(with: key)
        return try InvoicePack.file(head, events, proof: try log.inclusionProof(of: sequences, size: log.head).map { Base64.encode($0.bytes) }) {
            PackSignature.sign($0, name: name, key)
        }
    }

    /// Where movements of a kind are in the log, whosever they are.
    func journals(_ kind: JournalKind) throws -> [UInt64] {
        var found: [UInt64] = []
        try month.town.platform.log.read(from: 1) { envelope throws(LedgerError) in
            if envelope.type == "journal.posted", let event = try? JournalPosted(serializedBytes: envelope.payload), event.kind == kind { found.append(envelope.sequence) }
            return true
        }
        return found
    }
}

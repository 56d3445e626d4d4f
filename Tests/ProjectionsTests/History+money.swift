import Foundation
import Model
import Primitives
import SwiftProtobuf

/// Steps that move money outside of calls: prices, payments, fees, packages, corrections.
extension History {
    mutating func publishDeck() -> Step {
        let deck = decks.randomElement(using: &random)!
        var version = RateDeckVersion()
        version.deckID = deck.id
        version.version = deckVersions[deck.id, default: 0] + 1
        deckVersions[deck.id] = version.version
        version.effectiveAt = (now + .seconds(Int.random(in: -100...100, using: &random))).microseconds
        for _ in 0..<Int.random(in: 1...30, using: &random) {
            version.entries.append(
                .with {
                    $0.prefix = String(Int.random(in: 1...99_999, using: &random))
                    $0.perMinuteMicros = Int64.random(in: 0...100_000, using: &random)
                })
        }
        guard Int.random(in: 0..<3, using: &random) == 0 else {
            return [(.rateDeckVersionPublished(.with { $0.version = version }), stream(deck.id))]
        }
        // In parts, under an import; now and then nothing becomes of it.
        let source = id()
        var keys: Set<String> = []
        let rows = version.entries.filter { keys.insert($0.key).inserted }.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        var step: Step = []
        for (chunk, start) in stride(from: 0, to: rows.count, by: 10).enumerated() {
            var added = RateDeckRowsAdded(rows: rows[start..<min(rows.count, start + 10)])
            (added.importID, added.deckID, added.chunk) = (source, deck.id, UInt32(chunk))
            added.hash = Data(repeating: UInt8(chunk), count: 32)
            step.append((.rateDeckRowsAdded(added), stream(source)))
        }
        guard Int.random(in: 0..<4, using: &random) > 0 else {
            deckVersions[deck.id] = version.version - 1
            return step
        }
        version.entries = []
        version.importID = source
        version.rows = UInt64(rows.count)
        return step + [(.rateDeckVersionPublished(.with { $0.version = version }), stream(deck.id))]
    }

    mutating func keepBooks() -> Step {
        let customer = customers.randomElement(using: &random)!
        let number = (invoices[customer.providerID] ?? 0) + 1
        invoices[customer.providerID] = number
        return BooksDay.step(
            provider: customer.providerID, customer: customer, after: number - 1, number: number, through: number, above: invoices.values.reduce(0, +),
            random: &random, at: now)
    }

    mutating func topUp() -> Step {
        let customer = customers.randomElement(using: &random)!
        let amount = Int64.random(in: 1...50_000_000, using: &random)
        let journal = JournalPosted.with {
            $0.id = id()
            $0.kind = .topUp
            $0.postings = [
                Posting(.cash(ProviderID(customer.providerID)!, currency), micros: -amount),
                Posting(.customer(CustomerID(customer.id)!, currency), micros: amount),
            ]
        }
        return [(.journalPosted(journal), stream(journal.id))]
    }

    /// A plan gets a monthly price, and a customer is charged by it.
    mutating func chargeFee() -> Step {
        let customer = customers.randomElement(using: &random)!
        let index = plans.firstIndex { $0.id == customer.servicePlanID }!
        plans[index].subscriberMonthMicros = 2_000_000
        let fee = FeeCharged.with {
            $0.id = id()
            $0.payerID = customer.id
            $0.payeeID = customer.providerID
            $0.planID = customer.servicePlanID
            $0.periodStart = (now + .seconds(-30 * 86_400)).microseconds
            $0.periodEnd = now.microseconds
            $0.amountMicros = 2_000_000
        }
        let journal = JournalPosted.with {
            $0.id = fee.id
            $0.kind = .fee
            $0.postings = [
                Posting(.customer(CustomerID(customer.id)!, currency), micros: -2_000_000),
                Posting(.providerRevenue(ProviderID(customer.providerID)!, currency), micros: 2_000_000),
            ]
        }
        return [
            (.servicePlanChanged(.with { $0.plan = plans[index] }), stream(plans[index].id)), (.feeCharged(fee), stream(fee.id)),
            (.journalPosted(journal), stream(fee.id)),
        ]
    }

    mutating func buyPackage() -> Step {
        let customer = customers.randomElement(using: &random)!
        let bought = PackageBought.with {
            $0.id = id()
            $0.customerID = customer.id
            $0.planID = customer.servicePlanID
            $0.package.isRenewing = Bool.random(using: &random)
            $0.startsAt = now.microseconds
            $0.endsAt = (now + .seconds(86_400)).microseconds
        }
        var kept = bought
        kept.id = id()
        kept.package.isRenewing = true
        var step: Step = [(.packageBought(bought), stream(bought.id)), (.packageBought(kept), stream(kept.id))]
        if Bool.random(using: &random) {
            let cancelled = PackageCancelled.with {
                $0.id = bought.id
                $0.customerID = customer.id
            }
            step.append((.packageCancelled(cancelled), stream(bought.id)))
        }
        return step
    }

    /// A charge is put right by half a minute's price, up or down.
    mutating func correctCharge() -> Step {
        guard let cdr = charged.randomElement(using: &random), let charge = cdr.charges.first else { return chargeCall() }
        corrections += 1
        let difference: Int64 = Bool.random(using: &random) ? 3_000 : -3_000
        let journal = JournalPosted.with {
            $0.id = id()
            $0.kind = .rerating
            $0.callID = cdr.callID
            $0.postings = [Posting(charge.payer, micros: -difference), Posting(charge.payee, micros: difference)]
        }
        let rerate = id()
        let corrected = ChargeCorrected.with {
            $0.number = corrections
            $0.cdrNumber = cdr.number
            $0.callID = cdr.callID
            $0.rerateID = rerate
            $0.journalID = journal.id
            $0.charge = charge
            $0.differenceMicros = difference
        }
        let stepped = RerateStepped.with {
            $0.rerateID = rerate
            $0.corrections = 1
        }
        return [
            (.journalPosted(journal), stream(cdr.callID)), (.chargeCorrected(corrected), stream(cdr.callID)),
            (.rerateStepped(stepped), stream(rerate)),
        ]
    }
}

import Foundation
import Model
import Primitives
import SwiftProtobuf

/// What the books of one provider and one customer see in a day: every table of theirs gets rows.
enum BooksDay {
    /// - Parameter above: the next number of the platform's series.
    static func step(
        provider: Data, customer: Customer, after sequence: UInt64, number: UInt64, through head: UInt64, above next: UInt64, random: inout RandomSource,
        at now: WallTime
    ) -> History.Step {
        func id() -> Data { Data(UUIDv7(at: now, random: &random).bytes) }
        func stream(_ id: Data) -> UUIDv7 { UUIDv7(bytes: id)! }
        let amount = Amount.with {
            $0.micros = Int64.random(in: 1...90, using: &random) * 1_000_000
            $0.currency = customer.currency
        }
        var step: History.Step = []
        let billing = Billing.with {
            $0.providerID = provider
            $0.invoiceDay = UInt32.random(in: 0...28, using: &random)
            $0.seller.name = "Seller"
        }
        step.append((.billingChanged(.with { $0.billing = billing }), stream(id())))
        let template = InvoiceTemplatePublished.with {
            $0.providerID = provider
            $0.hash = Data(random.bytes(32))
            $0.html = "<p>{{number}}</p>"
        }
        step.append((.invoiceTemplatePublished(template), stream(id())))
        for outcome in [AdjustmentOutcome.pending, .refused] {
            let request = AdjustmentRequested.with {
                $0.id = id()
                $0.customerID = customer.id
                $0.amount = amount
                $0.reason = "hardware"
                $0.expiresAt = now.microseconds + 1_000_000
            }
            step.append((.adjustmentRequested(request), stream(request.id)))
            guard outcome != .pending else { continue }
            let decided = AdjustmentDecided.with {
                $0.id = request.id
                $0.customerID = customer.id
                $0.outcome = outcome
            }
            step.append((.adjustmentDecided(decided), stream(request.id)))
        }
        let batch = VouchersMade.with {
            $0.batchID = id()
            $0.providerID = provider
            $0.amount = amount
            $0.codes = [Data(random.bytes(16)), Data(random.bytes(16))]
        }
        step.append((.vouchersMade(batch), stream(batch.batchID)))
        let redeemed = VoucherRedeemed.with {
            $0.batchID = batch.batchID
            $0.code = batch.codes[0]
            $0.customerID = customer.id
        }
        step.append((.voucherRedeemed(redeemed), stream(batch.batchID)))
        step.append((.voucherMissed(.with { $0.customerID = customer.id }), stream(id())))
        var watched = customer
        watched.lowBalanceAlertMicros = 1
        step.append((.customerChanged(.with { $0.customer = watched }), stream(customer.id)))
        for kind in [AlertKind.lowBalance, .spend] {
            let raised = AlertRaised.with {
                $0.id = id()
                $0.customerID = customer.id
                $0.providerID = provider
                $0.kind = kind
                $0.value = amount
            }
            step.append((.alertRaised(raised), stream(raised.id)))
            guard kind == .spend else { continue }
            step.append((.alertSent(.with { $0.id = raised.id }), stream(raised.id)))
            let cleared = AlertCleared.with {
                $0.id = raised.id
                $0.customerID = customer.id
                $0.kind = kind
            }
            step.append((.alertCleared(cleared), stream(raised.id)))
        }
        let invoice = InvoiceIssued.with {
            $0.id = id()
            $0.providerID = provider
            $0.customerID = customer.id
            $0.number = number
            $0.numberText = "\(number)"
            $0.afterSequence = sequence
            $0.throughSequence = head
            $0.totalMicros = amount.micros
            $0.buyer.name = "Berta"
        }
        step.append((.invoiceIssued(invoice), stream(invoice.id)))
        // What the platform bills the provider.
        let above = InvoiceIssued.with {
            $0.id = id()
            $0.buyerProviderID = provider
            $0.buyerContactID = customer.id
            $0.number = next
            $0.numberText = "P\(next)"
            $0.currency = customer.currency
            $0.throughSequence = head
            $0.totalMicros = amount.micros
            $0.buyer.name = "Rita"
        }
        step.append((.invoiceIssued(above), stream(above.id)))
        let printed = InvoicePrinted.with {
            $0.invoiceID = invoice.id
            $0.format = "pdf"
            $0.sha256 = Data(random.bytes(32))
        }
        step.append((.invoicePrinted(printed), stream(invoice.id)))
        return step
    }
}

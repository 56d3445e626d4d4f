import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Codes that stand for money: made by a provider, redeemed once by one of its customers.
enum VoucherDecider {
    static let countMax = 1_000
    /// Wrong codes of a customer in an hour; then none is taken until the hour is over.
    static let missesMax = 5
    static let missesMicroseconds: Int64 = 3_600_000_000

    static func make<State: ViewQueries & ~Copyable>(
        _ batch: VouchersMade, _ codes: [VoucherCode], key: [UInt8], in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var batch = batch
        let provider = try Ownership.provider(batch.providerID, in: state)
        try Checks.name(batch.name)
        guard (1...countMax).contains(codes.count) else { throw AdminRejection.invalid("count", "1 to \(countMax) in one batch") }
        guard batch.amount.micros > 0, batch.amount.micros <= JournalDecider.amountMicrosMax else {
            throw AdminRejection.invalid("amount", "must be positive, and at most \(Money.decimal(micros: JournalDecider.amountMicrosMax)) \(batch.amount.currency)")
        }
        guard batch.amount.currency == provider.currency else {
            throw AdminRejection.invalid("amount/currency", "the provider's currency is \(provider.currency)")
        }
        guard batch.expiresAt == 0 || batch.expiresAt > decision.wall.microseconds else {
            throw AdminRejection.invalid("expires_at", "must be a time to come")
        }
        let id = decision.newID()
        batch.batchID = Data(id.bytes)
        batch.codes = codes.map { $0.hash(key: key) }
        guard Set(batch.codes).count == codes.count else { throw AdminRejection.unavailable(reason: "a code came twice; try again") }
        decision.record(.vouchersMade(batch), in: id)
        return id
    }

    /// - Returns: the journal; if the code is none, the id of nothing: the try is recorded, and counts.
    static func redeem<State: ViewQueries & ~Copyable>(
        _ id: CustomerID, _ code: VoucherCode, key: [UInt8], in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard let customer = try state.customer(id) else { throw AdminRejection.notFound("customer", id.description) }
        let since = decision.wall.microseconds - missesMicroseconds
        let misses = try state.voucherMisses(of: id).filter { $0 > since }
        guard misses.count < missesMax else {
            throw AdminRejection.inUse(
                reason: "\(misses.count) wrong codes in an hour: this customer can redeem again when the hour is over")
        }
        let hash = code.hash(key: key)
        guard let voucher = try state.voucher(code: hash), let batchID = VoucherBatchID(voucher.batchID),
            let batch = try state.voucherBatch(batchID), batch.made.providerID == customer.providerID
        else {
            let miss = decision.newID()
            decision.record(.voucherMissed(.with { $0.customerID = id.data }), in: miss)
            return miss
        }
        guard voucher.customerID.isEmpty else {
            throw AdminRejection.inUse(
                reason: "the voucher was redeemed on \(WallTime(microseconds: voucher.redeemedAt).rfc3339.prefix(10))")
        }
        guard batch.made.expiresAt == 0 || batch.made.expiresAt > decision.wall.microseconds else {
            throw AdminRejection.inUse(
                reason: "the voucher expired on \(WallTime(microseconds: batch.made.expiresAt).rfc3339.prefix(10))")
        }
        guard batch.made.amount.currency == customer.currency else {
            throw AdminRejection.invalid("code", "the voucher is in \(batch.made.amount.currency), the customer's currency is \(customer.currency)")
        }
        let cash = AccountRef.of(.cash, owner: customer.providerID, currency: customer.currency)
        let journal = try JournalDecider.record(
            .voucher, from: cash, to: .customer(customer), batch.made.amount.micros, "voucher of \(batch.made.name)", in: state, &decision)
        decision.record(
            .voucherRedeemed(
                .with {
                    $0.batchID = voucher.batchID
                    $0.code = hash
                    $0.customerID = id.data
                    $0.journalID = Data(journal.bytes)
                }), in: batchID.value)
        return journal
    }
}

import ControlPlane
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections

/// Codes that stand for money. They are shown once, in the answer to the request that made them.
enum VoucherEndpoints {
    private struct Batch: Blank {
        var name = ""
        var count: UInt32 = 0
        var amount: Money?
        var expiresAt: Int64 = 0
    }
    private struct Redemption: Blank {
        var code = ""
    }

    private static let batchShape = Shape<Batch>(
        "NewVoucherBatch",
        [
            .text("name", \.name, isRequired: true, "Stands on the statement of whoever redeems one."),
            .integer("count", \.count, 1...1_000, "How many codes."),
            Field(
                "amount", \.amount, .readWrite, isRequired: true, schema: Schema.money, about: "Of each, in the provider's currency.",
                read: { batch, _ in batch.amount.map(\.json) ?? .null },
                write: { value, batch, _, pointer, faults in batch.amount = Money(value, pointer, &faults) }),
            .time("expires_at", \.expiresAt, "Null: never."),
        ])
    private static let redemptionShape = Shape<Redemption>(
        "Redemption", [.text("code", \.code, isRequired: true, max: 40, "As it is printed; case, hyphens and spaces do not count.")])

    static let operations = [
        Operation(
            method: .post, path: "/v1/providers/{provider_id}/voucher-batches", name: "makeVouchers", tag: "vouchers",
            summary: "Makes a batch of vouchers. The codes are shown in this answer and never again.", access: .needs(.postMoney),
            body: .init(schema: Schema.reference("NewVoucherBatch")),
            success: .init(status: .created, about: "The batch, with its codes.", schema: Schema.reference("MadeVouchers")),
            needsIdempotencyKey: true, handle: { try await make($0) }),
        Operation(
            method: .get, path: "/v1/voucher-batches", name: "listVoucherBatches", tag: "vouchers",
            summary: "Lists batches of vouchers. A page may be short, and is the last only if next is null.", access: .needs(.postMoney),
            query: [.after, .limit], success: .init(status: .ok, about: "A page.", schema: Schema.reference("VoucherBatchPage")),
            handle: { try list($0) }),
        Operation(
            method: .get, path: "/v1/voucher-batches/{voucher_batch_id}", name: "getVoucherBatch", tag: "vouchers",
            summary: "Reads a batch: how many there were, and how many are redeemed.", access: .needs(.postMoney),
            success: .init(status: .ok, about: "The batch.", schema: Schema.reference("VoucherBatch")),
            handle: { exchange in
                let id = VoucherBatchID(try exchange.id("voucher_batch_id"))
                return try exchange.read { views in
                    guard let batch = try views.voucherBatch(id), try isVisible(batch, exchange, in: views) else {
                        throw Problem(.notFound, "There is no batch of vouchers \(id).")
                    }
                    return .ok(json(batch))
                }
            }),
        Operation(
            method: .post, path: "/v1/customers/{customer_id}/vouchers", name: "redeemVoucher", tag: "vouchers",
            summary: "Redeems a voucher: its worth is booked. Five wrong codes in an hour, and the customer has to wait.",
            access: .needs(.redeemVouchers), body: .init(schema: Schema.reference("Redemption")),
            success: .init(status: .created, about: "It is booked.", schema: Schema.reference("Booking")),
            needsIdempotencyKey: true, handle: { try await redeem($0) }),
    ]

    private static let fields: [(String, JSON)] = [
        ("id", Schema.uuid), ("provider_id", Schema.uuid), ("name", Schema.text(max: 128)), ("amount", Schema.money),
        ("made_at", Schema.time), ("expires_at", Schema.orNull(Schema.time)), ("count", Schema.sequence), ("redeemed", Schema.sequence),
    ]

    static let schemas: [(String, JSON)] = [
        ("NewVoucherBatch", batchShape.newSchema), ("Redemption", redemptionShape.newSchema),
        ("VoucherBatch", Schema.object(fields, required: fields.map(\.0))),
        ("VoucherBatchPage", Schema.page(of: Schema.reference("VoucherBatch"))),
        (
            "MadeVouchers",
            Schema.object(
                [("batch", Schema.reference("VoucherBatch")), ("codes", Schema.orNull(Schema.list(Schema.text(max: 40))))],
                required: ["batch", "codes"])
        ),
    ]

    private static func make(_ exchange: Exchange) async throws -> Reply {
        let draft = try exchange.decode { body, faults in batchShape.new(body, FieldContext(), &faults) }
        let provider = try exchange.read { views in try BillingEndpoints.provider(exchange, in: views) }
        guard let amount = draft.amount?.amount else { throw Problem.invalid("amount", "is required") }
        var random = RandomSource.system
        let codes = (0..<max(1, draft.count)).map { _ in VoucherCode(random: &random) }
        var batch = VouchersMade()
        batch.providerID = provider.id
        batch.name = draft.name
        batch.amount = amount
        batch.expiresAt = draft.expiresAt
        let outcome = try await exchange.submit(.makeVouchers(batch, codes))
        let made = try exchange.read { views in try views.voucherBatch(VoucherBatchID(outcome.id)) }
        guard let made else { throw Problem(.unavailable, "The batch \(outcome.id) is recorded, and cannot be shown yet; repeat the request with its key.") }
        // A repetition has drawn other codes than those that are recorded.
        let shown: JSON = outcome.repeated ? .null : .array(codes.map { .string($0.text) })
        return Reply(.created, .json(["batch": json(made), "codes": shown]), location: "/v1/voucher-batches/\(outcome.id)").replayed(outcome.repeated)
    }

    private static func list(_ exchange: Exchange) throws -> Reply {
        let path = try exchange.query.path()
        guard path.count <= 1 else { throw Query.notACursor }
        return try exchange.read { views in
            let limit = exchange.query.limit
            let batches = try views.voucherBatches(after: path.first.map(VoucherBatchID.init), limit: limit)
            var items: [JSON] = []
            for batch in batches where try isVisible(batch, exchange, in: views) { items.append(json(batch)) }
            let next = batches.count < limit ? nil : batches.last.flatMap { UUIDv7(bytes: $0.made.batchID) }.map { Cursor.text([$0]) }
            return .page(items, next: next)
        }
    }

    private static func redeem(_ exchange: Exchange) async throws -> Reply {
        let code = try exchange.decode { body, faults in redemptionShape.new(body, FieldContext(), &faults) }.code
        let customer = try exchange.read { views in
            try Customers.visible(try exchange.id("customer_id"), to: exchange.reach, in: views)
        }
        guard let id = CustomerID(customer.id) else { throw Problem(.notFound, "There is no such customer.") }
        let outcome = try await exchange.submit(.redeemVoucher(id, VoucherCode(typed: code)))
        let isBooked = try exchange.read { views in try views.journalSequence(JournalID(outcome.id)) != nil }
        guard isBooked else { throw Problem.invalid("code", "is no voucher of this customer's provider; a few wrong codes, and none is taken for an hour") }
        return try CustomerMoneyEndpoints.booked(outcome, exchange)
    }

    private static func isVisible(_ batch: VoucherBatch, _ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> Bool {
        try exchange.reach.holds(try views.place(provider: batch.made.providerID))
    }

    private static func json(_ batch: VoucherBatch) -> JSON {
        [
            "id": .id(batch.made.batchID), "provider_id": .id(batch.made.providerID), "name": .string(batch.made.name),
            "amount": FieldContext(currency: Currency(batch.made.amount.currency)).amount(micros: batch.made.amount.micros),
            "made_at": .time(microseconds: batch.madeAt), "expires_at": .time(microseconds: batch.made.expiresAt),
            "count": .integer(batch.count), "redeemed": .integer(batch.redeemed),
        ]
    }
}

import Model
import Primitives
import Projections

extension ChargeCorrected: Blank {}

/// A call's record with what its charges were put right by, as a token may see them.
struct CdrRecord {
    let seen: Cdr
    let corrections: [ChargeCorrected]
    /// What providers that the token reaches keep of the call.
    let margins: [CallMargin]

    /// nil: neither side of the call is the token's.
    init?(_ cdr: Cdr, _ redaction: Redaction, in views: borrowing ViewSnapshot) throws(ViewsError) {
        guard let seen = try redaction.seen(cdr, in: views) else { return nil }
        self.seen = seen
        var corrections: [ChargeCorrected] = []
        for correction in try views.corrections(ofRecord: cdr.number) {
            let charge = correction.charge
            let isPayer = try redaction.sees(charge.payer, in: views)
            let isPayee = try redaction.sees(charge.payee, in: views)
            if isPayer || isPayee { corrections.append(correction) }
        }
        self.corrections = corrections
        margins = try CallMargin.all(of: cdr, redaction, in: views)
    }

    var json: JSON {
        let members = Shape<Cdr>.cdr.json(seen).members ?? []
        return .object(
            members + [
                JSON.Member("corrections", .array(corrections.map { Shape<ChargeCorrected>.chargeCorrection.json($0) })),
                JSON.Member("margins", .array(margins.map(\.json))),
            ])
    }

    static let schema: JSON = {
        let fields = Shape<Cdr>.cdr.fields
        let corrections = Schema.described(
            Schema.list(Schema.reference("ChargeCorrection")),
            "What charges were put right by later, the oldest first: what counts is the sum.",
            access: Field<Cdr>.Access.readOnly)
        let margins = Schema.described(
            Schema.list(Schema.reference("CallMargin")), "What each provider that the token reaches earns, pays and keeps; corrections are counted.",
            access: Field<Cdr>.Access.readOnly)
        return Schema.object(
            fields.map { ($0.name, $0.schema) } + [("corrections", corrections), ("margins", margins)],
            required: fields.map(\.name) + ["corrections", "margins"])
    }()
}

extension Shape<ChargeCorrected> {
    static let chargeCorrection = Shape(
        "ChargeCorrection",
        [
            .shown("number", Schema.sequence, "Gap-free on the platform: 1, 2, 3 …") { .integer($0.number) },
            .shown("edge", Schema.text(max: 128), "Of the charge that it corrects.") { .string($0.charge.edge) },
            .shown("ordinal", Schema.sequence, "Among the corrections of the charge.") { .integer($0.ordinal) },
            .time("corrected_at", \.correctedAt, access: .readOnly, "When it was posted."),
            .text("reason", \.reason, access: .readOnly, "For people."),
            .shown("before", Schema.money, "What the charge and its corrections so far came to.") { event, _ in
                FieldContext(currency: Currency(event.charge.currency)).amount(micros: event.beforeMicros)
            },
            .shown("difference", Schema.money, "What was posted: negative gives money back.") { event, _ in
                FieldContext(currency: Currency(event.charge.currency)).amount(micros: event.differenceMicros)
            },
            .shown("charge", Schema.reference("Charge"), "What it should have been, by which price.") { event, _ in
                Shape<Charge>.charge.json(event.charge)
            },
            .reference("journal_id", \.journalID, access: .readOnly, "Its postings sum to zero."),
            .reference("rerate_id", \.rerateID, access: .readOnly, "The re-rating that it is part of."),
        ])
}

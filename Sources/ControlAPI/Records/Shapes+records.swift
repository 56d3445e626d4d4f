import Foundation
import Model
import Primitives

extension CallParty: Blank {}
extension CallAttempt: Blank {}
extension LegMedia: Blank {}
extension Charge: Blank {}
extension Cdr: Blank {}
extension LiveCall: Blank {}
extension AccountState: Blank {}
extension AccountPosting: Blank {}

// What calls and money leave behind. Nothing of it can be set.

extension Shape<CallParty> {
    static let callParty = Shape(
        "CallParty",
        [
            .text("number", \.number, access: .readOnly, "E.164 number or extension."),
            .reference("subscriber_id", \.subscriberID, access: .readOnly, "Null for an outside party."),
            .reference("tenant_id", \.tenantID, access: .readOnly, "Null for an outside party."),
            .reference("customer_id", \.customerID, access: .readOnly, "Null for an outside party."),
            .reference("provider_id", \.providerID, access: .readOnly, "Whose subscriber or carrier it is."),
            .reference("carrier_id", \.carrierID, access: .readOnly, "For an outside party."),
            .reference("gateway_id", \.gatewayID, access: .readOnly, "For an outside party."),
        ])
}

extension Shape<CallAttempt> {
    static let callAttempt = Shape(
        "CallAttempt",
        [
            .text("target", \.target, access: .readOnly, "URI that was tried."),
            .reference("gateway_id", \.gatewayID, access: .readOnly, "Towards a carrier."),
            .reference("subscriber_id", \.subscriberID, access: .readOnly, "Towards a subscriber."),
            .time("started_at", \.startedAt, access: .readOnly, "When it was tried."),
            .time("ringing_at", \.ringingAt, access: .readOnly, "Null: it never rang."),
            .time("ended_at", \.endedAt, access: .readOnly, "When its final answer came."),
            .shown("sip_status", Schema.sequence, "Final status; 408 for our own time-out.") { .integer($0.sipStatus) },
            .text("reason", \.reason, access: .readOnly, "Reason phrase."),
            .shown("post_dial_delay_ms", Schema.orNull(Schema.sequence), "From trying it to its ringing; null: it never rang.") { attempt, _ in
                guard attempt.ringingAt > 0, attempt.ringingAt >= attempt.startedAt else { return .null }
                return .integer((attempt.ringingAt - attempt.startedAt) / 1_000)
            },
        ])
}

extension Shape<LegMedia> {
    static let legMedia = Shape(
        "LegMedia",
        [
            .shown("packets_in", Schema.sequence, "Heard from this side.") { .integer($0.packetsIn) },
            .shown("bytes_in", Schema.sequence, "Heard from this side.") { .integer($0.bytesIn) },
            .shown("packets_by_xdp", Schema.sequence, "Of packets_in, those that passed in the kernel (docs/media.md).") { .integer($0.packetsByXdp) },
            .shown("packets_out", Schema.sequence, "Sent to this side.") { .integer($0.packetsOut) },
            .shown("bytes_out", Schema.sequence, "Sent to this side.") { .integer($0.bytesOut) },
            .shown("dropped", Schema.sequence, "Strangers', forged, malformed and replayed packets.") {
                .integer($0.dropped)
            },
            .time("last_packet_at", \.lastPacketAt, access: .readOnly, "When this side was heard last."),
            .shown("protection", Schema.text(max: 64), "How its packets were protected: empty, or sdes or dtls with the suite.") {
                .string($0.protection)
            },
            .shown("drops", Schema.list(dropCount), "What was dropped, by reason: docs/media.md.") {
                .array($0.drops.map { ["reason": .string($0.reason), "packets": .integer($0.packets)] })
            },
            .text("codec", \.codec, access: .readOnly, "That this side was heard in last."),
            .shown("silence_ms", Schema.sequence, "Pauses in which it sent nothing, or comfort noise.") { .integer($0.silenceMs) },
            .shown("lost", Schema.sequence, "Of its packets, those that did not come.") { .integer($0.lost) },
            .shown("jitter_us", Schema.sequence, "The worst that its packets had, microseconds.") { .integer($0.jitterUs) },
            .shown("round_trip_us", Schema.orNull(Schema.sequence), "To it and back, microseconds; null: not known.") { media, _ in
                media.roundTripUs == 0 ? .null : .integer(media.roundTripUs)
            },
            .shown("lost_there", Schema.sequence, "Of the packets that it was sent, those that did not come there, by its reports.") {
                .integer($0.lostThere)
            },
            .shown("jitter_there_us", Schema.sequence, "Jitter there, microseconds.") { .integer($0.jitterThereUs) },
            .shown("mos", Schema.orNull(Schema.decimal), "Estimated quality of what was heard from it, 1 to 4.5; null: too little was heard.") { media, _ in
                LegMedia.mos(media.mosCenti)
            },
            .shown("mos_there", Schema.orNull(Schema.decimal), "The same of what it heard; null: it did not report.") { media, _ in
                LegMedia.mos(media.mosThereCenti)
            },
        ])
}

private let dropCount = Schema.object([("reason", Schema.text(max: 32)), ("packets", Schema.sequence)], required: ["reason", "packets"])

/// What a charge took of an allowance.
private let freeUnits = Schema.object(
    [
        ("source_id", Schema.uuid), ("number", Schema.sequence), ("name", Schema.text(max: 128)), ("period_from", Schema.time),
        ("seconds", Schema.sequence), ("amount", Schema.decimal),
    ], required: ["source_id", "number", "name", "period_from", "seconds", "amount"])

extension AllowanceUse {
    fileprivate var json: JSON {
        [
            "source_id": .id(sourceID), "number": .integer(number), "name": .string(name), "period_from": .time(microseconds: periodStart),
            "seconds": .integer(seconds), "amount": .string(Decimal.text(micros: micros)),
        ]
    }
}

extension Shape<Charge> {
    static let charge = Shape(
        "Charge",
        [
            .text("edge", \.edge, access: .readOnly, "retail, wholesale or carrier."),
            .shown("amount", Schema.money, "After rounding.") { charge, _ in
                FieldContext(currency: Currency(charge.currency)).amount(micros: charge.amountMicros)
            },
            .shown("billed_seconds", Schema.sequence, "After increments.") { .integer($0.billedSeconds) },
            .shown("time_limit_seconds", Schema.sequence, "Talk time that money was set aside for, beyond which nothing is charged; 0: no limit.") {
                .integer($0.timeLimitSeconds)
            },
            .shown("decimals", Schema.sequence, "That the amount was rounded to.") { .integer($0.decimals) },
            .reference("deck_id", \.deckID, access: .readOnly, "By which it was charged."),
            .shown("deck_version", Schema.sequence, "In force when the call started.") { .integer($0.deckVersion) },
            .shown("entry", Schema.reference("RateEntry"), "The row of the deck.") { charge, _ in
                Shape<RateEntry>.rateEntry.json(charge.entry)
            },
            .shown("payer", Schema.text(max: 128), "Account that is debited.") { charge, _ in .string(charge.payer.text)
            },
            .shown("payee", Schema.text(max: 128), "Account that is credited.") { charge, _ in
                .string(charge.payee.text)
            },
            .shown("free_units", Schema.list(freeUnits), "That it took; the amount is what is due beside them.") { charge, _ in
                .array(charge.allowances.map { $0.json })
            },
        ])
}

extension Shape<Cdr> {
    static let cdr = Shape(
        "Cdr",
        [
            .shown("number", Schema.sequence, "Gap-free: 1, 2, 3 …") { .integer($0.number) },
            .reference("call_id", \.callID, access: .readOnly, "Of the call."),
            .choice("direction", \.direction, access: .readOnly, "As seen by the platform."),
            .shown("caller", Schema.reference("CallParty"), "Who called.") { cdr, _ in
                Shape<CallParty>.callParty.json(cdr.caller)
            },
            .flag("is_anonymous", \.isAnonymous, access: .readOnly, "The caller, or whoever called first, does not show a number: the called side's customer is shown \(CallParty.withheldNumber) as the caller's."),
            .shown("called", Schema.reference("CallParty"), "Who was called.") { cdr, _ in
                Shape<CallParty>.callParty.json(cdr.called)
            },
            .text("dialled", \.dialled, access: .readOnly, "As sent by the caller."),
            .text("called_e164", \.calledE164, access: .readOnly, "After the dial plan; empty on-net."),
            .time("started_at", \.startedAt, access: .readOnly, "When the call came in."),
            .time("answered_at", \.answeredAt, access: .readOnly, "Null: it was not answered."),
            .time("ended_at", \.endedAt, access: .readOnly, "When it was over."),
            .shown("duration_ms", Schema.sequence, "From the answer to the end.") { .integer($0.durationMs) },
            .choice("cause", \.cause, access: .readOnly, "Why it ended."),
            .shown("sip_status", Schema.sequence, "Final status sent to the caller.") { .integer($0.sipStatus) },
            .choice("refusal", \.refusal, access: .readOnly, "Why it was refused, if it was."),
            .text("refusal_detail", \.refusalDetail, access: .readOnly, max: 512, "Which rule refused it, for an operator."),
            .reference("security_group_id", \.securityGroupID, access: .readOnly, "That it was judged by; null: by none."),
            .reference("forwarded_from", \.forwardedFrom, access: .readOnly, "The call that was forwarded, and that this one went on from; its called line pays for this one."),
            .choice("forward_kind", \.forwardKind, access: .readOnly, "Why it was forwarded."),
            .reference("picked_up", \.pickedUp, access: .readOnly, "The ringing call that this one took."),
            .choice("media_path", \.mediaPath, access: .readOnly, "direct: the phones sent their media to each other, and media has no figures."),
            .shown("attempts", Schema.list(Schema.reference("CallAttempt")), "Every target that was tried.") { cdr, _ in
                .array(cdr.attempts.map { Shape<CallAttempt>.callAttempt.json($0) })
            },
            .reference("answered_gateway_id", \.answeredGatewayID, access: .readOnly, "Outbound: who answered."),
            .reference(
                "answered_subscriber_id", \.answeredSubscriberID, access: .readOnly, "On-net and inbound: who answered."
            ),
            .shown("charges", Schema.list(Schema.reference("Charge")), "Those that the token may see.") { cdr, _ in
                .array(cdr.charges.map { Shape<Charge>.charge.json($0) })
            },
            .reference("journal_id", \.journalID, access: .readOnly, "Null: nothing was charged."),
            .shown("media", Schema.reference("MediaReport"), "Packets on both sides.") { cdr, _ in cdr.media.json },
            .text("sip_call_id", \.sipCallID, access: .readOnly, "Call-ID of the caller's INVITE."),
            .text("worker", \.worker, access: .readOnly, "That carried it last."),
            .shown("log_position", Schema.sequence, "Sequence of the log that the call was decided at.") {
                .integer($0.logPosition)
            },
        ])
}

extension LegMedia {
    /// Hundredths as a decimal; 0: not known.
    fileprivate static func mos(_ centi: UInt32) -> JSON { centi == 0 ? .null : .string(Decimal.text(micros: Int64(centi) * 10_000)) }
}

extension MediaReport {
    var json: JSON {
        [
            "media_worker": .string(mediaWorker), "caller": Shape<LegMedia>.legMedia.json(a),
            "called": Shape<LegMedia>.legMedia.json(b), "converted": .bool(converted),
        ]
    }

    static let schema = Schema.object(
        [
            ("media_worker", Schema.text(max: 16)), ("caller", Schema.reference("LegMedia")),
            ("called", Schema.reference("LegMedia")), ("converted", Schema.flag),
        ], required: ["media_worker", "caller", "called", "converted"])
}

extension Shape<LiveCall> {
    static let liveCall = Shape(
        "Call",
        [
            .reference("id", \.started.callID, access: .readOnly, "Of the call."),
            .choice("direction", \.started.direction, access: .readOnly, "As seen by the platform."),
            .shown("caller", Schema.reference("CallParty"), "Who calls.") { call, _ in
                Shape<CallParty>.callParty.json(call.started.caller)
            },
            .flag("is_anonymous", \.started.isAnonymous, access: .readOnly, "As in the record that the call becomes."),
            .shown("called", Schema.reference("CallParty"), "Who is called.") { call, _ in
                Shape<CallParty>.callParty.json(call.started.called)
            },
            .text("dialled", \.started.dialled, access: .readOnly, "As sent by the caller."),
            .text("called_e164", \.started.calledE164, access: .readOnly, "After the dial plan; empty on-net."),
            .text(
                "dial_rule", \.started.dialRule, access: .readOnly, "The rule of the dial plan that made the number."),
            .time("started_at", \.started.startedAt, access: .readOnly, "When the call came in."),
            .time("answered_at", \.answeredAt, access: .readOnly, "Null: not answered yet."),
            .text("worker", \.worker, access: .readOnly, "Signal worker that carries it."),
            .shown("media_worker", Schema.text(max: 16), "That relays its packets; empty before the answer.") {
                call, _ in
                .string(call.snapshot.mediaWorker)
            },
            .shown("granted_seconds", Schema.sequence, "Prepaid: talk time that is paid for; 0: no limit.") {
                .integer($0.hold.grantedSeconds)
            },
        ])
}

extension Shape<AccountState> {
    static let account = Shape(
        "Account",
        [
            .shown("id", Schema.text(max: 128), "Kind, owner and currency.") { state, _ in .string(state.account.text)
            },
            .choice("kind", \.account.kind, access: .readOnly, "What it is for."),
            .reference("owner_id", \.account.ownerID, access: .readOnly, "Whose it is; null: the platform's."),
            .shown("balance", Schema.money, "Positive: what the owner has.") { state, _ in
                FieldContext(currency: Currency(state.account.currency)).amount(micros: state.balanceMicros)
            },
            .shown("held", Schema.money, "Set aside for calls that run; part of the balance.") { state, _ in
                FieldContext(currency: Currency(state.account.currency)).amount(micros: state.heldMicros)
            },
            .shown("postings", Schema.sequence, "How many there were.") { .integer($0.postings) },
        ])
}

extension Shape<AccountPosting> {
    static let posting = Shape(
        "Posting",
        [
            .shown("sequence", Schema.sequence, "Of its journal in the log.") { .integer($0.sequence) },
            .time("posted_at", \.postedAt, access: .readOnly, "When it was recorded."),
            .shown("amount", Schema.money, "Positive increases what the account has.") {
                $1.amount(micros: $0.amountMicros)
            },
            .shown("balance", Schema.money, "After it.") { $1.amount(micros: $0.balanceMicros) },
            .choice("kind", \.kind, access: .readOnly, "What moved the money."),
            .reference("journal_id", \.journalID, access: .readOnly, "Its postings sum to zero."),
            .reference("call_id", \.callID, access: .readOnly, "For a call."),
            .text("reason", \.reason, access: .readOnly, "For people."),
        ])
}

extension Field {
    /// A member that needs no context to be shown.
    static func shown(
        _ name: String, _ schema: JSON, _ about: String, read: @escaping @Sendable (Entity) -> JSON
    ) -> Field {
        shown(name, schema, about, read: { entity, _ in read(entity) })
    }
}

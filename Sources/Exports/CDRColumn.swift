internal import Foundation
internal import Model

/// A column of our own layout: CSV has it by place, JSON Lines by name. The description is what `docs/cdr-schema.md` is made of.
struct CDRColumn: Sendable {
    enum Kind: String, Sendable {
        case text, word, integer, decimal, time, id, json
    }

    let name: String
    let kind: Kind
    let about: String
    let cell: @Sendable (CDRRow) -> CDRCell

    private init(_ name: String, _ kind: Kind, _ about: String, _ cell: @escaping @Sendable (CDRRow) -> CDRCell) {
        self.name = name
        self.kind = kind
        self.about = about
        self.cell = cell
    }

    private static func text(_ name: String, _ about: String, _ value: @escaping @Sendable (CDRRow) -> String) -> CDRColumn {
        CDRColumn(name, .text, about) { .text(value($0)) }
    }
    private static func word(_ name: String, _ about: String, _ value: @escaping @Sendable (CDRRow) -> String) -> CDRColumn {
        CDRColumn(name, .word, about) { .word(value($0)) }
    }
    private static func integer(_ name: String, _ about: String, _ value: @escaping @Sendable (CDRRow) -> UInt64?) -> CDRColumn {
        CDRColumn(name, .integer, about) { value($0).map { .integer($0) } ?? .empty }
    }
    private static func decimal(_ name: String, _ about: String, _ value: @escaping @Sendable (CDRRow) -> Int64?) -> CDRColumn {
        CDRColumn(name, .decimal, about) { value($0).map { .decimal($0) } ?? .empty }
    }
    private static func time(_ name: String, _ about: String, _ value: @escaping @Sendable (CDRRow) -> Int64) -> CDRColumn {
        CDRColumn(name, .time, about) { .time(value($0)) }
    }
    private static func id(_ name: String, _ about: String, _ value: @escaping @Sendable (CDRRow) -> Data) -> CDRColumn {
        CDRColumn(name, .id, about) { .id(value($0)) }
    }

    /// Raised when a column is added, at the end; none is ever taken away or moved.
    static let version = 4

    static let all: [CDRColumn] =
        [
            integer("record", "1, 2, 3 … of the export, without gaps over all of its files.") { $0.number },
            word("kind", "call, or correction: what was charged for a call was put right later.") { $0.correction == nil ? "call" : "correction" },
            integer("cdr", "Number of the call's record on the platform; of a correction: the record that it corrects.") { $0.cdr.number },
            integer("correction", "Number of the correction on the platform; empty for a call.") { $0.correction?.number },
            time("corrected_at", "When the correction was booked; empty for a call.") { $0.correction?.at ?? 0 },
            text("correction_reason", "Why; empty for a call.") { $0.correction?.reason ?? "" },
            id("call_id", "The call.") { $0.cdr.callID },
            text("sip_call_id", "Call-ID of the caller's INVITE.") { $0.cdr.sipCallID },
            word("direction", "on_net, outbound (to a carrier) or inbound (from a carrier).") { $0.cdr.direction.literal },
        ] + party("caller") { $0.cdr.caller } + party("called") { $0.cdr.called } + [
            text("dialled", "What the caller sent.") { $0.cdr.dialled },
            text("called_e164", "The number after the dial plan, with +; empty on-net.") { $0.cdr.calledE164 },
            time("started_at", "The INVITE came.") { $0.cdr.startedAt },
            time("answered_at", "Empty: not answered.") { $0.cdr.answeredAt },
            time("ended_at", "The end.") { $0.cdr.endedAt },
            integer("duration_ms", "From answer to end, milliseconds; of a correction 0: the call is counted once.") {
                $0.correction == nil ? $0.cdr.durationMs : 0
            },
            word("cause", "Why it ended.") { $0.cdr.cause.literal },
            integer("sip_status", "Final status that the caller was sent.") { UInt64($0.cdr.sipStatus) },
            word("refusal", "Why we refused it, or none.") { $0.cdr.refusal.literal },
            id("answered_gateway_id", "The gateway that answered.") { $0.cdr.answeredGatewayID },
            id("answered_subscriber_id", "The subscriber who answered.") { $0.cdr.answeredSubscriberID },
            text("worker", "Signal worker that carried it last.") { $0.cdr.worker },
            text("media_worker", "Media worker that relayed it.") { $0.cdr.media.mediaWorker },
            integer("log_position", "Sequence of the log at which the route was decided.") { $0.cdr.logPosition },
            id("journal_id", "The journal of its charges; empty: nothing was charged.") { $0.correction?.journalID ?? $0.cdr.journalID },
        ] + edge("retail", "the customer pays") + edge("wholesale", "a provider pays its parent") + edge("carrier", "the carrier is paid")
        + media("a", "the caller's side") { $0.cdr.media.a } + media("b", "the called side") { $0.cdr.media.b } + [
            CDRColumn("attempts", .json, "Every target that was tried, in order.") { .json($0.attempts) },
            CDRColumn("charges", .json, "Every charge with the price that made it. Of a correction: the differences.") { .json($0.chargesJSON) },
            integer("free_seconds", "Of the billed seconds those that free units of the customer paid for. Of a correction empty.") { $0.freeSeconds },
            decimal("free_amount", "Free money that paid beside the retail amount. Of a correction empty.") { $0.freeMicros },
            id("forwarded_from", "The call that was forwarded, and that this one went on from; empty: none.") { $0.cdr.forwardedFrom },
            word("forward_kind", "Why it was forwarded: always, busy, no_answer, not_registered, outside_hours or none.") { $0.cdr.forwardKind.literal },
            id("picked_up", "The ringing call that this one took; empty: none.") { $0.cdr.pickedUp },
            word("media_path", "anchored: by way of a media worker; direct: from phone to phone, so there are no figures of it.") { $0.cdr.mediaPath.literal },
        ] + quality("a", "the caller's side") { $0.cdr.media.a } + quality("b", "the called side") { $0.cdr.media.b } + [
            word("converted", "yes: the sides shared no codec, and one was converted to the other.") { $0.cdr.media.converted ? "yes" : "no" },
        ]

    private static func party(_ side: String, _ party: @escaping @Sendable (CDRRow) -> CallParty) -> [CDRColumn] {
        [
            text("\(side)_number", "E.164 or extension, as billed.") { party($0).number },
            id("\(side)_subscriber_id", "Empty for an outside party, and for one that the export's reader may not see.") { party($0).subscriberID },
            id("\(side)_tenant_id", "Its tenant.") { party($0).tenantID },
            id("\(side)_customer_id", "Its customer.") { party($0).customerID },
            id("\(side)_provider_id", "Its provider.") { party($0).providerID },
            id("\(side)_carrier_id", "Carrier of an outside party.") { party($0).carrierID },
            id("\(side)_gateway_id", "Gateway of an outside party.") { party($0).gatewayID },
        ]
    }

    private static func edge(_ edge: String, _ what: String) -> [CDRColumn] {
        [
            decimal("\(edge)_amount", "Charged where \(what); the sum if there are several such charges in the same currency. Of a correction: the difference.") { $0.amount(edge) },
            word("\(edge)_currency", "ISO 4217 code.") { $0.charge(edge)?.currency ?? "" },
            integer("\(edge)_billed_seconds", "After increments.") { $0.charge(edge).map { UInt64($0.billedSeconds) } },
            id("\(edge)_deck_id", "Rate deck of the (first) charge.") { $0.charge(edge)?.deckID ?? Data() },
            integer("\(edge)_deck_version", "Its version.") { $0.charge(edge).map { UInt64($0.deckVersion) } },
            text("\(edge)_prefix", "The row of the deck.") { $0.charge(edge)?.entry.prefix ?? "" },
            text("\(edge)_destination", "The row's name.") { $0.charge(edge)?.entry.destination ?? "" },
        ]
    }

    /// How well it was heard (docs/media.md).
    private static func quality(_ leg: String, _ what: String, _ media: @escaping @Sendable (CDRRow) -> LegMedia) -> [CDRColumn] {
        @Sendable func known(_ value: UInt32) -> UInt64? { value == 0 ? nil : UInt64(value) }
        return [
            text("\(leg)_codec", "That \(what) was heard in last.") { media($0).codec },
            integer("\(leg)_lost", "Packets of \(what) that did not come, by the gaps in their numbers.") { media($0).lost },
            integer("\(leg)_jitter_us", "Worst jitter of its packets, microseconds (RFC 3550).") { UInt64(media($0).jitterUs) },
            integer("\(leg)_round_trip_us", "To \(what) and back, microseconds; empty: not known.") { known(media($0).roundTripUs) },
            integer("\(leg)_lost_there", "Packets sent to \(what) that did not come there, by its reports.") { media($0).lostThere },
            integer("\(leg)_jitter_there_us", "Jitter there, microseconds.") { UInt64(media($0).jitterThereUs) },
            decimal("\(leg)_mos", "Estimated quality of what was heard from \(what), 1 to 4.5; empty: too little was heard.") { known(media($0).mosCenti).map { Int64($0) * 10_000 } },
            decimal("\(leg)_mos_there", "The same of what \(what) heard; empty: it did not report.") { known(media($0).mosThereCenti).map { Int64($0) * 10_000 } },
        ]
    }

    private static func media(_ leg: String, _ what: String, _ media: @escaping @Sendable (CDRRow) -> LegMedia) -> [CDRColumn] {
        [
            integer("\(leg)_packets_in", "RTP packets heard from \(what).") { media($0).packetsIn },
            integer("\(leg)_bytes_in", "Their bytes.") { media($0).bytesIn },
            integer("\(leg)_packets_out", "Sent to \(what).") { media($0).packetsOut },
            integer("\(leg)_bytes_out", "Their bytes.") { media($0).bytesOut },
            integer("\(leg)_dropped", "From strangers, malformed, replayed, or with a bad signature.") { media($0).dropped },
            time("\(leg)_last_packet_at", "When the last was heard.") { media($0).lastPacketAt },
        ]
    }
}

/// A record with its number in the export.
struct CDRRow {
    let number: UInt64
    let cdr: Cdr
    let correction: Correction?
    let charges: [Charge]

    init(_ record: ExportRecord, number: UInt64) {
        self.number = number
        switch record {
        case .call(let cdr): (self.cdr, correction, charges) = (cdr, nil, cdr.charges)
        case .correction(let correction, let cdr): (self.cdr, self.correction, charges) = (cdr, correction, correction.charges)
        }
    }

    func charge(_ edge: String) -> Charge? { charges.first { $0.edge == edge } }

    /// nil: there is no such charge.
    func amount(_ edge: String) -> Int64? {
        var sum: Int64?
        let currency = charge(edge)?.currency
        for charge in charges where charge.edge == edge && charge.currency == currency { sum = (sum ?? 0) &+ charge.amountMicros }
        return sum
    }

    private var freeUnits: [AllowanceUse]? {
        let uses = correction == nil ? charges.flatMap(\.allowances) : []
        return uses.isEmpty ? nil : uses
    }
    var freeSeconds: UInt64? { freeUnits.map { $0.reduce(0) { $0 + UInt64($1.seconds) } } }
    var freeMicros: Int64? { freeUnits.map { $0.reduce(0) { $0 &+ $1.micros } } }

    var attempts: String {
        let list = cdr.attempts.map { attempt in
            object([
                ("target", .text(attempt.target)), ("gateway_id", .id(attempt.gatewayID)),
                ("subscriber_id", .id(attempt.subscriberID)), ("started_at", .time(attempt.startedAt)),
                ("ringing_at", .time(attempt.ringingAt)), ("ended_at", .time(attempt.endedAt)),
                ("sip_status", .integer(UInt64(attempt.sipStatus))), ("reason", .text(attempt.reason)),
            ])
        }
        return "[" + list.joined(separator: ",") + "]"
    }

    var chargesJSON: String {
        let list = charges.map { charge in
            object([
                ("edge", .text(charge.edge)), ("amount", .decimal(charge.amountMicros)), ("currency", .word(charge.currency)),
                ("decimals", .integer(UInt64(charge.decimals))), ("billed_seconds", .integer(UInt64(charge.billedSeconds))),
                ("deck_id", .id(charge.deckID)), ("deck_version", .integer(UInt64(charge.deckVersion))),
                ("prefix", .text(charge.entry.prefix)), ("destination", .text(charge.entry.destination)),
                ("connection_fee", .decimal(charge.entry.connectionFeeMicros)),
                ("per_minute", .decimal(charge.entry.perMinuteMicros)),
                ("first_increment_seconds", .integer(UInt64(charge.entry.firstIncrementSeconds))),
                ("next_increment_seconds", .integer(UInt64(charge.entry.nextIncrementSeconds))),
                ("payer", .word(charge.payer.text)), ("payee", .word(charge.payee.text)),
            ])
        }
        return "[" + list.joined(separator: ",") + "]"
    }

    private func object(_ members: [(String, CDRCell)]) -> String {
        "{" + members.map { "\"\($0.0)\":\($0.1.json)" }.joined(separator: ",") + "}"
    }
}

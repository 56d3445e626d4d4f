import Model

extension InboundRule: Blank {}
extension OutboundRule: Blank {}

extension Shape<InboundRule> {
    static let inboundRule = Shape(
        "InboundRule",
        [
            .choice("field", \.field, isRequired: true, "What the pattern is held against: the caller's number or name, the number called as E.164 or as it was received."),
            .text("pattern", \.pattern, isRequired: true, max: 256, "RE2 expression; anywhere in the text, so anchor it with ^ and $."),
            .integer("reject_code", \.rejectCode, 400...699, "Final response of SIP."),
            .text("reason", \.reason, "Sent with the response, and kept in the record."),
            .flag("disabled", \.disabled, "Not asked."),
        ])
}

extension Shape<OutboundRule> {
    static let outboundRule = Shape(
        "OutboundRule",
        [
            .text("description", \.description_p, "For people; stands in the explanation of calls."),
            .text("callee_prefix", \.calleePrefix, max: 16, "Beginning of the E.164 number, with +; the longest that fits decides."),
            .text("callee_pattern", \.calleePattern, max: 256, "RE2 expression over the E.164 number."),
            .text("caller_pattern", \.callerPattern, max: 256, "RE2 expression over the number that is shown; empty text if it is withheld."),
            .flag("stopper", \.stopper, "Carriers behind this one are not tried."),
            .flag("disabled", \.disabled, "Not asked."),
        ])
}

/// Of gateways and of lines.
let codecsOffered = "Codecs that it may be offered, beside the caller's own of these: PCMA, PCMU, G722, opus, G729, GSM, G726-32, speex, speex/16000. Empty: the caller's, then ours."

extension Shape<Gateway> {
    static let routing: [Field<Gateway>] = [
        .integer("priority", \.priority, 0...1_000, "Lower is tried first; gateways of one priority share the calls by weight."),
        .integer("weight", \.weight, 0...1_000_000, "Of its priority; if none has any, they are tried in their order."),
        .integer("calls_max", \.callsMax, 0...UInt32.max, "To it and from it at a time; 0: no limit."),
        .integer("calls_per_second_max", \.callsPerSecondMax, 0...UInt32.max, "To it within any second; 0: no limit."),
        .text("auth_username", \.authUsername, "User of digest towards it (RFC 7616); empty: it does not ask."),
        .secret("auth_password", \.authPassword, "Of digest; kept sealed and never shown. Left out: as it was."),
        .choice("transport", \.transport, "How it is called. By TCP and TLS its calls come from any port; by TLS its certificate must bear the name in host."),
        .choice("profile", \.profile, "What it wants beyond SIP. teams: Microsoft Teams Direct Routing, which needs transport tls and, in source_domain, our own name."),
        .flag("any_port", \.anyPort, "Calls from its addresses are its, whatever port they come from."),
        .text("registration_user", \.registrationUser, "Address of record that is registered for it, with auth_username and auth_password; empty: none."),
        .text("registrar", \.registrar, max: 260, "Where it is registered, host or host:port; empty: at the gateway itself."),
        .integer("registration_seconds", \.registrationSeconds, 0...86_400, "For how long it is asked to be registered at a time, at least 60; 0: an hour."),
        .integer("probe_seconds", \.probeSeconds, 0...3_600, "How often it is asked whether it is there (OPTIONS), at least 5; 0: never."),
        .texts("codecs", \.codecs, max: 9, codecsOffered),
        .integer("probe_failures_max", \.probeFailuresMax, 0...20, "After so many in a row without an answer no call is sent to it; 0: three."),
    ]
}

extension Shape<Carrier> {
    static let routing: [Field<Carrier>] = [
        .integer("priority", \.priority, 0...1_000, "In a group; lower is asked first."),
        .list("outbound_rules", \.outboundRules, of: .outboundRule, max: 100, "It takes the calls that fit one of them; none: all."),
        .list("inbound_rules", \.inboundRules, of: .inboundRule, max: 100, "Which of its calls are not taken; the first that fits decides."),
        .references("member_ids", \.memberIds, max: 32, "Carriers: then it is a group of them, and has neither gateways nor rules nor a deck."),
        .choice("choice", \.choice, "In which order a group's carriers are asked."),
        .integer("calls_max", \.callsMax, 0...UInt32.max, "To and from all its gateways at a time; 0: no limit."),
        .integer("calls_per_second_max", \.callsPerSecondMax, 0...UInt32.max, "To all its gateways within any second; 0: no limit."),
    ]
}

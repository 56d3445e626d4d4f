import Model

// What a line has set for calls to it and from it: docs/lines.md.
extension Shape<SubscriberDraft> {
    static let lineSettings: [Field<SubscriberDraft>] = forwards + protection + groups + trunk + messages + sound

    private static let forwards: [Field<SubscriberDraft>] = [
        .text("forward_always", \.entity.forwards.always, max: 64, "Where every call goes: a number or extension as the line dials it. The line pays for the call there."),
        .text("forward_busy", \.entity.forwards.busy, max: 64, "Where calls go when the line is busy or not to be disturbed."),
        .text("forward_no_answer", \.entity.forwards.noAnswer, max: 64, "Where calls go that nobody answers within dial_timeout_seconds."),
        .text("forward_not_registered", \.entity.forwards.notRegistered, max: 64, "Where calls go when there is no phone, or none can be reached."),
        .text("forward_outside_hours", \.entity.forwards.outsideHours, max: 64, "Where calls go outside of the line's hours; empty: they are refused then."),
    ]

    private static let protection: [Field<SubscriberDraft>] = [
        .flag("do_not_disturb", \.entity.doNotDisturb, "It is not rung: calls are forwarded as if it were busy, or refused."),
        .flag("reject_anonymous", \.entity.blocks.anonymous, "Callers who do not show their number are refused."),
        .texts("blocked_callers", \.entity.blocks.callers, max: 1_000, "Who may not call it: numbers with + or extensions; * at the end stands for whatever follows."),
        .texts("blocked_numbers", \.entity.blocks.called, max: 1_000, "Whom it may not call itself, in the same way; emergency numbers always may be."),
        .list("hours", \.entity.hours.windows, of: .timeWindow, max: 50, "When it is rung, by the clock of its time zone; empty: at any time."),
        .texts("closed_days", \.entity.hours.closedDays, max: 366, "Days on which it is not rung: 2026-12-24, or --12-25 for every year."),
    ]

    private static let groups: [Field<SubscriberDraft>] = [
        .integer("call_group", \.entity.callGroup, 0...999_999, "Whose ringing calls it is one of; 0: none."),
        .integer("pickup_group", \.entity.pickupGroup, 0...999_999, "The call group whose ringing calls it takes by *8; 0: none."),
        .texts("codecs", \.entity.codecs, max: 9, codecsOffered),
        .integer("contacts_max", \.entity.contactsMax, 0...50, "Phones that may be registered at a time; 0: 10."),
    ]

    private static let sound: [Field<SubscriberDraft>] = [
        .choice("recording", \.entity.recording.mode, "Whether its calls are recorded: default (as its tenant says), off, all, on_demand (docs/recording.md)."),
        .flag("recording_mixed", \.entity.recording.mixed, "If recording is not default: one channel with both sides; else each side has its own."),
        .flag("recording_announced", \.entity.recording.announced, "If recording is not default: both sides are told that the call is recorded."),
        .text("music", \.entity.music, max: 64, "Sound that is heard by whom it holds, by its name; empty: the tenant's."),
        .text("ring_back", \.entity.ringBack, max: 64, "What callers hear while it rings: phone (what their phones make), tone (that of the country), or the name of a sound; empty: the tenant's."),
    ]

    private static let trunk: [Field<SubscriberDraft>] = [
        .flag("is_trunk", \.entity.trunk.isTrunk, "A telephone system: calls to any of the line's numbers go to it with the number that was called, and it may show any of them."),
        .texts("trunk_addresses", \.entity.trunk.addresses, max: 16, "Where it calls from without a password, and is reached without having registered: 192.0.2.7:5060."),
    ]

    private static let messages: [Field<SubscriberDraft>] = [
        .integer("messages_new", \.entity.messages.new, 0...UInt32.max, "Voice messages that were not heard, as a voice mail system says; phones that ask are told (RFC 3842)."),
        .integer("messages_old", \.entity.messages.old, 0...UInt32.max, "Those that were heard."),
        .integer("urgent_messages_new", \.entity.messages.urgentNew, 0...UInt32.max, "Of those that were not heard."),
        .integer("urgent_messages_old", \.entity.messages.urgentOld, 0...UInt32.max, "Of those that were heard."),
    ]
}

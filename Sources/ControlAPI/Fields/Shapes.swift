import Model

extension Provider: Blank {}
extension Contact: Blank {}
extension RateEntry: Blank {}
extension RateDeck: Blank {}
extension RateDeckVersion: Blank {}
extension ServicePlan: Blank {}
extension Customer: Blank {}
extension DialRule: Blank {}
extension ConferenceRoom: Blank {}
extension DialPlan: Blank {}
extension Tenant: Blank {}
extension Gateway: Blank {}
extension Carrier: Blank {}
extension Number: Blank {}
extension Token: Blank {}
extension CdrExport: Blank {}
extension CdrFileExported: Blank {}

extension Shape<Provider> {
    static let provider = Shape(
        "Provider",
        [
            .id(\.id),
            .reference(
                "parent_id", \.parentID, access: .fixed, "The provider above it; null: directly under the platform."),
            .text("name", \.name, isRequired: true, "Shown to people."),
            .text("namespace", \.namespace, isRequired: true, max: 253, "Domain under which its tenants live; unique."),
            .text(
                "currency", \.currency, access: .fixed, isRequired: true, max: 3,
                "ISO 4217 code of a currency in use; of all of its amounts."),
            .text("time_zone", \.timeZone, max: 64, "IANA name; UTC if it is not given."),
            .choice("status", \.status, "Calls are carried for active providers only."),
            .integer(
                "number_quarantine_days", \.numberQuarantineDays, 0...3_650,
                "How long a number that is released is given to nobody; 0: it is available at once."),
            .reference(
                "wholesale_deck_id", \.wholesaleDeckID, "Deck of its parent by which it is charged; null: not charged."),
            .reference("inbound_wholesale_deck_id", \.inboundWholesaleDeckID, "The same for calls from outside to its lines."),
            .reference("on_net_wholesale_deck_id", \.onNetWholesaleDeckID, "The same for calls of its lines to other customers' lines."),
            .reference(
                "service_plan_id", \.servicePlanID, "Plan of its parent: what it pays by the month for everything below it; null: nothing."),
            .flag("refuses_losses", \.refusesLosses, "Calls at which it would pay more than it earns are not made."),
            .flag(
                "refuses_unknown_margins", \.refusesUnknownMargins,
                "Nor calls at which it earns in one currency and pays in another, so that nobody can say whether it loses."),
            .reference("contact_id", \.contactID, "Who it is: one of its own contacts."),
            .text("external_id", \.externalID, "Its number in another system; unique under the same parent."),
            .text("language", \.language, max: 35, "BCP 47, such as de-AT."),
            .percent("vat_rate", \.vatBasisPoints, "Percent that the parent adds to its bills; of own_rate alone."),
            .choice("vat_treatment", \.vatTreatment, "Which VAT the parent's bills to it bear, as a customer's: docs/invoices.md."),
            .choice("invoice_mail", \.invoiceMail, "Whether the parent's invoices are mailed to it: providers is as the parent does with all."),
            .text("theme_product_name", \.brand.productName, "What its service is called, in mails and consoles; empty: its name."),
            .text("theme_logo_url", \.brand.logoURL, "https://…"),
            .text("theme_primary_color", \.brand.primaryColor, max: 7, "#rrggbb."),
            .text("theme_secondary_color", \.brand.secondaryColor, max: 7, "#rrggbb."),
            .text("mail_sender_name", \.brand.mailSenderName, "Stands before the address that its mail is from; empty: the product's name."),
            .text("mail_reply_to", \.brand.replyTo, max: 254, "Where answers to its mails go."),
            .choice("provider_sign_up", \.providerSignUp, "Whether others become providers below it by signing up: closed, pending until somebody activates them, or open."),
            .text("public_url", \.brand.publicURL, "What the links in its mails begin with: https://…; empty: the platform's."),
        ])
}

extension Shape<Contact> {
    static let contact = Shape(
        "Contact",
        [
            .id(\.id),
            .reference(
                "provider_id", \.providerID, access: .fixed, isRequired: true, "The provider that it belongs to."),
            .text("name", \.name, "Of a person; a contact has a name or a company."),
            .text("company", \.company, "Of a company."),
            .text("email", \.email, "An e-mail address."),
            .text("phone", \.phone, "For people; in any form."),
            .text("street", \.street, "Street and house."),
            .text("postal_code", \.postalCode, "Postal code."),
            .text("city", \.city, "City."),
            .text("country", \.country, max: 2, "ISO 3166-1 code of two letters."),
            .text("vat_number", \.vatNumber, max: 18, "With the country before it; the shapes of the European Union are checked."),
            .text("language", \.language, max: 35, "BCP 47, such as de-AT."),
        ])
}

extension Shape<RateDeck> {
    static let rateDeck = Shape(
        "RateDeck",
        [
            .id(\.id),
            .reference(
                "provider_id", \.providerID, access: .fixed, "The provider that it belongs to; null: the platform."),
            .text("name", \.name, isRequired: true, "Shown to people."),
            .text("currency", \.currency, access: .fixed, isRequired: true, max: 3, "ISO 4217 code of a currency in use."),
            .integer("decimals", \.decimals, access: .fixed, 0...6, "Decimals of a charge after rounding."),
            .flag("is_offered", \.isOffered, "Whoever becomes a provider below its owner by signing up may choose it, and is charged by it."),
        ])
}

extension Shape<ServicePlan> {
    static let servicePlan = Shape("ServicePlan", basics + prices + months)

    private static let basics: [Field<ServicePlan>] = [
        .id(\.id),
        .reference("provider_id", \.providerID, access: .fixed, "The provider that sells it; null: the platform."),
        .text("name", \.name, isRequired: true, "Shown to people."),
        .flag("is_offered", \.isOffered, "Whoever becomes a customer by signing up may choose it."),
        .choice("payment_mode", \.paymentMode, "Prepaid: money is held before a call rings."),
        .reference(
            "rate_deck_id", \.rateDeckID, "By which calls are charged; without it there are no outside calls."),
        .reference("dial_plan_id", \.dialPlanID, "For tenants that name none."),
        .reference("carrier_id", \.carrierID, "For tenants that name none."),
        .integer("subscribers_max", \.subscribersMax, 0...UInt32.max, "Of a customer; 0: no limit."),
        .integer("concurrent_calls_max", \.concurrentCallsMax, 0...UInt32.max, "Of a customer; 0: no limit."),
        .reference("security_group_id", \.securityGroupID, "For tenants and lines that name none."),
        .money("credit_limit", \.creditLimitMicros, "Postpaid: 0 is no limit. Prepaid: an overdraft."),
    ]

    private static let prices: [Field<ServicePlan>] = [
        .reference("inbound_rate_deck_id", \.inboundRateDeckID, "By which calls from outside are charged to the called customer, by the called number."),
        .reference("on_net_rate_deck_id", \.onNetRateDeckID, "By which calls to other customers' lines are charged. Calls within a customer are never charged."),
        .list("service_rates", \.serviceRates, of: .serviceRate, max: 100, "Prices where no deck has one."),
    ]
}

extension Shape<Customer> {
    static let customer = Shape(
        "Customer",
        [
            .id(\.id),
            .reference(
                "provider_id", \.providerID, access: .fixed, isRequired: true, "The provider that it buys from."),
            .reference("contact_id", \.contactID, "Who it is."),
            .reference("service_plan_id", \.servicePlanID, isRequired: true, "What it is charged and limited to."),
            .text("name", \.name, isRequired: true, "Shown to people."),
            .text("external_id", \.externalID, "Its number in another system; unique below the provider."),
            .text("currency", \.currency, access: .fixed, max: 3, "The provider's."),
            .choice("status", \.status, "What it stops: docs/status.md. terminated is for good."),
            .text("time_zone", \.timeZone, max: 64, "IANA name; empty: the provider's."),
            .text("language", \.language, max: 35, "BCP 47, such as de-AT; empty: the provider's."),
            .text("email", \.email, "Where bills and warnings go."),
            .percent("vat_rate", \.vatBasisPoints, "Percent that are added to its bills, such as 19 or 8.1; of own_rate alone."),
            .choice(
                "vat_treatment", \.vatTreatment,
                "Which VAT it pays: own_rate its vat_rate on everything; by_country found out by both countries and its VAT number; the others say it. docs/invoices.md."),
            .choice("invoice_mail", \.invoiceMail, "Whether its invoices are mailed: providers is as the provider does with all."),
            .integer("subscribers_max", \.subscribersMax, 0...UInt32.max, "0: the plan's."),
            .integer("concurrent_calls_max", \.concurrentCallsMax, 0...UInt32.max, "0: the plan's."),
            .money(orNull: "low_balance_alert", \.lowBalanceAlert, "An alert when what it can spend falls below; null: none."),
            .money(orNull: "spend_alert", \.spendAlert, "An alert when a calendar month's charges reach it; null: none."),
        ])
}

extension Shape<DialRule> {
    static let dialRule = Shape(
        "DialRule",
        [
            .text("description", \.description_p, "For people; it stands in the call's record."),
            .text(
                "match", \.match, isRequired: true, max: 256, "RE2 expression; the first rule that matches is applied."),
            .text("substitution", \.substitution, max: 256, "RE2 expression with groups; empty: the match."),
            .text("replacement", \.replacement, max: 256, #"\1 … \9 for groups, _CC and _AC for the caller's codes."#),
        ])
}

extension Shape<DialPlan> {
    static let dialPlan = Shape(
        "DialPlan",
        [
            .id(\.id),
            .reference(
                "provider_id", \.providerID, access: .fixed, isRequired: true, "The provider that it belongs to."),
            .text("name", \.name, isRequired: true, "Shown to people."),
            .list("rules", \.rules, of: .dialRule, max: 100, "In the order in which they are tried."),
        ])
}

extension Shape<ConferenceRoom> {
    static let conferenceRoom = Shape(
        "ConferenceRoom",
        [
            .text("extension", \.extension, isRequired: true, max: 20, "Digits that are dialled; no line's."),
            .text("name", \.name, max: 64, "Shown to people."),
            .text("pin", \.pin, max: 12, "Digits that are asked for; empty: none."),
            .integer("participants_max", \.participantsMax, 0...200, "0: 32."),
            .flag("silent", \.silent, "Nobody hears who comes and goes; else there are two short tones."),
        ])
}

extension Shape<Tenant> {
    static let tenant = Shape(
        "Tenant",
        [
            .id(\.id),
            .reference("customer_id", \.customerID, access: .fixed, isRequired: true, "The customer that owns it."),
            .text("name", \.name, isRequired: true, "Shown to people."),
            .text("domain", \.domain, isRequired: true, max: 253, "Its SIP domain, in lower case; unique."),
            .text("country_code", \.countryCode, max: 3, "Digits, such as 1."),
            .text("area_code", \.areaCode, max: 6, "Digits."),
            .reference("dial_plan_id", \.dialPlanID, "Null: the service plan's."),
            .reference("carrier_id", \.carrierID, "Null: the service plan's."),
            .reference("security_group_id", \.securityGroupID, "Null: the service plan's."),
            .integer("contacts_max", \.contactsMax, 0...UInt32.max, "Phones of all its lines that may be registered at a time; 0: no limit."),
            .choice("media", \.mediaPath, "Of calls between its lines. anchored: through a media worker; direct: from phone to phone (docs/calls.md)."),
            .choice("recording", \.recording.mode, "Whether its lines' calls are recorded: default (off), off, all, on_demand (docs/recording.md)."),
            .flag("recording_mixed", \.recording.mixed, "Recordings have one channel with both sides; else each side has its own."),
            .flag("recording_announced", \.recording.announced, "Both sides are told that the call is recorded."),
            .integer("recording_days", \.recordingDays, 0...36_500, "Recordings are removed after so many days; 0: never."),
            .list("rooms", \.rooms, of: .conferenceRoom, max: 100, "Conferences of its lines (docs/conferences.md)."),
            .text("music", \.music, max: 64, "Sound that is heard on hold, by its name; empty: silence (docs/media.md)."),
            .text("ring_back", \.ringBack, max: 64, "What is heard while its lines ring: phone or empty (what callers' phones make), tone (that of the country), or the name of a sound (docs/media.md)."),
            .choice("status", \.status, "What it stops: docs/status.md. terminated is for good."),
            .text("time_zone", \.timeZone, max: 64, "IANA name; empty: the customer's."),
            .text("language", \.language, max: 35, "BCP 47; empty: the customer's."),
            .text("external_id", \.externalID, "Its number in another system; unique below the provider."),
        ])
}

extension Shape<Gateway> {
    static let gateway = Shape(
        "Gateway",
        [
            .id(\.id, access: .readWrite),
            .text("name", \.name, isRequired: true, "Shown to people."),
            .text("host", \.host, isRequired: true, max: 253, "An IPv4 or IPv6 address, or a name that DNS is asked for (RFC 3263)."),
            .integer("port", \.port, 0...65_535, "Not given or 0: 5060 of an address; of a name, what DNS says."),
            .text("display", \.display, "Display name of calls to it; empty: the caller's."),
            .integer(
                "outbound_strip", \.outboundStrip, 0...16,
                "Characters taken from the left of the number sent, the + counted."),
            .text("outbound_prefix", \.outboundPrefix, max: 16, "Then put before it."),
            .integer("inbound_strip", \.inboundStrip, 0...16, "Characters taken from the left of the number received."),
            .text("inbound_prefix", \.inboundPrefix, max: 16, "Then put before it."),
            .text("source_user", \.sourceUser, "User of From; empty: the caller's number."),
            .text("source_domain", \.sourceDomain, "Domain of From; empty: the gateway's host."),
            .choice("apply_to", \.applyTo, "Which number strip and prefix are applied to."),
            .flag("add_pai", \.addPai, "Whether P-Asserted-Identity is sent (RFC 3325)."),
            .attributes("attributes", \.attributes, max: 32, "For people and programs; not interpreted."),
            .flag("disabled", \.disabled, "Not tried."),
        ] + routing)
}

extension Shape<Carrier> {
    static let carrier = Shape(
        "Carrier",
        [
            .id(\.id),
            .reference(
                "provider_id", \.providerID, access: .fixed, "The provider that it belongs to; null: the platform."),
            .text("name", \.name, isRequired: true, "Shown to people."),
            .reference("cost_deck_id", \.costDeckID, "What it charges; null: nothing is recorded."),
            .reference("contact_id", \.contactID, "Who it is: a contact of the same provider."),
            .list("gateways", \.gateways, of: .gateway, max: 32, "By priority and weight; without them, tried in this order."),
        ] + routing)
}

extension Shape<Number> {
    static let number = Shape(
        "Number",
        [
            .id(\.id),
            .reference("provider_id", \.providerID, access: .fixed, isRequired: true, "The provider that has it."),
            .text("e164", \.e164, access: .fixed, isRequired: true, max: 16, "With +; unique."),
            .text("source", \.source, "Where it was bought."),
            .choice("type", \.type, "What kind of number it is."),
            .money("price", \.priceMicros, "What it is sold for."),
            .money("vendor_price", \.vendorPriceMicros, "What it costs."),
            .flag("voice", \.voice, "Carries calls."),
            .flag("sms", \.sms, "Carries messages."),
            .country, .state, .until,
            .reference("subscriber_id", \.subscriberID, access: .readOnly, "Who has it; null: nobody."),
            .reference("customer_id", \.customerID, access: .readOnly, "Whose it is: of who has it, or of the reservation."),
            .reference("tenant_id", \.tenantID, access: .readOnly, "The same."),
            .reservedCustomer, .reservedTenant,
            .text("range_first", \.rangeFirst, access: .readOnly, max: 16, "The range that it was added with; empty: it came alone."),
            .text("range_last", \.rangeLast, access: .readOnly, max: 16, "The same."),
            .reference("carrier_id", \.carrierID, "By which its calls come in; null: any of the provider's."),
        ])
}

extension Shape<SubscriberDraft> {
    static let subscriber = Shape(
        "Subscriber",
        [
            .id(\.entity.id),
            .reference(
                "tenant_id", \.entity.tenantID, access: .fixed, isRequired: true, "The tenant that it belongs to."),
            .text(
                "username", \.entity.username, isRequired: true, max: 64, "SIP and digest user; unique in the tenant."),
            .password(\.password),
            .texts("aliases", \.entity.aliases, max: 32, "Extensions; unique in the tenant together with user names."),
            .text("display_name", \.entity.displayName, "Shown to those called."),
            .text("email", \.entity.email, "An e-mail address."),
            .text(
                "caller_id", \.entity.callerID, max: 16, "E.164 number shown to the outside, as long as a line of the customer has it; else, and if empty: the first assigned."
            ),
            .text("country_code", \.entity.countryCode, max: 3, "Empty: the tenant's."),
            .text("area_code", \.entity.areaCode, max: 6, "Empty: the tenant's."),
            .texts(
                "allowed_prefixes", \.entity.allowedPrefixes, max: 1_000,
                "Where it may call beside what its security group allows, such as +1209; + is everywhere."),
            .reference("security_group_id", \.entity.securityGroupID, "Null: the tenant's."),
            .integer("concurrent_calls_max", \.entity.concurrentCallsMax, 0...UInt32.max, "0: no limit."),
            .integer("dial_timeout_seconds", \.entity.dialTimeoutSeconds, 0...600, "How long its phones ring; 0: 60 seconds."),
            .choice("media_security", \.entity.mediaSecurity, "sdes, dtls: SRTP keyed so is offered and required; browsers are offered dtls always."),
            .choice("status", \.entity.status, "What it stops: docs/status.md. terminated is for good."),
            .text("time_zone", \.entity.timeZone, max: 64, "IANA name; empty: the tenant's."),
            .text("language", \.entity.language, max: 35, "BCP 47; empty: the tenant's."),
            .text("external_id", \.entity.externalID, "Its number in another system; unique below the provider."),
        ] + lineSettings)
}

extension Shape<Token> {
    static let token = Shape(
        "Token",
        [
            .id(\.id),
            .text("name", \.name, isRequired: true, "Stands in the history as who did it; unique."),
            .choice("role", \.role, isRequired: true, "What its holder may do."),
            .reference(
                "scope_id", \.scopeID, "The provider, customer, tenant or subscriber that it is confined to; null: the platform."),
            .time("expires_at", \.expiresAt, "When it is refused from; null: never."),
            .text("issued_by", \.issuedBy, access: .readOnly, "Name of the token that asked for it."),
            .time("issued_at", \.issuedAt, access: .readOnly, "When."),
        ])
}

extension Shape<CdrExport> {
    static let cdrExport = Shape(
        "CdrExport",
        [
            .id(\.id),
            .reference(
                "provider_id", \.providerID, access: .fixed,
                "Records that this provider sees; null: all of the platform's, or the customer's provider."),
            .reference("customer_id", \.customerID, access: .fixed, "Records that this customer sees; null: the provider."),
            .text("name", \.name, isRequired: true, "Shown to people."),
            .choice("format", \.format, "Columns and file names; see docs/export.md."),
            .choice("interval", \.interval, "When files are made."),
            .text("time_zone", \.timeZone, max: 64, "IANA name, of the schedule and of times in layouts of other systems; UTC if it is not given."),
            .flag("guard_formulas", \.guardFormulas, "CSV: an apostrophe before text that a spreadsheet would compute."),
            .flag("skip_empty", \.skipEmpty, "No file when there is nothing new."),
            .flag("disabled", \.disabled, "No files are made; a later one goes on where the last ended."),
            .text("sftp_host", \.sftp.host, max: 253, "Server that files are sent to; empty: they stay in the folder."),
            .integer("sftp_port", \.sftp.port, 0...65_535, "0: 22."),
            .text("sftp_user", \.sftp.user, max: 64, "User there."),
            .text("sftp_directory", \.sftp.directory, max: 256, "Directory there; empty: where the user lands."),
            .text("sftp_host_key", \.sftp.hostKey, max: 2_048, "The server's key as in known_hosts: type and base64. No other is taken."),
            .time("created_at", \.createdAt, access: .readOnly, "The first file is due at the first boundary after it."),
        ])
}

extension Shape<CdrFileExported> {
    static let cdrFile = Shape(
        "CdrFile",
        [
            .shown("file", Schema.sequence, "1, 2, 3 … of the export.") { file, _ in .integer(file.file) },
            .text("name", \.name, access: .readOnly, "Of the file."),
            .shown("first_record", Schema.sequence, "The export's records are numbered without gaps.") { file, _ in
                .integer(file.firstRecord)
            },
            .shown("records", Schema.sequence, "How many are in it.") { file, _ in .integer(file.records) },
            .shown("first_cdr", Schema.sequence, "Number of the first call record in it; 0: none.") { file, _ in
                .integer(file.firstCdr)
            },
            .shown("last_cdr", Schema.sequence, "Number of the last.") { file, _ in .integer(file.lastCdr) },
            .shown("first_correction", Schema.sequence, "Number of the first correction in it; 0: none.") { file, _ in
                .integer(file.firstCorrection)
            },
            .shown("last_correction", Schema.sequence, "Number of the last.") { file, _ in .integer(file.lastCorrection) },
            .shown("cdr_cursor", Schema.sequence, "Call records up to this number are in this file or an earlier one.") {
                file, _ in
                .integer(file.cdrCursor)
            },
            .shown("bytes", Schema.sequence, "Its size.") { file, _ in .integer(file.bytes) },
            .shown("sha256", Schema.text(max: 64), "Of its bytes.") { file, _ in .hex(file.sha256) },
            .shown("previous_sha256", Schema.text(max: 64), "Of the file before it.") { file, _ in .hex(file.previousSha256) },
            .time("due_at", \.dueAt, access: .readOnly, "When it was due."),
        ])
}

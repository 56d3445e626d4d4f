/// Every table of the views. Dropping, comparing and opening them all goes over `allCases`, so a new table is a
/// new case here, a projection that fills it, and queries that read it.
///
/// The raw value is the table's name on the disk. Keys are bytes whose order is the order that queries page in:
/// ids as 16 bytes, numbers as 8 bytes big-endian, text as UTF-8.
public enum Table: String, CaseIterable, Sendable {
    // Directory: entities by id (workers by name), then what finds them.
    case providers
    case contacts
    case rateDecks = "rate_decks"
    case servicePlans = "service_plans"
    case customers
    case dialPlans = "dial_plans"
    case tenants
    case carriers
    case numbers
    case subscribers
    case tokens
    case workers
    case securityGroups = "security_groups"
    case cdrExports = "cdr_exports"
    /// Namespace → provider.
    case providersByNamespace = "providers_by_namespace"
    /// SIP domain → tenant.
    case tenantsByDomain = "tenants_by_domain"
    /// Tenant, then user name or alias → subscriber.
    case subscribersByName = "subscribers_by_name"
    /// E.164 with its `+` → number.
    case numbersByE164 = "numbers_by_e164"
    /// `host:port` → carrier and gateway.
    case gatewaysByAddress = "gateways_by_address"
    /// Gateway → carrier.
    case gateways
    case domains
    /// Verified domain → domain.
    case domainsByName = "domains_by_name"
    case users
    /// What stands for an e-mail address → user.
    case usersByEmail = "users_by_email"
    /// Kind, number in another system, entity → nothing.
    case externalIDs = "external_ids"
    /// SHA-256 of the bearer token → token.
    case tokensBySecret = "tokens_by_secret"
    /// Entity, kind of what refers to it, id of what refers to it → nothing.
    case references

    // Rates.
    /// Deck, version → the version without its entries; import, 0 → the same, once a version is made of it.
    case deckVersions = "deck_versions"
    /// Deck, effective time, version → nothing, or what has to be known to find its rows.
    case deckTimes = "deck_times"
    /// Deck, version, key of the row → entry; of rows that were imported: import, 0, key of the row → entry.
    case rates
    /// Import → how far it has come.
    case deckImports = "deck_imports"

    // Live calls.
    case liveCalls = "live_calls"
    /// Worker's name, 0, call → nothing.
    case liveCallsByWorker = "live_calls_by_worker"
    /// Provider, customer, tenant, subscriber, carrier or limited gateway → how many calls run; all zeros: all of them.
    case liveCallCounts = "live_call_counts"
    /// Gateway that takes so many starts a second → its newest ones: see `StartWindow`.
    case gatewayStarts = "gateway_starts"
    /// Carrier, gateway that registers or is probed → what is known of it.
    case gatewayStates = "gateway_states"

    // Call detail records.
    /// Number → sequence of the event that holds it.
    case cdrs
    /// Call → number of its record.
    case cdrsByCall = "cdrs_by_call"
    /// Provider, customer, tenant, subscriber or carrier, then number of the record → numbers after it: see `RecordRun`.
    case cdrsByParty = "cdrs_by_party"
    /// When the call came in, number of its record → nothing.
    case cdrsByStart = "cdrs_by_start"

    // Statistics.
    /// Number of a call record → what it and those after it count for: see `StatisticsBlock`.
    case statistics
    /// Provider, customer, tenant, carrier or gateway → the number that stands for it in `statistics`; all zeros: the last given.
    case statisticsParties = "statistics_parties"

    // Accounts.
    /// Kind, owner, currency → state.
    case accounts
    /// Account, sequence, index → amounts and balances of this movement and those after it: see `PostingRun`; the rest is in the
    /// journals' events.
    case postings
    /// Call → what is held for it.
    case holds
    /// Journal → its sequence in the log.
    case journals

    // What lines and customers spend.
    /// Line or customer, quarter of an hour since 1970 → micro-units charged then; all ones: held now.
    case spend
    /// Call → line, customer and what is held for it.
    case spendHolds = "spend_holds"

    // What is paid by the month.
    /// Customer or provider, kind, line or number (or itself), when it began → when it ended, plan.
    case feeItems = "fee_items"
    /// Line, number, customer or provider → who pays for it now, and since when.
    case feeOpen = "fee_open"
    /// Plan that has fees → since when.
    case feePlans = "fee_plans"
    /// Customer or provider, plan → up to when it was charged.
    case feePeriods = "fee_periods"
    /// Customer or provider, beginning of the period, plan → sequence of the fact.
    case fees

    // Free units.
    /// Customer, plan or package, allowance, beginning of the period → what was used of it and what is set aside.
    case allowances
    /// Call → customer and what is set aside for it.
    case allowanceHolds = "allowance_holds"
    /// Customer, package → what was bought.
    case packages
    /// When it ends, package that is renewed → customer.
    case packageEnds = "package_ends"

    // Exports of call records.
    /// Export, number of the file → the file.
    case exportFiles = "export_files"
    /// Export → number of the last file that its server has.
    case exportDeliveries = "export_deliveries"

    // Recordings of calls.
    /// Recording → what is known of it.
    case recordings
    /// Call, recording → nothing.
    case recordingsByCall = "recordings_by_call"
    /// Provider, customer, tenant or subscriber, recording → nothing.
    case recordingsByParty = "recordings_by_party"

    // Corrections of charges.
    /// Number of the correction → its sequence in the log, number of the record.
    case corrections
    /// Number of the record, sequence → correction.
    case correctionsByRecord = "corrections_by_record"

    // Books: how a provider bills, adjustments, vouchers, alerts, invoices.
    /// Provider or, all zeros, the platform → how it bills.
    case billing
    /// Hash → the template of that hash.
    case invoiceTemplates = "invoice_templates"
    /// Request → what became of it.
    case adjustments
    /// Keyed hash of a code → batch, and who redeemed it.
    case vouchers
    /// Batch → what it is, and how many were redeemed.
    case voucherBatches = "voucher_batches"
    /// Customer → when codes were tried that are none.
    case voucherMisses = "voucher_misses"
    /// Alert → what became of it.
    case alerts
    /// Customer, kind → the alert that lasts.
    case openAlerts = "open_alerts"
    /// Customer with a threshold → nothing.
    case alertThresholds = "alert_thresholds"
    /// Alert that waits to be delivered → nothing.
    case unsentAlerts = "unsent_alerts"
    /// Provider or, all zeros, the platform; kind → the last number.
    case invoiceSeries = "invoice_series"
    /// Customer, or provider and currency → where its last invoice ended.
    case invoiceHeads = "invoice_heads"
    /// Invoice → what it comes to, and what was credited of it.
    case invoiceBalances = "invoice_balances"
    /// Invoice, format → the file that was made of it first.
    case invoicePrints = "invoice_prints"
    /// Invoice → its sequence in the log.
    case invoices
    /// Seller or customer, sequence → nothing.
    case invoicesByOwner = "invoices_by_owner"
    /// Provider that an invoice is for, sequence → nothing.
    case invoicesToProviders = "invoices_to_providers"
    /// Provider, kind, number → sequence.
    case invoicesByNumber = "invoices_by_number"

    // Audit.
    /// Stream → its version.
    case streams
    /// Entity, sequence → nothing. What stands in a call's own stream is found in the log.
    case history
    /// Sequence of what is no fact of a call → nothing.
    case changes

    // Users and their mail.
    /// User → failures, lock, sessions.
    case logins
    /// Letter → how far it has come.
    case letters
    /// When it is due, letter → nothing.
    case lettersDue = "letters_due"

    // Subjects.
    /// Subject → what became of it.
    case subjects
    /// Subject that was erased → sequence of the erasure.
    case subjectsErased = "subjects_erased"

    // The views' own state, not compared: which event was applied last.
    case meta
}

extension Table {
    /// Its place in `allCases`.
    @inline(__always) var position: Int {
        // The bytes of an enum without payloads are the number of its case; the tables' opening checks that it is so.
        Int(unsafe unsafeBitCast(self, to: UInt8.self))
    }
}

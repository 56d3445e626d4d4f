import Model

/// Every operation of the API. The router and the document are both made of this table.
enum RouteTable {
    // One list of lists: a sum of so many takes the compiler minutes.
    private static let operationsByPart: [[Operation]] = [
        ServiceEndpoints.operations, LogEndpoints.operations, Providers.operations, Contacts.operations, Customers.operations,
        CustomerMoneyEndpoints.operations, ProviderMoneyEndpoints.operations, ServicePlans.operations, RateDecks.operations, DeckVersionEndpoints.operations,
        DeckImportEndpoints.operations, PriceEndpoint.operations, DialPlans.operations, DialTrialEndpoint.operations,
        Tenants.operations, Domains.operations, Carriers.operations, GatewayEndpoints.operations, Numbers.operations,
        NumberAssignmentEndpoints.operations, NumberRangeEndpoints.operations, NumberHistoryEndpoint.operations,
        SecurityGroups.operations, SecurityTrialEndpoint.operations, DialPresetEndpoints.operations,
        Subscribers.operations, BindingEndpoints.operations, LineTrialEndpoints.operations,
        TokenEndpoints.operations, WorkerEndpoints.operations, CallEndpoints.operations, CDREndpoints.operations, RecordingEndpoints.operations,
        AccountEndpoints.operations, HistoryEndpoint.operations, ReplayEndpoints.operations, CdrExports.operations,
        FeeEndpoints.operations, PackageEndpoints.operations, CdrExportEndpoints.operations, RerateEndpoints.operations, SubjectEndpoints.operations, AuditEndpoint.operations, StatisticsEndpoint.operations,
        SessionEndpoints.operations, SecondFactorEndpoints.operations, PasswordEndpoints.operations, Users.operations, SignUpEndpoints.operations,
        BillingEndpoints.operations, StatementEndpoint.operations, VoucherEndpoints.operations, AdjustmentEndpoints.operations, AlertEndpoints.operations,
        InvoiceEndpoints.operations, InvoiceDocumentEndpoints.operations, InvoiceMailEndpoints.operations,
    ]
    static let operations: [Operation] = operationsByPart.flatMap { $0 }

    private static let schemasByPart: [[(String, JSON)]] = [
        [
            ("Money", money), ("Problem", Problem.schema), ("DialRule", Shape<DialRule>.dialRule.schema),
            ("Allowance", Shape<Allowance>.allowance.schema), ("Package", Shape<Package>.package.schema),
            ("InboundRule", Shape<InboundRule>.inboundRule.schema), ("OutboundRule", Shape<OutboundRule>.outboundRule.schema), ("TimeWindow", Shape<TimeWindow>.timeWindow.schema),
            ("ConferenceRoom", Shape<ConferenceRoom>.conferenceRoom.schema),
        ],
        ServiceEndpoints.schemas, LogEndpoints.schemas, Providers.schemas, Contacts.schemas, Customers.schemas,
        CustomerMoneyEndpoints.schemas, ProviderMoneyEndpoints.schemas, ServicePlans.schemas, RateDecks.schemas, DeckVersionEndpoints.schemas,
        DeckImportEndpoints.schemas, PriceEndpoint.schemas, DialPlans.schemas, DialTrialEndpoint.schemas, Tenants.schemas, Domains.schemas,
        Carriers.schemas, GatewayEndpoints.schemas, Numbers.schemas, NumberAssignmentEndpoints.schemas,
        NumberRangeEndpoints.schemas, NumberHistoryEndpoint.schemas, SecurityGroups.schemas, SecurityTrialEndpoint.schemas,
        DialPresetEndpoints.schemas, Subscribers.schemas, BindingEndpoints.schemas, LineTrialEndpoints.schemas,
        TokenEndpoints.schemas, WorkerEndpoints.schemas, CallEndpoints.schemas, CDREndpoints.schemas, RecordingEndpoints.schemas, AccountEndpoints.schemas, HistoryEndpoint.schemas, ReplayEndpoints.schemas,
        FeeEndpoints.schemas, PackageEndpoints.schemas, CdrExports.schemas, CdrExportEndpoints.schemas, RerateEndpoints.schemas, SubjectEndpoints.schemas, AuditEndpoint.schemas, StatisticsEndpoint.schemas,
        SessionEndpoints.schemas, SecondFactorEndpoints.schemas, PasswordEndpoints.schemas, Users.schemas, SignUpEndpoints.schemas,
        BillingEndpoints.schemas, StatementEndpoint.schemas, VoucherEndpoints.schemas, AdjustmentEndpoints.schemas, AlertEndpoints.schemas,
        InvoiceEndpoints.schemas, InvoiceDocumentEndpoints.schemas, InvoiceMailEndpoints.schemas,
    ]
    static let schemas: [(String, JSON)] = schemasByPart.flatMap { $0 }

    private static let money = Schema.object(
        [
            ("amount", Schema.decimal),
            ("currency", ["type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217 code."]),
        ],
        required: ["amount", "currency"], isClosed: true)
}

package import Model
package import Primitives

/// What an operator or an API client asks for: each case is decided by the decider of its aggregate.
///
/// In a `create…` an entity with an empty id is given one. In a `change…` the entity replaces the one with
/// its id as a whole; `expectedVersion` is the version of its stream that the asker has seen (nil: whatever
/// it is now).
package enum AdminCommand: Sendable {
    case createProvider(Provider)
    case changeProvider(Provider, expectedVersion: UInt64?)
    case createContact(Contact)
    case changeContact(Contact, expectedVersion: UInt64?)
    case createRateDeck(RateDeck)
    /// Its name, and whether it is offered.
    case changeRateDeck(RateDeck, expectedVersion: UInt64?)
    /// A version number of 0 is the next; `content_hash` is filled in.
    case publishDeckVersion(RateDeckVersion)
    /// The next rows of an import: `rows` and `hash` are filled in.
    case addDeckRows(RateDeckRowsAdded)
    case createServicePlan(ServicePlan)
    case changeServicePlan(ServicePlan, expectedVersion: UInt64?)
    case createCustomer(Customer)
    case changeCustomer(Customer, expectedVersion: UInt64?)
    case createDialPlan(DialPlan)
    case changeDialPlan(DialPlan, expectedVersion: UInt64?)
    case createTenant(Tenant)
    case changeTenant(Tenant, expectedVersion: UInt64?)
    /// Gateways with an empty id are given one.
    case createCarrier(Carrier)
    case changeCarrier(Carrier, expectedVersion: UInt64?)
    case addNumber(Number)
    /// All numbers of a range, or none; the number says what they have in common.
    case addNumbers(NumberBlock, like: Number)
    /// Who has it and whom it is kept for stay as they are; see the commands below.
    case changeNumber(Number, expectedVersion: UInt64?)
    case assignNumber(NumberID, to: SubscriberID, expectedVersion: UInt64?)
    case releaseNumber(NumberID, NumberRelease = .asProviderSays, expectedVersion: UInt64?)
    case reserveNumber(NumberID, NumberReservation, expectedVersion: UInt64?)
    case reserveNumbers(NumberBlock, of: ProviderID, NumberReservation)
    /// Ends a reservation or a quarantine before its time.
    case freeNumber(NumberID, expectedVersion: UInt64?)
    case freeNumbers(NumberBlock, of: ProviderID)
    case createSecurityGroup(SecurityGroup)
    case changeSecurityGroup(SecurityGroup, expectedVersion: UInt64?)
    /// `sealed_credential` is made from the password here; what the entity brings is ignored.
    case createSubscriber(Subscriber, password: Password)
    /// Without a password the credential stays; a change of the user name needs a password.
    case changeSubscriber(Subscriber, password: Password?, expectedVersion: UInt64?)
    case createCdrExport(CdrExport)
    case changeCdrExport(CdrExport, expectedVersion: UInt64?)
    /// From the thread that writes the files: the next file of an export, whose bytes are on the disk.
    case recordCdrFile(CdrFileExported)
    /// From the same: the server has the file.
    case recordCdrDelivery(CdrFileDelivered)
    case addDomain(Domain)
    /// DNS was asked for the domain's record.
    case recordDomainCheck(DomainID, DomainFinding)
    /// Users, signing up, logging in, and the mail of that.
    case identity(IdentityCommand)
    case remove(EntityKind, UUIDv7, expectedVersion: UInt64?)
    /// Money from outside: cash − , customer +. The amount is positive.
    case topUp(CustomerID, Amount, reason: String)
    /// What a provider has paid to the one above it. The amount is positive.
    case pay(ProviderID, Amount, reason: String)
    /// A correction in either direction between a debtor and its seller; positive: in the debtor's favour.
    case adjust(Debtor, Amount, reason: String)
    /// One of the packages of the customer's service plan, by its number there.
    case buyPackage(CustomerID, UInt32)
    /// It is not renewed any more.
    case cancelPackage(CustomerID, UUIDv7, reason: String)
    /// Charges put right by another deck: the next calls of a re-rating.
    case rerate(RerateStep)
    /// `secret_hash` is the hash of a `BearerToken` that the asker has made and alone knows.
    case issueToken(Token)
    case revokeToken(TokenID)
    case enrollWorker(Worker)
    case revokeWorker(name: String)
    /// The worker gets no new calls; it ends when its last call has.
    case drainWorker(name: String)
    /// The registrar forgets where the subscriber's phones are; they register again by themselves.
    case clearRegistrations(SubscriberID)
    /// Asks the worker that carries the call to end it.
    case hangUp(CallID)
    /// Destroys the person's key; the books stay.
    case eraseSubject(UUIDv7, reason: String)
    /// A legal hold, put on or lifted.
    case holdSubject(UUIDv7, isHeld: Bool, reason: String)
    /// The recording is not to be there any more; its file goes when this is durable.
    case removeRecording(UUIDv7, reason: String)
    /// Somebody is about to be shown records.
    case recordReading(RecordsRead)
    /// How the provider bills, as a whole.
    case changeBilling(Billing)
    /// `hash` is filled in.
    case publishInvoiceTemplate(InvoiceTemplatePublished)
    /// By another than who asked for it.
    case approveAdjustment(AdjustmentID)
    case refuseAdjustment(AdjustmentID, reason: String)
    /// From the thread that keeps the books: nobody has decided in time.
    case expireAdjustment(AdjustmentID)
    /// The codes' hashes are filled in.
    case makeVouchers(VouchersMade, [VoucherCode])
    /// A code that is none is no refusal: the try is recorded, and the outcome's id is no journal.
    case redeemVoucher(CustomerID, VoucherCode)
    /// From the thread that keeps the books: what a customer can spend, or has spent, may have crossed its threshold.
    case watchBalance(CustomerID)
    case watchSpend(CustomerID, spent: Int64, period: String)
    case recordAlertSent(AlertSent)
    /// Worked out beside, and issued if nothing came in between.
    case issueInvoice(InvoiceIssued)
    case recordInvoicePrint(InvoicePrinted)
    /// Sends it to the customer once more.
    case mailInvoice(InvoiceID)
}

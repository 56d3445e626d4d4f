import Foundation
import Model
import Primitives
import Rating
import SwiftProtobuf

/// Draws a plausible history from a seed: entities come, change and go, money is paid in, calls start, are answered,
/// adopted, renewed and ended with their records and charges.
struct History: Sendable {
    private var random: RandomSource
    private var now = WallTime(microseconds: 1_790_000_000_000_000)
    private let currency = Currency("EUR")!

    private var providers: [Provider] = []
    private var decks: [RateDeck] = []
    private var deckVersions: [Data: UInt32] = [:]
    private var plans: [ServicePlan] = []
    private var customers: [Customer] = []
    private var tenants: [Tenant] = []
    private var subscribers: [Subscriber] = []
    private var carriers: [Carrier] = []
    private var numbers: [Number] = []
    private var tokens: [Token] = []
    private var exports: [CdrExport] = []
    private var groups: [SecurityGroup] = []
    private var users: [User] = []
    private var rare = 0
    private var files: [CdrFileExported] = []
    private var live: [CallStarted] = []
    /// Of each provider, the last number.
    private var invoices: [Data: UInt64] = [:]
    private var answered: Set<Data> = []
    private var counter = 0
    private let workerStream: UUIDv7
    private(set) var cdrs: UInt64 = 0
    private var charged: [Cdr] = []
    private(set) var corrections: UInt64 = 0

    /// Entities that exist at the end, for tests that look them up.
    var livingTenants: [Tenant] { tenants }
    var livingSubscribers: [Subscriber] { subscribers }
    var livingNumbers: [Number] { numbers }
    var livingCalls: [CallStarted] { live }

    /// Events that are appended in one commit, each with its stream.
    typealias Step = [(event: Event, stream: UUIDv7)]

    init(seed: UInt64) {
        random = RandomSource(seed: seed)
        workerStream = UUIDv7(at: now, random: &random)
    }

    mutating func next() -> (time: WallTime, step: Step) {
        now = now + .milliseconds(Int.random(in: 1...30_000, using: &random))
        return (now, step())
    }

    private mutating func step() -> Step {
        if counter == 0 { return worker() }
        if providers.isEmpty { return addProvider() }
        if customers.isEmpty { return addCustomer() }
        if subscribers.count < 2 { return tenants.isEmpty ? addTenant() : addSubscriber() }
        if carriers.isEmpty { return addCarrier() }
        // What is rare comes once before luck decides, so that every table has rows.
        rare += 1
        switch rare {
        case 1: return chargeFee()
        case 2: return buyPackage()
        case 3: return user()
        case 4: return logIn()
        case 5: return keepBooks()
        case 6: return watchGateway()
        case 7: return recordCall()
        default: break
        }
        switch Int.random(in: 0..<100, using: &random) {
        case 0: return addProvider()
        case 1...2: return addCustomer()
        case 3...5: return addTenant()
        case 6...11: return addSubscriber()
        case 12: return addCarrier()
        case 13...16: return addNumber()
        case 17...20: return moveNumber()
        case 21...24: return changeSubscriber()
        case 25: return Bool.random(using: &random) ? changeCarrier() : changeSecurityGroup()
        case 26...27: return removeSubscriber()
        case 28...30: return publishDeck()
        case 31...33: return token()
        case 34: return worker()
        case 35...36: return topUp()
        case 37: return chargeFee()
        case 38...39: return buyPackage()
        case 40...60: return startCall()
        case 61...62: return exportRecords()
        case 63...71: return updateCall()
        case 72...74: return correctCharge()
        case 75: return ownDomain()
        case 76: return user()
        case 77: return logIn()
        case 78: return keepBooks()
        case 79: return watchGateway()
        default: return live.isEmpty ? startCall() : endCall()
        }
    }

    private mutating func id() -> Data { Data(UUIDv7(at: now, random: &random).bytes) }

    private mutating func name(_ kind: String) -> String {
        counter += 1
        return "\(kind)\(counter)"
    }

    private func stream(_ id: Data) -> UUIDv7 { UUIDv7(bytes: id)! }

    private mutating func addProvider() -> Step {
        var provider = Provider()
        provider.id = id()
        provider.parentID = Bool.random(using: &random) ? providers.randomElement(using: &random)?.id ?? Data() : Data()
        provider.name = name("provider")
        provider.namespace = provider.name + ".example"
        provider.currency = currency.code
        var deck = RateDeck()
        deck.id = id()
        deck.providerID = provider.id
        deck.currency = currency.code
        deck.decimals = 4
        var plan = ServicePlan()
        plan.id = id()
        plan.providerID = provider.id
        plan.rateDeckID = deck.id
        plan.paymentMode = .prepaid
        var contact = Contact()
        contact.id = id()
        contact.providerID = provider.id
        var dialPlan = DialPlan()
        dialPlan.id = id()
        dialPlan.providerID = provider.id
        dialPlan.rules = [.with { $0.match = "^[1-9][0-9]{6}$" }]
        plan.dialPlanID = dialPlan.id
        providers.append(provider)
        decks.append(deck)
        plans.append(plan)
        return [
            (.providerCreated(.with { $0.provider = provider }), stream(provider.id)),
            (.rateDeckCreated(.with { $0.deck = deck }), stream(deck.id)),
            (.contactCreated(.with { $0.contact = contact }), stream(contact.id)),
            (.dialPlanCreated(.with { $0.plan = dialPlan }), stream(dialPlan.id)),
            (.servicePlanCreated(.with { $0.plan = plan }), stream(plan.id)),
        ]
    }

    private mutating func addCustomer() -> Step {
        var customer = Customer()
        customer.id = id()
        let plan = plans.randomElement(using: &random)!
        customer.providerID = plan.providerID
        customer.servicePlanID = plan.id
        customer.name = name("customer")
        customer.externalID = name("external")
        customer.currency = currency.code
        customers.append(customer)
        return [(.customerCreated(.with { $0.customer = customer }), stream(customer.id))]
    }

    private mutating func addTenant() -> Step {
        var tenant = Tenant()
        tenant.id = id()
        tenant.customerID = customers.randomElement(using: &random)!.id
        tenant.name = name("tenant")
        tenant.domain = tenant.name + ".example"
        tenants.append(tenant)
        return [(.tenantCreated(.with { $0.tenant = tenant }), stream(tenant.id))]
    }

    private mutating func addSubscriber() -> Step {
        var subscriber = Subscriber()
        subscriber.id = id()
        subscriber.tenantID = tenants.randomElement(using: &random)!.id
        subscriber.username = name("user")
        subscriber.aliases = [name("10")]
        subscriber.sealedCredential = Data(random.bytes(60))
        subscribers.append(subscriber)
        return [(.subscriberCreated(.with { $0.subscriber = subscriber }), stream(subscriber.id))]
    }

    private mutating func changeSubscriber() -> Step {
        let index = subscribers.indices.randomElement(using: &random)!
        subscribers[index].aliases = (0..<Int.random(in: 0...3, using: &random)).map { _ in name("20") }
        subscribers[index].status = Status.allCases.randomElement(using: &random)!
        let subscriber = subscribers[index]
        return [(.subscriberChanged(.with { $0.subscriber = subscriber }), stream(subscriber.id))]
    }

    private mutating func removeSubscriber() -> Step {
        guard subscribers.count > 3 else { return addSubscriber() }
        let subscriber = subscribers.remove(at: subscribers.indices.randomElement(using: &random)!)
        var steps: Step = []
        for index in numbers.indices where numbers[index].subscriberID == subscriber.id {
            numbers[index].subscriberID = Data()
            let number = numbers[index]
            steps.append((.numberChanged(.with { $0.number = number }), stream(number.id)))
        }
        let removed = EntityRemoved.with {
            $0.kind = .subscriber
            $0.id = subscriber.id
        }
        let erased = SubjectErased.with {
            $0.subjectID = subscriber.id
            $0.kind = .subscriber
        }
        return steps + [
            (.entityRemoved(removed), stream(subscriber.id)), (.subjectErased(erased), stream(subscriber.id)),
        ]
    }

    private mutating func gateway() -> Gateway {
        var gateway = Gateway()
        gateway.id = id()
        gateway.host = "192.0.2.\(Int.random(in: 1...254, using: &random))"
        counter += 1
        gateway.port = UInt32(5_000 + counter)
        return gateway
    }

    private mutating func addCarrier() -> Step {
        var carrier = Carrier()
        carrier.id = id()
        carrier.providerID = providers.randomElement(using: &random)!.id
        carrier.gateways = [gateway(), gateway()]
        carriers.append(carrier)
        return [(.carrierCreated(.with { $0.carrier = carrier }), stream(carrier.id))]
    }

    private mutating func changeCarrier() -> Step {
        let index = carriers.indices.randomElement(using: &random)!
        if Bool.random(using: &random) {
            carriers[index].gateways.append(gateway())
        } else {
            carriers[index].gateways.removeFirst()
        }
        if carriers[index].gateways.isEmpty { carriers[index].gateways = [gateway()] }
        let carrier = carriers[index]
        return [(.carrierChanged(.with { $0.carrier = carrier }), stream(carrier.id))]
    }

    private mutating func watchGateway() -> Step {
        let carrier = carriers.randomElement(using: &random)!
        let gateway = carrier.gateways.last!.id
        let registered = GatewayRegistrationChanged.with {
            $0.gatewayID = gateway
            $0.carrierID = carrier.id
            $0.state = Bool.random(using: &random) ? .registered : .failing
            $0.worker = "s1"
        }
        let seen = GatewayServiceChanged.with {
            $0.gatewayID = gateway
            $0.carrierID = carrier.id
            $0.inService = Bool.random(using: &random)
            $0.worker = "s1"
        }
        return [(.gatewayRegistrationChanged(registered), stream(gateway)), (.gatewayServiceChanged(seen), stream(gateway))]
    }

    private mutating func recordCall() -> Step {
        let (kept, removed) = (id(), id())
        let line = subscribers.randomElement(using: &random)!
        func started(_ id: Data, of call: Data) -> RecordingStarted {
            .with {
                $0.recordingID = id
                $0.callID = call
                $0.caller.subscriberID = line.id
                $0.caller.tenantID = line.tenantID
                $0.isCallers = true
                $0.mediaWorker = "m1"
                $0.sealedKey = Data(repeating: 7, count: 45)
            }
        }
        let finished = RecordingFinished.with {
            $0.recordingID = kept
            $0.sha256 = Data(repeating: 1, count: 32)
            $0.milliseconds = 12_000
        }
        let call = id()
        return [
            (.recordingStarted(started(kept, of: call)), stream(kept)), (.recordingFinished(finished), stream(kept)),
            (.recordingStarted(started(removed, of: call)), stream(removed)),
            (.recordingRemoved(.with { $0.recordingID = removed }), stream(removed)),
        ]
    }

    private mutating func addNumber() -> Step {
        var number = Number()
        number.id = id()
        number.providerID = providers.randomElement(using: &random)!.id
        counter += 1
        number.e164 = "+1209\(1_000_000 + counter)"
        numbers.append(number)
        return [(.numberAdded(.with { $0.number = number }), stream(number.id))]
    }

    private mutating func moveNumber() -> Step {
        guard let index = numbers.indices.randomElement(using: &random) else { return addNumber() }
        numbers[index].subscriberID =
            numbers[index].subscriberID.isEmpty ? subscribers.randomElement(using: &random)!.id : Data()
        let number = numbers[index]
        return [(.numberChanged(.with { $0.number = number }), stream(number.id))]
    }

    private mutating func publishDeck() -> Step {
        let deck = decks.randomElement(using: &random)!
        var version = RateDeckVersion()
        version.deckID = deck.id
        version.version = deckVersions[deck.id, default: 0] + 1
        deckVersions[deck.id] = version.version
        version.effectiveAt = (now + .seconds(Int.random(in: -100...100, using: &random))).microseconds
        for _ in 0..<Int.random(in: 1...30, using: &random) {
            version.entries.append(
                .with {
                    $0.prefix = String(Int.random(in: 1...99_999, using: &random))
                    $0.perMinuteMicros = Int64.random(in: 0...100_000, using: &random)
                })
        }
        guard Int.random(in: 0..<3, using: &random) == 0 else {
            return [(.rateDeckVersionPublished(.with { $0.version = version }), stream(deck.id))]
        }
        // In parts, under an import; now and then nothing becomes of it.
        let source = id()
        var keys: Set<String> = []
        let rows = version.entries.filter { keys.insert($0.key).inserted }.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        var step: Step = []
        for (chunk, start) in stride(from: 0, to: rows.count, by: 10).enumerated() {
            var added = RateDeckRowsAdded(rows: rows[start..<min(rows.count, start + 10)])
            (added.importID, added.deckID, added.chunk) = (source, deck.id, UInt32(chunk))
            added.hash = Data(repeating: UInt8(chunk), count: 32)
            step.append((.rateDeckRowsAdded(added), stream(source)))
        }
        guard Int.random(in: 0..<4, using: &random) > 0 else {
            deckVersions[deck.id] = version.version - 1
            return step
        }
        version.entries = []
        version.importID = source
        version.rows = UInt64(rows.count)
        return step + [(.rateDeckVersionPublished(.with { $0.version = version }), stream(deck.id))]
    }

    /// A domain is added, and found in DNS or not.
    private mutating func ownDomain() -> Step {
        var domain = Domain()
        domain.id = id()
        domain.providerID = providers.randomElement(using: &random)!.id
        domain.name = name("domain") + ".example"
        var looked = domain
        looked.checkedAt = now.microseconds
        if Int.random(in: 0..<4, using: &random) > 0 { looked.verifiedAt = now.microseconds } else { looked.fault = "no record" }
        return [
            (.domainAdded(.with { $0.domain = domain }), stream(domain.id)),
            (.domainChanged(.with { $0.domain = looked }), stream(domain.id)),
        ]
    }

    /// Somebody signs up by mail, which reaches its address at the second attempt or never.
    private mutating func user() -> Step {
        var letter = Letter()
        letter.id = id()
        letter.subjectID = letter.id
        letter.to = name("user") + "@example.net"
        letter.wantedAt = now.microseconds
        let isGivenUp = Int.random(in: 0..<4, using: &random) == 0 && !users.isEmpty
        let failed = LetterFailed.with {
            $0.letterID = letter.id
            $0.attempt = 1
            $0.reason = "the server answered 451"
            $0.retryAt = isGivenUp ? 0 : now.microseconds + 30_000_000
        }
        let first: Step = [
            (.letterWanted(.with { $0.letter = letter }), stream(letter.id)), (.letterFailed(failed), stream(letter.id)),
        ]
        if isGivenUp { return first }
        var user = User()
        user.id = letter.id
        user.role = .customerAdmin
        user.scopeID = customers.randomElement(using: &random)!.id
        user.email = letter.to
        user.createdAt = now.microseconds
        users.append(user)
        var changed = user
        changed.passwordSetAt = now.microseconds
        let sent = LetterSent.with {
            $0.letterID = letter.id
            $0.attempt = 2
        }
        let used = LetterUsed.with {
            $0.letterID = letter.id
            $0.userID = user.id
        }
        // One more, which nobody has sent yet.
        var reset = letter
        reset.id = id()
        reset.kind = .passwordReset
        return first + [
            (.letterWanted(.with { $0.letter = reset }), stream(reset.id)), (.letterSent(sent), stream(letter.id)), (.userCreated(.with { $0.user = user }), stream(user.id)),
            (.letterUsed(used), stream(letter.id)), (.userChanged(.with { $0.user = changed }), stream(user.id)),
        ]
    }

    private mutating func logIn() -> Step {
        guard let user = users.randomElement(using: &random) else { return self.user() }
        if Int.random(in: 0..<8, using: &random) == 0, user.id != users.first?.id {
            users.removeAll { $0.id == user.id }
            let removed = EntityRemoved.with {
                $0.kind = .user
                $0.id = user.id
            }
            return [(.entityRemoved(removed), stream(user.id))]
        }
        let failed = UserLoginFailed.with {
            $0.userID = user.id
            $0.failures = 1
        }
        let session = id()
        let entered = UserLoggedIn.with {
            $0.userID = user.id
            $0.tokenID = session
            $0.totpStep = 7
        }
        return [(.userLoginFailed(failed), stream(user.id)), (.userLoggedIn(entered), stream(user.id))]
    }

    private mutating func token() -> Step {
        if tokens.count > 1, Bool.random(using: &random) {
            let token = tokens.remove(at: tokens.indices.randomElement(using: &random)!)
            return [(.tokenRevoked(.with { $0.tokenID = token.id }), stream(token.id))]
        }
        var token = Token()
        token.id = id()
        token.secretHash = Data(random.bytes(32))
        token.scopeID = providers.randomElement(using: &random)!.id
        tokens.append(token)
        return [(.tokenIssued(.with { $0.token = token }), stream(token.id))]
    }

    private mutating func changeSecurityGroup() -> Step {
        if groups.isEmpty || Int.random(in: 0..<4, using: &random) == 0 {
            var group = SecurityGroup()
            group.id = id()
            group.providerID = providers.randomElement(using: &random)!.id
            group.name = name("group")
            groups.append(group)
            return [(.securityGroupCreated(.with { $0.group = group }), stream(group.id))]
        }
        let chosen = groups.indices.randomElement(using: &random)!
        groups[chosen].countries = ["AT", "US"]
        return [(.securityGroupChanged(.with { $0.group = groups[chosen] }), stream(groups[chosen].id))]
    }

    /// An export of call records is set up or changed; one of them makes its next file, which is delivered.
    private mutating func exportRecords() -> Step {
        if exports.isEmpty || Int.random(in: 0..<4, using: &random) == 0 {
            var export = CdrExport()
            export.id = id()
            export.providerID = providers.randomElement(using: &random)!.id
            export.name = name("export")
            exports.append(export)
            return [(.cdrExportCreated(.with { $0.export = export }), stream(export.id))]
        }
        let chosen = exports.indices.randomElement(using: &random)!
        if Int.random(in: 0..<4, using: &random) == 0 {
            exports[chosen].name = name("export")
            return [(.cdrExportChanged(.with { $0.export = exports[chosen] }), stream(exports[chosen].id))]
        }
        let export = exports[chosen].id
        let previous = files.last { $0.exportID == export }
        let file = CdrFileExported.with {
            $0.exportID = export
            $0.file = (previous?.file ?? 0) + 1
            $0.firstRecord = (previous?.firstRecord ?? 1) + (previous?.records ?? 0)
            $0.records = UInt64.random(in: 0...9, using: &random)
            $0.sha256 = Data(random.bytes(32))
            $0.previousSha256 = previous?.sha256 ?? Data(count: 32)
        }
        files.append(file)
        let delivered = CdrFileDelivered.with {
            $0.exportID = export
            $0.file = file.file
            $0.host = "files.example"
        }
        return [(.cdrFileExported(file), stream(export)), (.cdrFileDelivered(delivered), stream(export))]
    }

    private mutating func worker() -> Step {
        var worker = Worker()
        worker.name = name("w")
        worker.curvePublicKey = Data(random.bytes(32))
        let gone = "w\(Int.random(in: 2...9, using: &random))"
        return [
            (.workerEnrolled(.with { $0.worker = worker }), workerStream),
            (.workerRevoked(.with { $0.name = gone }), workerStream),
        ]
    }

    private mutating func keepBooks() -> Step {
        let customer = customers.randomElement(using: &random)!
        let number = (invoices[customer.providerID] ?? 0) + 1
        invoices[customer.providerID] = number
        return BooksDay.step(
            provider: customer.providerID, customer: customer, after: number - 1, number: number, through: number, above: invoices.values.reduce(0, +),
            random: &random, at: now)
    }

    private mutating func topUp() -> Step {
        let customer = customers.randomElement(using: &random)!
        let amount = Int64.random(in: 1...50_000_000, using: &random)
        let journal = JournalPosted.with {
            $0.id = id()
            $0.kind = .topUp
            $0.postings = [
                Posting(.cash(ProviderID(customer.providerID)!, currency), micros: -amount),
                Posting(.customer(CustomerID(customer.id)!, currency), micros: amount),
            ]
        }
        return [(.journalPosted(journal), stream(journal.id))]
    }

    /// A plan gets a monthly price, and a customer is charged by it.
    private mutating func chargeFee() -> Step {
        let customer = customers.randomElement(using: &random)!
        let index = plans.firstIndex { $0.id == customer.servicePlanID }!
        plans[index].subscriberMonthMicros = 2_000_000
        let fee = FeeCharged.with {
            $0.id = id()
            $0.payerID = customer.id
            $0.payeeID = customer.providerID
            $0.planID = customer.servicePlanID
            $0.periodStart = (now + .seconds(-30 * 86_400)).microseconds
            $0.periodEnd = now.microseconds
            $0.amountMicros = 2_000_000
        }
        let journal = JournalPosted.with {
            $0.id = fee.id
            $0.kind = .fee
            $0.postings = [
                Posting(.customer(CustomerID(customer.id)!, currency), micros: -2_000_000),
                Posting(.providerRevenue(ProviderID(customer.providerID)!, currency), micros: 2_000_000),
            ]
        }
        return [
            (.servicePlanChanged(.with { $0.plan = plans[index] }), stream(plans[index].id)), (.feeCharged(fee), stream(fee.id)),
            (.journalPosted(journal), stream(fee.id)),
        ]
    }

    private mutating func buyPackage() -> Step {
        let customer = customers.randomElement(using: &random)!
        let bought = PackageBought.with {
            $0.id = id()
            $0.customerID = customer.id
            $0.planID = customer.servicePlanID
            $0.package.isRenewing = Bool.random(using: &random)
            $0.startsAt = now.microseconds
            $0.endsAt = (now + .seconds(86_400)).microseconds
        }
        var kept = bought
        kept.id = id()
        kept.package.isRenewing = true
        var step: Step = [(.packageBought(bought), stream(bought.id)), (.packageBought(kept), stream(kept.id))]
        if Bool.random(using: &random) {
            let cancelled = PackageCancelled.with {
                $0.id = bought.id
                $0.customerID = customer.id
            }
            step.append((.packageCancelled(cancelled), stream(bought.id)))
        }
        return step
    }

    private func party(_ subscriber: Subscriber) -> CallParty {
        let tenant = tenants.first { $0.id == subscriber.tenantID }!
        let customer = customers.first { $0.id == tenant.customerID }!
        return .with {
            $0.subscriberID = subscriber.id
            $0.tenantID = tenant.id
            $0.customerID = customer.id
            $0.providerID = customer.providerID
        }
    }

    private mutating func startCall() -> Step {
        var call = CallStarted()
        call.callID = id()
        call.worker = "signal\(Int.random(in: 1...3, using: &random))"
        call.startedAt = now.microseconds
        call.caller = party(subscribers.randomElement(using: &random)!)
        if Bool.random(using: &random) {
            call.called = party(subscribers.randomElement(using: &random)!)
        } else {
            call.direction = .outbound
            let carrier = carriers.randomElement(using: &random)!
            call.called.carrierID = carrier.id
            // Every other call has gateways with limits.
            if Bool.random(using: &random) {
                call.route = carrier.gateways.map { gateway in .with { $0.gatewayID = gateway.id; $0.isCounted = true } }
                call.route[0].isPaced = true
                call.route.append(.with { $0.carrierID = carrier.id; $0.verdict = .noRule })
            }
            let payer = AccountRef.customer(CustomerID(call.caller.customerID)!, currency)
            call.rates = [
                .with {
                    $0.edge = "retail"
                    $0.currency = currency.code
                    $0.decimals = 4
                    $0.entry.firstIncrementSeconds = 30
                    $0.entry.nextIncrementSeconds = 6
                    $0.entry.perMinuteMicros = 6_000
                    $0.payer = payer
                    $0.payee = .providerRevenue(ProviderID(call.caller.providerID)!, currency)
                }
            ]
            call.hold = .with {
                $0.account = payer
                $0.amountMicros = 12_000
                $0.grantedSeconds = 120
                if counter % 3 == 0 { $0.allowances = [freeMinute(of: call)] }
            }
            if let group = groups.randomElement(using: &random) { call.securityGroupID = group.id }
        }
        live.append(call)
        return [(.callStarted(call), stream(call.callID))]
    }

    /// Sixty seconds of some plan's first allowance, since the beginning of time.
    private func freeMinute(of call: CallStarted) -> AllowanceUse {
        .with {
            $0.sourceID = call.caller.providerID
            $0.number = 1
            $0.seconds = 60
        }
    }

    private mutating func updateCall() -> Step {
        guard let index = live.indices.randomElement(using: &random) else { return startCall() }
        let call = live[index]
        let snapshot = CallSnapshot.with { $0.sdpA = "v=0 \(counter)" }
        switch Int.random(in: 0..<4, using: &random) {
        case 0 where call.hasHold:
            let renewed = CreditRenewed.with {
                $0.callID = call.callID
                $0.hold = call.hold
                $0.hold.amountMicros = Int64.random(in: 0...100_000, using: &random)
            }
            return [(.creditRenewed(renewed), stream(call.callID))]
        case 1:
            let adopted = CallAdopted.with {
                $0.callID = call.callID
                $0.worker = "signal\(Int.random(in: 1...3, using: &random))"
            }
            return [(.callAdopted(adopted), stream(call.callID))]
        case 2:
            let updated = CallUpdated.with {
                $0.callID = call.callID
                $0.snapshot = snapshot
            }
            return [(.callUpdated(updated), stream(call.callID))]
        default: return answer(call, snapshot)
        }
    }

    private mutating func answer(_ call: CallStarted, _ snapshot: CallSnapshot) -> Step {
        answered.insert(call.callID)
        let event = CallAnswered.with {
            $0.callID = call.callID
            $0.answeredAt = now.microseconds
            $0.snapshot = snapshot
            $0.gatewayID = call.route.filter { $0.verdict == .planned }.randomElement(using: &random)?.gatewayID ?? Data()
        }
        return [(.callAnswered(event), stream(call.callID))]
    }

    /// A charge is put right by half a minute's price, up or down.
    private mutating func correctCharge() -> Step {
        guard let cdr = charged.randomElement(using: &random), let charge = cdr.charges.first else { return chargeCall() }
        corrections += 1
        let difference: Int64 = Bool.random(using: &random) ? 3_000 : -3_000
        let journal = JournalPosted.with {
            $0.id = id()
            $0.kind = .rerating
            $0.callID = cdr.callID
            $0.postings = [Posting(charge.payer, micros: -difference), Posting(charge.payee, micros: difference)]
        }
        let rerate = id()
        let corrected = ChargeCorrected.with {
            $0.number = corrections
            $0.cdrNumber = cdr.number
            $0.callID = cdr.callID
            $0.rerateID = rerate
            $0.journalID = journal.id
            $0.charge = charge
            $0.differenceMicros = difference
        }
        let stepped = RerateStepped.with {
            $0.rerateID = rerate
            $0.corrections = 1
        }
        return [
            (.journalPosted(journal), stream(cdr.callID)), (.chargeCorrected(corrected), stream(cdr.callID)),
            (.rerateStepped(stepped), stream(rerate)),
        ]
    }

    /// A step on the way to a first charge: a call to a carrier starts, is answered, ends.
    private mutating func chargeCall() -> Step {
        guard let index = live.firstIndex(where: { !$0.rates.isEmpty }) else { return startCall() }
        if answered.contains(live[index].callID) { return endCall(at: index) }
        return answer(live[index], CallSnapshot())
    }

    private mutating func endCall() -> Step { endCall(at: live.indices.randomElement(using: &random)!) }

    private mutating func endCall(at index: Int) -> Step {
        let call = live.remove(at: index)
        cdrs += 1
        var cdr = Cdr()
        cdr.number = cdrs
        cdr.callID = call.callID
        cdr.startedAt = call.startedAt
        cdr.caller = call.caller
        cdr.called = call.called
        cdr.endedAt = now.microseconds
        cdr.securityGroupID = call.securityGroupID
        cdr.direction = call.direction
        cdr.destinationPrefix = call.direction == .outbound ? "120\(Int.random(in: 0...9, using: &random))" : ""
        for (index, step) in call.route.enumerated() where step.verdict == .planned {
            cdr.attempts.append(
                .with {
                    $0.gatewayID = step.gatewayID
                    $0.startedAt = call.startedAt
                    $0.ringingAt = index == 0 ? 0 : call.startedAt + 1_200_000
                    $0.endedAt = now.microseconds
                    $0.sipStatus = index == 0 ? 503 : 200
                })
        }
        cdr.cause = cdr.attempts.isEmpty ? .refused : .callerHungUp
        cdr.durationMs = answered.contains(call.callID) ? UInt64.random(in: 0...400_000, using: &random) : 0
        var steps: Step = [(.callEnded(.with { $0.callID = call.callID }), stream(call.callID))]
        if answered.remove(call.callID) != nil, !call.rates.isEmpty,
            let charges = try? Rater.charges(call.rates, milliseconds: cdr.durationMs),
            let postings = try? Rater.postings(for: charges)
        {
            cdr.charges = charges
            cdr.charges[0].allowances = call.hold.allowances
            cdr.journalID = id()
            let journal = JournalPosted.with {
                $0.id = cdr.journalID
                $0.callID = call.callID
                $0.postings = postings
            }
            charged.append(cdr)
            steps.append((.cdrRecorded(.with { $0.cdr = cdr }), stream(call.callID)))
            steps.append((.journalPosted(journal), stream(journal.id)))
        } else {
            steps.append((.cdrRecorded(.with { $0.cdr = cdr }), stream(call.callID)))
        }
        return steps
    }
}

import Foundation
import Model
import Primitives
import SwiftProtobuf

/// Steps that change who and what there is: providers and all below them, users, domains, exports, workers.
extension History {
    mutating func addProvider() -> Step {
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

    mutating func addCustomer() -> Step {
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

    mutating func addTenant() -> Step {
        var tenant = Tenant()
        tenant.id = id()
        tenant.customerID = customers.randomElement(using: &random)!.id
        tenant.name = name("tenant")
        tenant.domain = tenant.name + ".example"
        tenants.append(tenant)
        return [(.tenantCreated(.with { $0.tenant = tenant }), stream(tenant.id))]
    }

    mutating func addSubscriber() -> Step {
        var subscriber = Subscriber()
        subscriber.id = id()
        subscriber.tenantID = tenants.randomElement(using: &random)!.id
        subscriber.username = name("user")
        subscriber.aliases = [name("10")]
        subscriber.sealedCredential = Data(random.bytes(60))
        subscribers.append(subscriber)
        return [(.subscriberCreated(.with { $0.subscriber = subscriber }), stream(subscriber.id))]
    }

    mutating func changeSubscriber() -> Step {
        let index = subscribers.indices.randomElement(using: &random)!
        subscribers[index].aliases = (0..<Int.random(in: 0...3, using: &random)).map { _ in name("20") }
        subscribers[index].status = Status.allCases.randomElement(using: &random)!
        let subscriber = subscribers[index]
        return [(.subscriberChanged(.with { $0.subscriber = subscriber }), stream(subscriber.id))]
    }

    mutating func removeSubscriber() -> Step {
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

    mutating func gateway() -> Gateway {
        var gateway = Gateway()
        gateway.id = id()
        gateway.host = "192.0.2.\(Int.random(in: 1...254, using: &random))"
        counter += 1
        gateway.port = UInt32(5_000 + counter)
        return gateway
    }

    mutating func addCarrier() -> Step {
        var carrier = Carrier()
        carrier.id = id()
        carrier.providerID = providers.randomElement(using: &random)!.id
        carrier.gateways = [gateway(), gateway()]
        carriers.append(carrier)
        return [(.carrierCreated(.with { $0.carrier = carrier }), stream(carrier.id))]
    }

    mutating func changeCarrier() -> Step {
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

    mutating func addNumber() -> Step {
        var number = Number()
        number.id = id()
        number.providerID = providers.randomElement(using: &random)!.id
        counter += 1
        number.e164 = "+1209\(1_000_000 + counter)"
        numbers.append(number)
        return [(.numberAdded(.with { $0.number = number }), stream(number.id))]
    }

    mutating func moveNumber() -> Step {
        guard let index = numbers.indices.randomElement(using: &random) else { return addNumber() }
        numbers[index].subscriberID =
            numbers[index].subscriberID.isEmpty ? subscribers.randomElement(using: &random)!.id : Data()
        let number = numbers[index]
        return [(.numberChanged(.with { $0.number = number }), stream(number.id))]
    }

    /// A domain is added, and found in DNS or not.
    mutating func ownDomain() -> Step {
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
    mutating func user() -> Step {
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

    mutating func logIn() -> Step {
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

    mutating func token() -> Step {
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

    mutating func changeSecurityGroup() -> Step {
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
    mutating func exportRecords() -> Step {
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

    mutating func worker() -> Step {
        var worker = Worker()
        worker.name = name("w")
        worker.curvePublicKey = Data(random.bytes(32))
        let gone = "w\(Int.random(in: 2...9, using: &random))"
        return [
            (.workerEnrolled(.with { $0.worker = worker }), workerStream),
            (.workerRevoked(.with { $0.name = gone }), workerStream),
        ]
    }
}

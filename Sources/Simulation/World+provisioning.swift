import ControlPlane
import Foundation
import Model
import Primitives
import SwiftProtobuf

/// The platform as an operator sets it up, by the commands of the API; and what the phones are going to do.
extension World {
    private func admin(_ command: AdminCommand) throws -> UUIDv7 {
        guard let control else { preconditionFailure("provisioning comes before any fault") }
        let request = AdminRequest(command, actor: "simulation", requestID: "provisioning")
        for case .adminResult(_, let result) in control.core.process([.admin(ticket: 1, request)], now: now, wall: wall) {
            return try result.get().id
        }
        preconditionFailure("a command without an answer")
    }

    func provision() throws {
        for (name, kind) in [("s1", WorkerKind.signal), ("s2", .signal), ("m1", .media), ("m2", .media)] {
            var worker = Worker()
            worker.name = name
            worker.kind = kind
            worker.curvePublicKey = Data(name.utf8) + Data(repeating: 0x40, count: 32 - name.utf8.count)
            _ = try admin(.enrollWorker(worker))
        }
        let provider = try admin(.createProvider(.with {
            $0.name = "Kages"; $0.namespace = "kages.example"; $0.currency = "USD"; $0.timeZone = "UTC"
        }))
        let contact = try admin(.createContact(.with { $0.providerID = Data(provider.bytes); $0.name = "Ada" }))
        let deck = try admin(.createRateDeck(.with {
            $0.providerID = Data(provider.bytes); $0.name = "Retail"; $0.currency = "USD"; $0.decimals = 4
        }))
        _ = try admin(.publishDeckVersion(.with {
            $0.deckID = Data(deck.bytes)
            $0.effectiveAt = wall.microseconds
            $0.entries = [.with {
                $0.prefix = "1"; $0.destination = "USA"; $0.connectionFeeMicros = 10_000; $0.perMinuteMicros = 30_000
                $0.firstIncrementSeconds = 6; $0.nextIncrementSeconds = 6
            }]
        }))
        let dialPlan = try admin(.createDialPlan(.with {
            $0.providerID = Data(provider.bytes); $0.name = "USA"
            $0.rules = [.with { $0.description_p = "ten digits"; $0.match = "^[2-9][0-9]{9}$"; $0.replacement = "+1\\0" }]
        }))
        let carrier = try admin(.createCarrier(.with {
            $0.providerID = Data(provider.bytes); $0.name = "Carrier"
            $0.gateways = [
                .with { $0.name = "down"; $0.host = "10.0.2.9"; $0.port = 5060 },
                .with { $0.name = "up"; $0.host = "10.0.2.1"; $0.port = 5060 },
            ]
        }))
        let plan = try admin(.createServicePlan(.with {
            $0.providerID = Data(provider.bytes); $0.name = "Prepaid"; $0.paymentMode = .prepaid
            $0.rateDeckID = Data(deck.bytes); $0.dialPlanID = Data(dialPlan.bytes); $0.carrierID = Data(carrier.bytes)
        }))
        let customer = try admin(.createCustomer(.with {
            $0.providerID = Data(provider.bytes); $0.contactID = Data(contact.bytes); $0.servicePlanID = Data(plan.bytes)
            $0.name = "Acme"; $0.currency = "USD"
        }))
        self.customer = CustomerID(customer)
        // In every third world there is hardly any money.
        let money = seed % 3 == 0 ? 40_000 : 5_000_000 as Int64
        _ = try admin(.topUp(self.customer, .with { $0.micros = money; $0.currency = "USD" }, reason: "simulation"))
        let tenant = try admin(.createTenant(.with {
            $0.customerID = Data(customer.bytes); $0.name = "Acme"; $0.domain = domain; $0.countryCode = "1"; $0.areaCode = "209"
            // In two worlds of five the phones send their media to each other.
            $0.mediaPath = seed % 5 < 2 ? .direct : .anchored
        }))
        var first = UUIDv7(high: 0, low: 0)
        for index in 0..<self.plan.phones {
            let subscriber = try admin(.createSubscriber(.with {
                $0.tenantID = Data(tenant.bytes); $0.username = "p\(index)"; $0.aliases = ["\(1_000 + index)"]; $0.allowedPrefixes = ["+1"]
                $0.dialTimeoutSeconds = 20
                // In every other world some lines send on what they do not take, in rings and to the outside.
                if seed % 2 == 1 {
                    let next = "\(1_000 + (index + 1) % self.plan.phones)"
                    switch index % 4 {
                    case 1: $0.forwards = .with { $0.busy = next; $0.noAnswer = next; $0.notRegistered = next }
                    case 2: $0.forwards = .with { $0.always = "1001"; $0.busy = next }
                    case 3: $0.forwards = .with { $0.busy = "2092488700"; $0.noAnswer = "1002" }
                    default: break
                    }
                }
            }, password: Password("secret-\(index)")))
            if index == 0 { first = subscriber }
            let address = SocketAddress("10.1.0.\(index + 1):\(5_060 + index)")!
            phones.append(
                SimulatedPhone(
                    name: "p\(index)", address: address, server: index % 3 == 0 ? cluster : signals[index % 2].listener,
                    account: .line(user: "p\(index)", domain: domain, password: "secret-\(index)"), seed: seed &+ UInt64(index) &* 97))
        }
        let number = try admin(.addNumber(.with { $0.providerID = Data(provider.bytes); $0.e164 = "+12095550100"; $0.voice = true }))
        _ = try admin(.assignNumber(NumberID(number), to: SubscriberID(first), expectedVersion: nil))
        phones.append(
            SimulatedPhone(
                name: "gw", address: SocketAddress("10.0.2.1:5060")!, server: cluster, account: .gateway(user: "+13105550111"), seed: seed &+ 991))
    }

    

    /// Who dials what and when, and who is killed.
    func script() {
        for phone in phones { (phone.holdsPermille, phone.transfersPermille) = (plan.holdsPermille, plan.transfersPermille) }
        for phone in phones { schedule(phone.name, at: now + .milliseconds(Int64(random.next() % 2_000))) }
        for _ in 0..<plan.calls {
            let caller = Int(random.next() % UInt64(phones.count))
            let kind = random.next() % 10
            let number: String
            if caller == phones.count - 1 {
                number = kind < 8 ? "+12095550100" : "+12095550199"
            } else if kind < 5 {
                number = "\(1_000 + Int(random.next() % UInt64(plan.phones)))"
            } else if kind < 9 {
                number = "2092488700"
            } else {
                number = "99"
            }
            let at = 4_000 + random.next() % UInt64(plan.load.milliseconds - 4_000)
            timeline.add(.dial(phone: caller, number: number), at: now + .milliseconds(Int64(at)))
        }
        for kill in plan.kills {
            timeline.add(.kill(kill.target), at: now + kill.at)
            timeline.add(.start(kill.target), at: now + kill.at + kill.downFor)
        }
    }
}

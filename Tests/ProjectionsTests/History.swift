import Foundation
import Model
import Primitives

/// Draws a plausible history from a seed: entities come, change and go, money is paid in, calls start, are answered,
/// adopted, renewed and ended with their records and charges.
struct History: Sendable {
    var random: RandomSource
    var now = WallTime(microseconds: 1_790_000_000_000_000)
    let currency = Currency("EUR")!

    var providers: [Provider] = []
    var decks: [RateDeck] = []
    var deckVersions: [Data: UInt32] = [:]
    var plans: [ServicePlan] = []
    var customers: [Customer] = []
    var tenants: [Tenant] = []
    var subscribers: [Subscriber] = []
    var carriers: [Carrier] = []
    var numbers: [Number] = []
    var tokens: [Token] = []
    var exports: [CdrExport] = []
    var groups: [SecurityGroup] = []
    var users: [User] = []
    var rare = 0
    var files: [CdrFileExported] = []
    var live: [CallStarted] = []
    /// Of each provider, the last number.
    var invoices: [Data: UInt64] = [:]
    var answered: Set<Data> = []
    var counter = 0
    let workerStream: UUIDv7
    var cdrs: UInt64 = 0
    var charged: [Cdr] = []
    var corrections: UInt64 = 0

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

    mutating func step() -> Step {
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

    mutating func id() -> Data { Data(UUIDv7(at: now, random: &random).bytes) }

    mutating func name(_ kind: String) -> String {
        counter += 1
        return "\(kind)\(counter)"
    }

    func stream(_ id: Data) -> UUIDv7 { UUIDv7(bytes: id)! }
}

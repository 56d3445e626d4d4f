import ControlPlane
import Foundation
import LMDB
import Ledger
import Model
import Primitives
import Rating
import Subjects
import SwiftProtobuf

/// Puts billed calls into the log of a stopped platform, sealed with its keys, as a control plane would have recorded them.
///
///     call-writer DATA PROVIDER CUSTOMER DECK COUNT [WHOLESALE_DECK]
///
/// Each came in a minute after the one before, took 60 seconds and cost its customer 0.04 by version 1 of the deck; with a wholesale deck, the provider
/// 0.03 by version 1 of that.
func stop(_ text: String) -> Never {
    FileHandle.standardError.write(Data((text + "\n").utf8))
    exit(64)
}

let arguments = CommandLine.arguments
guard [6, 7].contains(arguments.count), let provider = ProviderID(arguments[2]), let customer = CustomerID(arguments[3]),
    let deck = RateDeckID(arguments[4]), let count = UInt64(arguments[5]), let currency = Currency("USD")
else { stop("usage: call-writer DATA PROVIDER CUSTOMER DECK COUNT [WHOLESALE_DECK]") }

let directory = DataDirectory(arguments[1])
let log = try LMDBEventLog(directory: directory.ledger, durability: .none)
let keys = try ControlKeys(directory, logName: "", mayMake: false).subjects(directory)
var random = RandomSource.system
var time = WallTime(microseconds: Int64(Date().timeIntervalSince1970) * 1_000_000) + .seconds(-61 * Int(count))
let (subscriber, tenant) = (UUIDv7(at: time, random: &random), UUIDv7(at: time, random: &random))

@MainActor func append(_ call: UUIDv7, _ events: [Event], _ sides: CallSubjects) throws {
    var stored: [NewEvent] = []
    for var event in events {
        try keys.seal(&event, &random) { _ in sides }
        stored.append(NewEvent(stream: call, type: event.storedType, schemaVersion: event.schemaVersion, payload: event.serialized()))
    }
    _ = try log.append([Commit(events: stored, actor: "s1", cause: "call-writer", time: time)])
}

for number in 1...count {
    let call = UUIDv7(at: time, random: &random)
    var start = CallStarted()
    start.callID = Data(call.bytes)
    start.worker = "s1"
    start.startedAt = time.microseconds
    start.direction = .outbound
    start.caller = .with {
        $0.subscriberID = Data(subscriber.bytes)
        $0.tenantID = Data(tenant.bytes)
        $0.customerID = customer.data
        $0.providerID = provider.data
        $0.number = "+12095550100"
    }
    start.called.number = "+1209248\(1_000 + number % 9_000)"
    start.calledE164 = start.called.number
    start.dialled = String(start.called.number.dropFirst(2))
    start.rates = [
        .with {
            $0.edge = "retail"
            $0.deckID = deck.data
            $0.deckVersion = 1
            $0.currency = currency.code
            $0.decimals = 4
            $0.entry = .with {
                $0.prefix = "1"
                $0.destination = "USA"
                ($0.firstIncrementSeconds, $0.nextIncrementSeconds) = (60, 60)
                $0.perMinuteMicros = 40_000
            }
            $0.payer = .customer(customer, currency)
            $0.payee = .providerRevenue(provider, currency)
        }
    ]
    if arguments.count == 7, let wholesale = RateDeckID(arguments[6]) {
        var rate = start.rates[0]
        (rate.edge, rate.deckID, rate.entry.perMinuteMicros) = ("wholesale", wholesale.data, 30_000)
        (rate.payer, rate.payee) = (.providerCost(provider, currency), .providerPayable(provider, currency))
        start.rates.append(rate)
    }
    let sides = CallSubjects(start.caller, start.called)
    let answer = CallAnswered.with { ($0.callID, $0.answeredAt) = (start.callID, start.startedAt) }
    try append(call, [.callStarted(start), .callAnswered(answer)], sides)
    time = time + .seconds(60)
    let charges = try Rater.charges(start.rates, milliseconds: 60_000)
    let journal = UUIDv7(at: time, random: &random)
    try append(
        call,
        [
            .callEnded(
                .with {
                    ($0.callID, $0.endedAt, $0.cause, $0.sipStatus, $0.worker) = (start.callID, time.microseconds, .callerHungUp, 200, "s1")
                }),
            .journalPosted(
                .with {
                    ($0.id, $0.kind, $0.callID) = (Data(journal.bytes), .call, start.callID)
                    $0.postings = (try? Rater.postings(for: charges)) ?? []
                }),
            .cdrRecorded(
                .with {
                    $0.cdr = .with {
                        ($0.number, $0.callID, $0.direction) = (number, start.callID, .outbound)
                        ($0.caller, $0.called, $0.dialled, $0.calledE164) = (start.caller, start.called, start.dialled, start.calledE164)
                        ($0.startedAt, $0.answeredAt, $0.endedAt) = (start.startedAt, start.startedAt, time.microseconds)
                        ($0.durationMs, $0.cause, $0.sipStatus, $0.worker) = (60_000, .callerHungUp, 200, "s1")
                        ($0.charges, $0.journalID) = (charges, Data(journal.bytes))
                    }
                }),
        ], sides)
}
try keys.sync()
print(log.head)

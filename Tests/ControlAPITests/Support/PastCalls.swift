import Foundation
import Model
import Primitives
import SwiftProtobuf

@testable import ControlAPI

/// Facts of calls between two estates, as the control plane would have recorded them.
struct PastCalls {
    let call: UUIDv7
    let running: UUIDv7
    let events: [(stream: UUIDv7, event: Event)]

    /// A call from one estate's subscriber to the other's, charged on every edge, and one that still runs.
    init(from caller: Estate, to called: Estate, number: UInt64 = 1, isAnonymous: Bool = false) {
        var random = RandomSource(seed: 6 + number)
        let start = WallTime(microseconds: 1_790_000_000_000_000)
        call = UUIDv7(at: start, random: &random)
        running = UUIDv7(at: start, random: &random)
        let journal = UUIDv7(at: start, random: &random)
        let parties = (PastCalls.party(caller, "1000"), PastCalls.party(called, "+4311003"))
        let started = { (id: UUIDv7) in
            CallStarted.with {
                $0.callID = Data(id.bytes)
                $0.worker = "s1"
                $0.direction = .outbound
                $0.caller = parties.0
                $0.called = parties.1
                $0.dialled = "011003"
                $0.startedAt = start.microseconds
                $0.isAnonymous = isAnonymous
            }
        }
        let retail = PastCalls.charge(
            "retail", 22_000, from: (.customer, caller.customer), to: (.providerRevenue, caller.provider))
        let carrier = PastCalls.charge(
            "carrier", 5_000, from: (.carrierCost, called.provider), to: (.carrierPayable, called.carrier))
        let cdr = Cdr.with { [call] in
            $0.number = number
            $0.callID = Data(call.bytes)
            $0.direction = .outbound
            $0.caller = parties.0
            $0.called = parties.1
            $0.dialled = "011003"
            $0.calledE164 = "+4311003"
            $0.startedAt = start.microseconds
            $0.answeredAt = start.microseconds + 2_000_000
            $0.endedAt = start.microseconds + 32_000_000
            $0.durationMs = 30_000
            $0.isAnonymous = isAnonymous
            $0.cause = .callerHungUp
            $0.sipStatus = 200
            $0.attempts = [
                .with {
                    $0.target = "sip:bob@192.0.2.99"
                    $0.subscriberID = Data(UUIDv7(called.subscriber)?.bytes ?? [])
                    $0.startedAt = start.microseconds
                    $0.sipStatus = 200
                }
            ]
            $0.charges = [retail, carrier]
            $0.worker = "s1"
            $0.journalID = Data(journal.bytes)
            $0.answeredSubscriberID = Data(UUIDv7(called.subscriber)?.bytes ?? [])
        }
        let postings = [retail, carrier].flatMap { charge in
            [Posting(charge.payer, micros: -charge.amountMicros), Posting(charge.payee, micros: charge.amountMicros)]
        }
        events = [
            (call, .callStarted(started(call))),
            (call, .callEnded(.with { [call] in $0.callID = Data(call.bytes) })),
            (call, .cdrRecorded(.with { $0.cdr = cdr })),
            (
                journal,
                .journalPosted(
                    .with { [call] in
                        $0.id = Data(journal.bytes)
                        $0.kind = .call
                        $0.callID = Data(call.bytes)
                        $0.postings = postings
                    })
            ),
            (running, .callStarted(started(running))),
        ]
    }

    private static func party(_ estate: Estate, _ number: String) -> CallParty {
        .with {
            $0.subscriberID = Data(UUIDv7(estate.subscriber)?.bytes ?? [])
            $0.tenantID = Data(UUIDv7(estate.tenant)?.bytes ?? [])
            $0.customerID = Data(UUIDv7(estate.customer)?.bytes ?? [])
            $0.providerID = Data(UUIDv7(estate.provider)?.bytes ?? [])
            $0.number = number
        }
    }

    private static func charge(
        _ edge: String, _ micros: Int64, from payer: (AccountKind, String), to payee: (AccountKind, String)
    ) -> Charge {
        .with {
            $0.edge = edge
            $0.amountMicros = micros
            $0.currency = "EUR"
            $0.decimals = 4
            $0.billedSeconds = 30
            $0.payer = account(payer)
            $0.payee = account(payee)
        }
    }

    private static func account(_ account: (kind: AccountKind, owner: String)) -> AccountRef {
        .with {
            $0.kind = account.kind
            $0.ownerID = Data(UUIDv7(account.owner)?.bytes ?? [])
            $0.currency = "EUR"
        }
    }
}

import Model
import Primitives
import SwiftProtobuf
import Testing

@testable import Projections

/// What lines and customers spend, beside a sum over all events made in the simplest way.
@Test(arguments: [3, 17, 2_026] as [UInt64])
func spendIsWhatWasChargedAndIsHeld(seed: UInt64) throws {
    let fixture = try Fixture()
    var history = History(seed: seed)
    var held: [UUIDv7: (line: UUIDv7, customer: UUIDv7, amount: Int64)] = [:]
    var charged: [UUIDv7: [(time: Int64, amount: Int64)]] = [:]
    var (now, lines, customers) = (WallTime(microseconds: 0), Set<UUIDv7>(), Set<UUIDv7>())
    for _ in 0..<6_000 {
        let (time, step) = history.next()
        now = time
        try fixture.record(step, at: time)
        for (event, _) in step {
            switch event {
            case .callStarted(let call) where call.hasHold && !call.securityGroupID.isEmpty:
                let (line, customer) = (UUIDv7(bytes: call.caller.subscriberID)!, UUIDv7(bytes: call.caller.customerID)!)
                held[UUIDv7(bytes: call.callID)!] = (line, customer, call.hold.amountMicros)
                lines.insert(line)
                customers.insert(customer)
            case .creditRenewed(let renewed): held[UUIDv7(bytes: renewed.callID)!]?.amount = renewed.hold.amountMicros
            case .callEnded(let ended): held[UUIDv7(bytes: ended.callID)!] = nil
            case .cdrRecorded(let record) where !record.cdr.securityGroupID.isEmpty:
                let amount = record.cdr.charges.filter { $0.edge == "retail" }.reduce(0) { $0 + $1.amountMicros }
                for party in [record.cdr.caller.subscriberID, record.cdr.caller.customerID] {
                    charged[UUIDv7(bytes: party)!, default: []].append((record.cdr.endedAt, amount))
                }
            default: break
            }
        }
    }
    #expect(lines.count > 1, "seed \(seed)")
    #expect(!charged.isEmpty, "seed \(seed)")
    let quarter = SpendProjection.quarter
    for hours in [0, 1, 5, 24] {
        let since = WallTime(microseconds: (now.microseconds / quarter - Int64(hours) * 4) * quarter)
        func expected(_ party: UUIDv7, _ path: (UUIDv7, UUIDv7) -> UUIDv7) -> Spend {
            var spend = Spend()
            for one in charged[party] ?? [] where one.time >= since.microseconds { spend.chargedMicros += one.amount }
            for one in held.values where path(one.line, one.customer) == party { spend.heldMicros += one.amount }
            return spend
        }
        try fixture.views.read { views throws(ViewsError) in
            for line in lines {
                let spend = try views.spend(of: SubscriberID(line), since: since)
                #expect(spend == expected(line) { line, _ in line }, "seed \(seed), \(hours) hours")
            }
            for customer in customers {
                let spend = try views.spend(of: CustomerID(customer), since: since)
                #expect(spend == expected(customer) { _, customer in customer }, "seed \(seed), \(hours) hours")
            }
        }
    }
}

import Foundation
import Model
import SwiftProtobuf

extension CallStarted {
    /// With fields of most kinds, messages within messages, and the largest numbers.
    static var ofManyKinds: CallStarted {
        .with {
            $0.callID = Data(repeating: 7, count: 16)
            $0.worker = "s1"
            $0.direction = .outbound
            $0.caller.number = "+12095550100"
            $0.caller.customerID = Data(repeating: 1, count: 16)
            $0.called.number = "+12092488700"
            $0.dialled = "Zoë 🜂"
            $0.startedAt = 1_790_000_000_000_000
            $0.rates = [
                .with {
                    $0.entry.prefix = "1209"
                    $0.entry.perMinuteMicros = -10_000
                    $0.utcOffsetSeconds = -28_800
                    $0.payer.currency = "USD"
                }, RateLock(),
            ]
            $0.hold.amountMicros = .min
            $0.logPosition = .max
            $0.sealed = [Data(), Data([0]), Data(repeating: 9, count: 300)]
        }
    }
}

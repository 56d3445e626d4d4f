import Foundation
package import Model
import Primitives

/// Calls between their start and their end: who carries them, and how many each party has.
package enum LiveCallsProjection: Projection {
    package static let name = "live_calls"
    package static let version: UInt32 = 3
    package static let tables: [Table] = [.liveCalls, .liveCallsByWorker, .liveCallCounts]

    /// Everything that happens to a call is one of its facts: see LiveCallsProjection+facts.swift.
    package static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {}
}

extension Key {
    /// A worker's name and a 0, which no name contains.
    init(worker name: String) {
        self.init(text: name)
        add(byte: 0)
    }
}

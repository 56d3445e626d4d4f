import Foundation
public import Model
import Primitives

/// Calls between their start and their end: who carries them, and how many each party has.
public enum LiveCallsProjection: Projection {
    public static let name = "live_calls"
    public static let version: UInt32 = 3
    public static let tables: [Table] = [.liveCalls, .liveCallsByWorker, .liveCallCounts]

    /// Everything that happens to a call is one of its facts: see LiveCallsProjection+facts.swift.
    public static func evolve(
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

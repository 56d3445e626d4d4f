import Foundation
import Model
import Primitives
import Projections

/// Ids that are the same in every run, for tests that write their events by hand.
struct Builder {
    private var random = RandomSource(seed: 42)

    mutating func id() -> UUIDv7 { UUIDv7(at: WallTime(microseconds: 1_000_000), random: &random) }
    mutating func data() -> Data { Data(id().bytes) }
}

extension UUIDv7 {
    var data: Data { Data(bytes) }
}

extension Fixture {
    /// Records one event and returns its sequence.
    @discardableResult
    func record(_ event: Event, _ stream: UUIDv7, at microseconds: Int64 = 1) throws -> UInt64 {
        try record([(event: event, stream: stream)], at: WallTime(microseconds: microseconds))[0].sequence
    }

    func ask<R>(_ body: (borrowing ViewSnapshot) throws(ViewsError) -> R) throws -> R { try views.read(body) }

    /// Appends an event to the log alone and lets the views find it there.
    func takeIn(_ events: [(event: Event, stream: UUIDv7)]) throws {
        try append(events.map { $0.event.new($0.stream) })
        try views.catchUp(with: log)
    }
}

import Model
import Primitives

/// What one command leaves behind: facts for the log, and what to tell the workers once they are durable.
struct Decision {
    struct Fact: Equatable {
        var stream: UUIDv7
        var event: Event
    }

    let wall: WallTime
    var random: RandomSource
    private(set) var facts: [Fact] = []
    /// Sent in order after the commit; numbers are filled in when they leave.
    var announcements: [FeedMessage] = []
    /// Changes to who may speak on the bus, after the commit.
    var admissions: [Admission] = []
    /// Subscribers whose contacts are forgotten after the commit.
    var unbound: [SubscriberID] = []
    /// Subjects whose keys are destroyed after the commit.
    var erased: [UUIDv7] = []

    init(wall: WallTime, random: RandomSource) {
        self.wall = wall
        self.random = random
    }

    mutating func record(_ event: Event, in stream: UUIDv7) { facts.append(Fact(stream: stream, event: event)) }

    /// The facts, which are nobody else's from then on: what is personal is taken out of them in place.
    mutating func takeFacts() -> [Fact] { exchange(&facts, with: []) }

    mutating func newID() -> UUIDv7 { UUIDv7(at: wall, random: &random) }
}

/// A key that the bus lets in, or no longer.
package enum Admission: Equatable, Sendable {
    case admit(name: String, publicKey: [UInt8])
    case dismiss(name: String)
}

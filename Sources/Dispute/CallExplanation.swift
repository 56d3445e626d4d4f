/// What follows from a call's events: computed by the same code when a pack is made and when it is checked.
package struct CallExplanation: Codable, Hashable, Sendable {
    package struct Milestone: Codable, Hashable, Sendable {
        /// When it happened, by the worker that reported it.
        package var at: String
        /// When it was recorded.
        package var recordedAt: String
        package var sequence: UInt64
        package var what: String
    }

    package struct Attempt: Codable, Hashable, Sendable {
        package var target: String
        package var gateway: String
        package var startedAt: String
        package var ringingAt: String
        package var endedAt: String
        package var status: UInt32
        package var reason: String
        /// As it is called today; nil in packs, which hold what was recorded.
        package var name: String?
    }

    /// A gateway that the call was to be sent to, or was left out.
    package struct RouteStep: Codable, Hashable, Sendable {
        /// Its place among those to be tried, from 1; nil: it was left out.
        package var place: Int?
        package var carrier: String
        package var gateway: String
        package var verdict: String
        /// The outbound rule that made the call fit.
        package var rule: String
        package var words: String
        package var carrierName: String?
        package var gatewayName: String?
    }

    package struct Leg: Codable, Hashable, Sendable {
        /// `caller` or `called`.
        package var leg: String
        package var packetsIn: UInt64
        package var bytesIn: UInt64
        package var packetsOut: UInt64
        package var bytesOut: UInt64
        package var dropped: UInt64
        package var lastPacketAt: String
        package var words: String
    }

    package struct Candidate: Codable, Hashable, Sendable {
        package var prefix: String
        package var destination: String
        package var connectionFee: String
        package var perMinute: String
        package var increments: String
        /// What else the price says; nil: nothing, as in packs of earlier versions.
        package var terms: [String]?
        /// The time band in which alone the row counts.
        package var band: String?
        /// An expression that numbers have to fit, instead of a prefix.
        package var pattern: String?
    }

    package struct Charge: Codable, Hashable, Sendable {
        package var edge: String
        package var deck: String
        package var version: UInt32
        /// Every row of the version whose prefix the number begins with, the longest first; empty if the version is not in the pack.
        package var candidates: [Candidate]
        package var chosen: Candidate
        package var seconds: UInt64
        package var billedSeconds: UInt32
        package var amount: String
        package var currency: String
        package var payer: String
        package var payee: String
        /// The computation, one step a line.
        package var steps: [String]
    }

    package struct Movement: Codable, Hashable, Sendable {
        package var account: String
        package var amount: String
        package var currency: String
    }

    package struct Correction: Codable, Hashable, Sendable {
        package var sequence: UInt64
        package var recordedAt: String
        package var reason: String
        package var movements: [Movement]
    }

    package var call: String
    package var record: UInt64
    package var direction: String
    package var caller: String
    package var dialled: String
    package var called: String
    /// The dial plan's rule that made the number.
    package var dialRule: String
    package var startedAt: String
    package var answeredAt: String
    package var endedAt: String
    package var milliseconds: UInt64
    package var cause: String
    package var sipStatus: UInt32
    package var milestones: [Milestone]
    package var attempts: [Attempt]
    /// Where there was a choice; nil: one gateway, and nothing that could have left it out.
    package var route: [RouteStep]?
    package var mediaWorker: String
    package var media: [Leg]
    package var charges: [Charge]
    package var movements: [Movement]
    package var corrections: [Correction]
}

import Primitives

/// What a world does and suffers; drawn from its seed unless it is told.
package struct WorldPlan: Sendable {
    /// New calls are placed during this time.
    package var load: Duration = .seconds(50)
    /// Then everything has to come to rest within this.
    package var settling: Duration = .seconds(150)
    package var phones = 6
    package var calls = 14
    /// Of 1,000 datagrams.
    package var lossPermille: UInt64 = 0
    package var duplicationPermille: UInt64 = 0
    package var latencyMilliseconds: ClosedRange<UInt64> = 1...5
    /// Of 1,000 messages of the bus.
    package var busLossPermille: UInt64 = 0
    package var kills: [Kill] = []
    /// Of 1,000 answered calls, for each side.
    package var holdsPermille: UInt64 = 0
    package var transfersPermille: UInt64 = 0

    package struct Kill: Sendable {
        package enum Target: Sendable, Hashable {
            case signal(Int)
            case media(Int)
            case control
        }
        package var target: Target
        package var at: Duration
        /// Until the process is started again.
        package var downFor: Duration

        package init(_ target: Target, at: Duration, downFor: Duration) {
            self.target = target
            self.at = at
            self.downFor = downFor
        }
    }

    package init() {}

    /// A swarm: each seed has its own mix of faults, so that some worlds have many of one kind and none of another.
    package init(seed: UInt64) {
        var random = RandomSource(seed: seed ^ 0x5EED)
        func draw(_ range: ClosedRange<UInt64>) -> UInt64 { UInt64.random(in: range, using: &random) }
        if draw(0...2) > 0 { lossPermille = draw(0...80) }
        if draw(0...2) == 0 { duplicationPermille = draw(0...60) }
        latencyMilliseconds = 1...(draw(0...1) == 0 ? 5 : draw(5...120))
        if draw(0...2) == 0 { busLossPermille = draw(0...20) }
        let targets: [Kill.Target] = [.signal(0), .signal(1), .media(0), .media(1), .control]
        for target in targets where draw(0...2) == 0 {
            kills.append(
                Kill(target, at: .milliseconds(Int64(draw(5_000...55_000))), downFor: .milliseconds(Int64(draw(200...20_000)))))
        }
        if draw(0...1) == 0 { holdsPermille = draw(0...400) }
        if draw(0...1) == 0 { transfersPermille = draw(0...400) }
    }
}

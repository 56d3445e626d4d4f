import Testing

@testable import SignalWorker

/// Plays a ladder in a world of its own and compares what the workers do with what the ladder promises.
struct LadderRunner {
    private let ladder: Ladder
    private(set) var world: LadderWorld

    init(_ ladder: Ladder) {
        self.ladder = ladder
        world = LadderWorld(ladder)
    }

    mutating func run(_ location: SourceLocation) {
        for step in ladder.steps {
            let time = step.time.map { $0 * 1_000_000 } ?? world.elapsed
            if world.workers[step.from] != nil {
                world.run(until: time)
                guard expect(step, location) else { return }
            } else {
                world.run(until: time)
                guard nothingUnexpected(before: step, location) else { return }
                world.act(step)
            }
            for failure in world.takeFailures() {
                Issue.record("line \(step.line): \(failure)", sourceLocation: location)
                return
            }
        }
        guard nothingUnexpected(before: nil, location) else { return }
        // Longer than any transaction lives: what was settled stays settled, and nothing is repeated.
        world.run(until: world.elapsed + 70 * 1_000_000_000)
        _ = nothingUnexpected(before: nil, location)
        for failure in world.takeFailures() { Issue.record("at the end: \(failure)", sourceLocation: location) }
        if ladder.setting("open") == nil, world.openCalls > 0 {
            Issue.record("\(world.openCalls) calls are left at the end", sourceLocation: location)
        }
    }

    private mutating func expect(_ step: Ladder.Step, _ location: SourceLocation) -> Bool {
        let promise = "line \(step.line): \(step.from) -> \(step.to) \(step.words.joined(separator: " "))"
        guard let said = world.takeSaid() else {
            Issue.record("\(promise): nothing was said", sourceLocation: location)
            return false
        }
        let isDue = step.time.map { $0 == said.milliseconds } ?? true
        guard isDue, said.from == step.from, said.to == step.to, said.matches(step.words) else {
            Issue.record("\(promise), but it was: \(said)", sourceLocation: location)
            return false
        }
        return true
    }

    private mutating func nothingUnexpected(before step: Ladder.Step?, _ location: SourceLocation) -> Bool {
        guard let said = world.takeSaid() else { return true }
        let place = step.map { "before line \($0.line)" } ?? "at the end"
        Issue.record("\(place) came what the ladder does not promise: \(said)", sourceLocation: location)
        return false
    }
}

/// - Parameter text: see `Ladder`.
func expectLadder(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    var runner = LadderRunner(try Ladder(text))
    runner.run(sourceLocation)
}

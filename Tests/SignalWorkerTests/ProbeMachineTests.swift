import Primitives
import Testing

@testable import SignalWorker

@Suite struct ProbeMachineTests {
    private struct Bench {
        var machine = ProbeMachine(interval: .seconds(30), failuresMax: 3, silence: .seconds(4), isInService: true, now: .zero)
        var now = Instant.zero

        mutating func give(_ input: ProbeMachine.Input) -> [ProbeMachine.Effect] {
            var effects: [ProbeMachine.Effect] = []
            machine.handle(input, now: now, into: &effects)
            return effects
        }

        mutating func wait() -> [ProbeMachine.Effect] {
            now = machine.nextWake
            return machine.isSilent(at: now) ? give(.failed(reason: "no answer", hasOther: false)) : give(.tick)
        }
    }

    @Test func outOfServiceAfterSoManyFailuresAndBackWithTheFirstAnswer() {
        var bench = Bench()
        for round in 1...5 {
            #expect(bench.wait() == [.send])
            #expect(bench.now == .zero + .seconds(30) * (round - 1))
            #expect(bench.wait() == (round == 3 ? [.report] : []))
            #expect(bench.machine.isInService == (round < 3))
        }
        #expect(bench.machine.lastReason == "no answer")
        #expect(bench.wait() == [.send])
        #expect(bench.give(.response(status: 404, reason: "Not Found")) == [.report])
        #expect(bench.machine.isInService && bench.machine.lastStatus == 404)
        // One failure more is no reason.
        #expect(bench.wait() == [.send])
        #expect(bench.give(.response(status: 503, reason: "Busy")) == [])
        #expect(bench.machine.isInService)
    }

    @Test func anAnswerThatComesLateIsOneToo() {
        var bench = Bench()
        for _ in 0..<3 {
            _ = bench.wait()
            _ = bench.wait()
        }
        #expect(!bench.machine.isInService)
        #expect(bench.give(.response(status: 200, reason: "OK")) == [.report])
        #expect(bench.machine.isInService)
    }

    @Test func allServersOfTheGatewayAreTriedBeforeItCounts() {
        var bench = Bench()
        _ = bench.wait()
        #expect(bench.give(.failed(reason: "unreachable", hasOther: true)) == [.send])
        #expect(bench.give(.failed(reason: "unreachable", hasOther: false)) == [])
        #expect(bench.machine.nextWake == .zero + .seconds(30))
    }
}

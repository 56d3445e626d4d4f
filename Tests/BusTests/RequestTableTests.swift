import Bus
import Primitives
import Testing

struct RequestTableTests {
    private typealias Table = RequestTable<String>
    private let policy = RequestPolicy(deadline: .seconds(3), resend: .milliseconds(400), resendMax: .seconds(1))
    private let fact = RequestPolicy(deadline: nil, resend: .milliseconds(500), resendMax: .seconds(2))

    private func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: 1_000_000) + .milliseconds(milliseconds) }

    private func text(_ effects: [Table.Effect]) -> [String] {
        effects.map {
            switch $0 {
            case .send(let id, let body, let peer): "send \(id.low) \(body) to \(peer)"
            case .expired(let id, let context): "expired \(id.low) \(context)"
            }
        }
    }

    /// Ticks at every wake until `end` and tells when what happened, in milliseconds.
    private func run(_ table: inout Table, until end: Int) -> [String] {
        var log: [String] = []
        while let wake = table.nextWake, wake <= at(end) {
            var effects: [Table.Effect] = []
            table.tick(wake, into: &effects)
            for line in text(effects) { log.append("\((wake - at(0)).milliseconds) \(line)") }
        }
        return log
    }

    @Test func requestIsRepeatedWithGrowingPausesUntilItsDeadline() {
        var table = Table(incarnation: 7)
        var effects: [Table.Effect] = []
        let id = table.submit([1], to: "control", policy: policy, context: "a", now: at(0), into: &effects)
        #expect(id == RequestID(high: 7, low: 1))
        #expect(text(effects) == ["send 1 [1] to control"])
        #expect(
            run(&table, until: 10_000) == [
                "400 send 1 [1] to control", "1200 send 1 [1] to control", "2200 send 1 [1] to control",
                "3000 expired 1 a",
            ])
        #expect(table.count == 0)
        #expect(table.nextWake == nil)
    }

    @Test func factIsRepeatedUntilItIsAnswered() {
        var table = Table(incarnation: 7)
        var effects: [Table.Effect] = []
        let id = table.submit([1], to: "control", policy: fact, context: "a", now: at(0), into: &effects)!
        #expect(run(&table, until: 60_000).count == 31)
        #expect(table.answer(id, from: "another") == nil)
        #expect(table.answer(id, from: "control") == "a")
        #expect(table.answer(id, from: "control") == nil)
        #expect(run(&table, until: 100_000).isEmpty)
        #expect(table.nextWake == nil)
    }

    @Test func answerThatSaysNotNowIsAskedAgainLater() {
        var table = Table(incarnation: 7)
        var effects: [Table.Effect] = []
        let id = table.submit([1], to: "control", policy: fact, context: "a", now: at(0), into: &effects)!
        #expect(table.postpone(id, from: "control", now: at(100)) == "a")
        #expect(run(&table, until: 4_000) == ["1100 send 1 [1] to control", "3100 send 1 [1] to control"])
        #expect(table.postpone(id, from: "another", now: at(100)) == nil)
        #expect(table.postpone(RequestID(high: 0, low: 0), from: "control", now: at(100)) == nil)
    }

    @Test func whatTheSocketDidNotTakeGoesOutWhenItCan() {
        var table = Table(incarnation: 7)
        var effects: [Table.Effect] = []
        let first = table.submit([1], to: "control", policy: fact, context: "a", now: at(0), into: &effects)!
        _ = table.submit([2], to: "control", policy: fact, context: "b", now: at(0), into: &effects)
        let third = table.submit([3], to: "other", policy: fact, context: "c", now: at(0), into: &effects)!
        table.notSent(first)
        table.notSent(third)
        effects = []
        table.writable("control", now: at(50), into: &effects)
        #expect(text(effects) == ["send 1 [1] to control"])
        effects = []
        table.writable("control", now: at(60), into: &effects)
        #expect(effects.isEmpty)
        #expect(
            run(&table, until: 560) == [
                "500 send 2 [2] to control", "500 send 3 [3] to other", "550 send 1 [1] to control",
            ])
    }

    @Test func idsOfTheCallersChoiceAreKept() {
        var table = Table(incarnation: 7)
        var effects: [Table.Effect] = []
        let id = RequestID(high: 1, low: 99)
        #expect(table.submit([1], to: "x", id: id, policy: fact, context: "a", now: at(0), into: &effects) == id)
        #expect(table.submit([2], to: "x", id: id, policy: fact, context: "b", now: at(0), into: &effects) == nil)
        #expect(effects.count == 1)
        #expect(table.context(of: id) == "a")
        #expect(table.cancel(id) == "a")
        #expect(table.cancel(id) == nil)
    }

    @Test func fullTableTakesNothingMore() {
        var table = Table(incarnation: 7, capacity: 2)
        var effects: [Table.Effect] = []
        for number in 0..<3 {
            let id = table.submit([], to: "x", policy: fact, context: "", now: at(0), into: &effects)
            #expect((id == nil) == (number == 2))
        }
        #expect(effects.count == 2)
    }

    @Test func peerThatIsGivenUpEndsItsRequests() {
        var table = Table(incarnation: 7)
        var effects: [Table.Effect] = []
        for (peer, context) in [("x", "a"), ("y", "b"), ("x", "c")] {
            _ = table.submit([], to: peer, policy: fact, context: context, now: at(0), into: &effects)
        }
        #expect(table.cancelAll(to: "x").map(\.context) == ["a", "c"])
        #expect(table.count == 1)
    }

    /// The queue of wakes holds closed requests for a while; it must not keep them all.
    @Test func manyShortRequestsLeaveNothingBehind() {
        var table = Table(incarnation: 7)
        var effects: [Table.Effect] = []
        _ = table.submit([], to: "x", policy: fact, context: "stays", now: at(0), into: &effects)
        for number in 0..<10_000 {
            let id = table.submit([], to: "x", policy: policy, context: "", now: at(number), into: &effects)!
            #expect(table.answer(id, from: "x") == "")
        }
        #expect(table.count == 1)
        #expect(run(&table, until: 500) == ["500 send 1 [] to x"])
    }
}

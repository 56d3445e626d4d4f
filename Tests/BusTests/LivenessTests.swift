import Bus
import Primitives
import Testing

struct LivenessTests {
    private func at(_ milliseconds: Int) -> Instant { Instant.zero + .milliseconds(milliseconds) }

    @Test func silenceForTheLimitIsDeath() {
        var liveness = Liveness(limit: .seconds(3))
        #expect(!liveness.isAlive("a"))
        #expect(liveness.heard("a", at: at(0)) == true)
        #expect(liveness.heard("a", at: at(1_000)) == false)
        #expect(liveness.nextWake == at(4_000))
        #expect(liveness.expire(at: at(3_999)) == [])
        #expect(liveness.expire(at: at(4_000)) == ["a"])
        #expect(liveness.expire(at: at(5_000)) == [])
        #expect(!liveness.isAlive("a"))
        #expect(liveness.nextWake == nil)
    }

    @Test func deadPeerComesBack() {
        var liveness = Liveness(limit: .seconds(3))
        _ = liveness.heard("a", at: at(0))
        _ = liveness.expire(at: at(3_000))
        #expect(liveness.heard("a", at: at(9_000)) == true)
        #expect(liveness.isAlive("a"))
        #expect(liveness.nextWake == at(12_000))
    }

    @Test func theDeadAreToldInOrderOfName() {
        var liveness = Liveness(limit: .seconds(3))
        for name in ["c", "a", "b"] { _ = liveness.heard(name, at: at(0)) }
        #expect(liveness.alive == ["a", "b", "c"])
        liveness.bury("b")
        liveness.bury("unknown")
        #expect(liveness.alive == ["a", "c"])
        #expect(liveness.expire(at: at(3_000)) == ["a", "c"])
        liveness.forget("a")
        #expect(liveness.heard("a", at: at(3_000)) == true)
    }
}

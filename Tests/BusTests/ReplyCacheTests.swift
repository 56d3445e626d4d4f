import Bus
import Primitives
import Testing

struct ReplyCacheTests {
    private func id(_ number: Int) -> RequestID { RequestID(high: 0, low: UInt64(number)) }
    private func at(_ seconds: Int) -> Instant { Instant.zero + .seconds(seconds) }

    @Test func repeatedRequestGetsTheFirstAnswer() {
        var cache = ReplyCache()
        #expect(cache.admit(id(1), from: "a", now: at(0)) == .new)
        #expect(cache.admit(id(1), from: "a", now: at(1)) == .inProgress)
        cache.record([1], to: id(1), from: "a")
        cache.record([2], to: id(1), from: "a")
        #expect(cache.admit(id(1), from: "a", now: at(2)) == .repeated([1]))
        #expect(cache.admit(id(1), from: "a", now: at(59)) == .repeated([1]))
    }

    @Test func eachPeerHasItsOwnIds() {
        var cache = ReplyCache()
        #expect(cache.admit(id(1), from: "a", now: at(0)) == .new)
        cache.record([1], to: id(1), from: "a")
        #expect(cache.admit(id(1), from: "b", now: at(0)) == .new)
        cache.record([9], to: id(1), from: "c")
        #expect(cache.admit(id(1), from: "c", now: at(0)) == .new)
    }

    @Test func answerIsKeptForItsAge() {
        var cache = ReplyCache(age: .seconds(10))
        #expect(cache.admit(id(1), from: "a", now: at(0)) == .new)
        cache.record([1], to: id(1), from: "a")
        #expect(cache.admit(id(1), from: "a", now: at(9)) == .repeated([1]))
        #expect(cache.admit(id(1), from: "a", now: at(10)) == .new)
    }

    @Test func forgottenRequestIsNew() {
        var cache = ReplyCache()
        #expect(cache.admit(id(1), from: "a", now: at(0)) == .new)
        cache.forget(id(1), from: "a")
        #expect(cache.admit(id(1), from: "a", now: at(0)) == .new)
        cache.record([1], to: id(1), from: "a")
        #expect(cache.admit(id(1), from: "a", now: at(0)) == .repeated([1]))
    }

    /// Requests that are told to come again leave nothing behind, however many they are.
    @Test func whatIsForgottenMakesNoOldAnswerStay() {
        var cache = ReplyCache(age: .seconds(10))
        #expect(cache.admit(id(0), from: "a", now: at(0)) == .new)
        cache.record([7], to: id(0), from: "a")
        for number in 1...5_000 {
            #expect(cache.admit(id(number), from: "a", now: at(1)) == .new)
            cache.forget(id(number), from: "a")
        }
        #expect(cache.count == 1)
        #expect(cache.admit(id(0), from: "a", now: at(9)) == .repeated([7]))
        #expect(cache.admit(id(5_000), from: "a", now: at(9)) == .new)
        #expect(cache.admit(id(0), from: "a", now: at(10)) == .new)
    }

    @Test func oldestLeaveWhenThereAreTooMany() {
        var cache = ReplyCache(capacity: 2)
        for number in 1...3 {
            #expect(cache.admit(id(number), from: "a", now: at(0)) == .new)
            cache.record([UInt8(number)], to: id(number), from: "a")
        }
        #expect(cache.count == 2)
        #expect(cache.admit(id(3), from: "a", now: at(0)) == .repeated([3]))
        #expect(cache.admit(id(2), from: "a", now: at(0)) == .repeated([2]))
        #expect(cache.admit(id(1), from: "a", now: at(0)) == .new)
    }

    @Test func oldestLeaveWhenTheyAreTooLong() {
        var cache = ReplyCache(bytesMax: 10)
        for number in 1...3 {
            #expect(cache.admit(id(number), from: "a", now: at(0)) == .new)
            cache.record(Array(repeating: 0, count: 4), to: id(number), from: "a")
        }
        #expect(cache.count == 2)
        #expect(cache.admit(id(1), from: "a", now: at(0)) == .new)
    }

    @Test func itsSizeIsBoundedOverManyRequests() {
        var cache = ReplyCache(capacity: 100, age: .seconds(5))
        for number in 0..<50_000 {
            let now = Instant(nanoseconds: UInt64(number) * 1_000_000)
            guard cache.admit(id(number), from: "a", now: now) == .new else {
                Issue.record("request \(number) is not new")
                return
            }
            if number % 3 == 0 {
                cache.forget(id(number), from: "a")
            } else {
                cache.record([1], to: id(number), from: "a")
            }
        }
        #expect(cache.count <= 100)
    }
}

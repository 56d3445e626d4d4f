import Glibc

/// One measured number, written as a line of JSON: what tools/lib/bench.py reads.
struct Figure {
    let name: String
    let value: Double
    let unit: String

    func print() {
        Swift.print("{\"name\": \"\(name)\", \"value\": \(value), \"unit\": \"\(unit)\"}")
    }
}

/// CPU time of the calling thread, user and system.
func threadCPU() -> Duration {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}

extension Duration {
    var inMicroseconds: Double { self / .microseconds(1) }
}

/// Runs `body` in rounds until `limit` has passed, after a tenth of that as a warm-up.
/// - Returns: time per repetition. The clock is read once for `round` repetitions, so that it does not count.
func timePerRun(_ limit: Duration = .seconds(1), round: Int, _ body: () throws -> Void) rethrows -> Duration {
    let clock = ContinuousClock()
    let warm = clock.now + limit / 10
    while clock.now < warm { for _ in 0..<round { try body() } }
    let start = clock.now
    var count = 0
    while clock.now - start < limit {
        for _ in 0..<round { try body() }
        count += round
    }
    return (clock.now - start) / count
}

/// Keeps a result alive, so that its computation is not left out.
@inline(never) func use<T: ~Copyable>(_ value: borrowing T) {}

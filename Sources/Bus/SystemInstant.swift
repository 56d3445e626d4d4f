internal import Glibc
internal import Primitives

/// The system's monotonic clock, for what only sockets wait for; machines are handed their time.
func systemInstant() -> Instant {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
}

import Primitives
import Testing

@Suite("Instants and wall times")
struct ClockTests {
    @Test("A deadline saturates instead of wrapping into the past")
    func instantsSaturate() {
        let end = Instant(nanoseconds: UInt64(Int64.max))
        #expect(end + .seconds(1) == end)
        #expect(Instant(nanoseconds: 5) + .seconds(-1) == .zero)
        #expect(Instant.zero + .milliseconds(1_500) == Instant(nanoseconds: 1_500_000_000))
        #expect(Instant(nanoseconds: 10) - Instant(nanoseconds: 30) == .nanoseconds(-20))
        #expect(Duration.seconds(Int64.max).nanoseconds == .max)
        #expect(Duration.seconds(Int64.min).nanoseconds == .min)
    }

    @Test("RFC 3339 is read and written to the microsecond", arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2000-02-29T12:00:00Z", 951_825_600_000_000),
        ("2026-11-21T05:04:16.25Z", 1_795_237_456_250_000),
        ("2026-11-21T02:04:16.250000-03:00", 1_795_237_456_250_000),
        ("2026-11-21t10:34:16.25+05:30", 1_795_237_456_250_000),
    ])
    func reads(text: String, microseconds: Int64) throws {
        let time = try #require(WallTime(rfc3339: text))
        #expect(time.microseconds == microseconds)
        #expect(WallTime(rfc3339: time.rfc3339) == time)
    }

    @Test("Dates that do not exist and half-written times are refused", arguments: [
        "", "2026-11-21", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-10T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567Z",
        "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00Zz", "2026-01-01 00:00:00Z",
        "２026-01-01T00:00:00Z",
    ])
    func refuses(text: String) { #expect(WallTime(rfc3339: text) == nil) }

    @Test("Each day has the date after the day before, over four hundred years")
    func calendar() {
        var expected = (year: Int64(1800), month: Int64(1), day: Int64(1))
        var time = WallTime(rfc3339: "1800-01-01T00:00:00Z")
        for _ in 0..<146_097 {
            guard let now = time else { return #expect(Bool(false), "1800-01-01 is a date") }
            let civil = now.civil
            #expect(civil == expected)
            let isLeap = expected.year % 4 == 0 && (expected.year % 100 != 0 || expected.year % 400 == 0)
            let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            expected.day += 1
            if expected.day > lengths[Int(expected.month) - 1] { (expected.month, expected.day) = (expected.month + 1, 1) }
            if expected.month > 12 { (expected.year, expected.month) = (expected.year + 1, 1) }
            time = now + .seconds(86_400)
        }
        #expect(expected == (2200, 1, 1))
    }
}

import Foundation
import Model
import Primitives
import Rating
import SwiftProtobuf
import Testing

@Suite struct TimeBandTests {
    /// Peak: Monday to Friday 08:00–18:00; holiday: Christmas of every year, and the 2nd of January 2027 in the morning.
    private let version = RateDeckVersion.with {
        $0.timeZone = "Europe/Berlin"
        $0.bands = [
            .with {
                $0.number = 1; $0.name = "peak"
                $0.week = [.with { $0.days = 0b001_1111; $0.fromSecond = 8 * 3_600; $0.toSecond = 18 * 3_600 }]
            },
            .with {
                $0.number = 2; $0.name = "holiday"
                $0.dates = [
                    .with { $0.month = 12; $0.day = 25; $0.toSecond = 86_400 },
                    .with { $0.year = 2027; $0.month = 1; $0.day = 2; $0.toSecond = 43_200 },
                ]
            },
        ]
    }

    private func band(_ text: String, zone: String = "Europe/Berlin") throws -> UInt32 {
        let time = try #require(WallTime(rfc3339: text))
        let zone = try #require(TimeZone(identifier: zone))
        let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time.microseconds / 1_000_000)))
        return version.band(at: time, utcOffsetSeconds: Int32(offset))
    }

    @Test(
        "the band by Berlin's clock",
        arguments: [
            // Friday, winter: 08:00 is 07:00 UTC.
            ("2026-11-20T06:59:59.999Z", 0), ("2026-11-20T07:00:00Z", 1), ("2026-11-20T16:59:59.999Z", 1), ("2026-11-20T17:00:00Z", 0),
            // Saturday.
            ("2026-11-21T10:00:00Z", 0),
            // Monday, summer: 08:00 is 06:00 UTC.
            ("2026-07-06T05:59:59Z", 0), ("2026-07-06T06:00:00Z", 1), ("2026-07-06T16:00:00Z", 0),
            // The Mondays after the clocks went forward and back.
            ("2026-03-30T06:00:00Z", 1), ("2026-03-30T05:59:59Z", 0), ("2026-10-26T06:59:59Z", 0), ("2026-10-26T07:00:00Z", 1),
            // Christmas is a Friday, by Berlin's midnight.
            ("2026-12-24T22:59:59Z", 0), ("2026-12-24T23:00:00Z", 2), ("2026-12-25T10:00:00Z", 2), ("2026-12-25T23:00:00Z", 0),
            ("2031-12-25T10:00:00Z", 2), ("2027-01-02T10:59:59Z", 2), ("2027-01-02T11:00:00Z", 0), ("2028-01-02T10:00:00Z", 0),
        ] as [(String, UInt32)])
    func byTheClockOnTheWall(time: String, band expected: UInt32) throws {
        #expect(try band(time) == expected)
    }

    /// Both hours from two to three of the night in which clocks go back are within "02:00–03:00"; in the night in which they
    /// go forward no moment is.
    @Test func theHourThatIsThereTwiceAndTheOneThatIsNotThere() throws {
        let version = RateDeckVersion.with {
            $0.bands = [.with { $0.number = 1; $0.name = "two"; $0.week = [.with { $0.days = 127; $0.fromSecond = 7_200; $0.toSecond = 10_800 }] }]
        }
        let zone = try #require(TimeZone(identifier: "Europe/Berlin"))
        func minutes(_ day: String) throws -> Int {
            let start = try #require(WallTime(rfc3339: day))
            return (0..<(6 * 60)).filter { minute in
                let time = start + .seconds(minute * 60)
                let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time.microseconds / 1_000_000)))
                return version.band(at: time, utcOffsetSeconds: Int32(offset)) == 1
            }.count
        }
        #expect(try minutes("2026-10-24T22:00:00Z") == 120)
        #expect(try minutes("2026-03-28T23:00:00Z") == 0)
        #expect(try minutes("2026-06-01T22:00:00Z") == 60)
    }

    @Test(arguments: 1...50)
    func theClockIsFoundations(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        var calendar = Calendar(identifier: .gregorian)
        for name in ["Europe/Berlin", "America/Sao_Paulo", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"] {
            calendar.timeZone = try #require(TimeZone(identifier: name))
            let seconds = Int64.random(in: -1_000_000_000...4_000_000_000, using: &random)
            let date = Date(timeIntervalSince1970: Double(seconds))
            let clock = WallClock(WallTime(microseconds: seconds * 1_000_000), utcOffsetSeconds: Int32(calendar.timeZone.secondsFromGMT(for: date)))
            let parts = calendar.dateComponents([.year, .month, .day, .weekday, .hour, .minute, .second], from: date)
            #expect(clock.year == Int64(parts.year ?? 0) && clock.month == Int64(parts.month ?? 0) && clock.day == Int64(parts.day ?? 0), "seed \(seed)")
            #expect(clock.weekday == Int64(((parts.weekday ?? 0) + 5) % 7), "seed \(seed)")
            #expect(clock.second == Int64((parts.hour ?? 0) * 3_600 + (parts.minute ?? 0) * 60 + (parts.second ?? 0)), "seed \(seed)")
        }
    }

    @Test func bandsThatOverlapOrCannotBeAreRefused() {
        #expect(version.bandsFault == nil)
        var overlapping = version
        overlapping.bands[1].week = [.with { $0.days = 1; $0.fromSecond = 17 * 3_600; $0.toSecond = 19 * 3_600 }]
        #expect(overlapping.bandsFault == DeckFault("bands[1].week[0]", "overlaps the week of band peak"))
        var none = version
        none.bands[1].dates[0].day = 32
        #expect(none.bandsFault?.field == "bands[1].dates[0]")
        none.bands[1].dates[0] = .with { $0.year = 2027; $0.month = 2; $0.day = 29; $0.toSecond = 1 }
        #expect(none.bandsFault?.reason == "there is no such date")
        var twice = version
        twice.bands[1].number = 1
        #expect(twice.bandsFault?.field == "bands[1].number")
        var night = version
        night.bands[0].week[0].toSecond = 7 * 3_600
        #expect(night.bandsFault?.field == "bands[0].week[0]")
    }
}

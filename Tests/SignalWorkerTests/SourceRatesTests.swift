import Primitives
import SIP
import Testing

@testable import SignalWorker

/// How much one address may ask.
@Suite struct SourceRatesTests {
    private let here = SocketAddress.loopback(5_060)
    private let there = SocketAddress(.v4(0xC000_0201), port: 5_060)

    private func rates() -> SourceRates {
        var configuration = SignalConfiguration(
            worker: "w1", listeners: [.loopback(5_061)], cluster: nil, busEndpoint: "", incarnation: 1)
        configuration.sourceRate = 10
        configuration.sourceBurst = 20
        configuration.wrongPasswordsMax = 3
        configuration.banTime = .seconds(300)
        return SourceRates(configuration)
    }

    private func expect(_ wanted: Bool, _ found: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(found == wanted, sourceLocation: sourceLocation)
    }

    private func at(_ milliseconds: Int) -> Instant { Instant.zero + .milliseconds(milliseconds) }

    @Test func aBurstThenARate() {
        var rates = rates()
        let burst = (0..<30).count { _ in rates.admits(here, now: at(0)) }
        #expect(burst == 20)
        expect(false, rates.admits(here, now: at(99)))
        expect(true, rates.admits(here, now: at(100)))
        expect(false, rates.admits(here, now: at(100)))
        expect(true, rates.admits(there, now: at(100)))
    }

    @Test func wrongPasswordsWithinTheWindowBan() {
        var rates = rates()
        expect(false, rates.wrongPassword(here, now: at(1_000)))
        expect(false, rates.wrongPassword(here, now: at(2_000)))
        expect(true, rates.wrongPassword(here, now: at(3_000)))
        #expect(rates.isBanned(here, now: at(3_001)))
        #expect(!rates.isBanned(there, now: at(3_001)))
        #expect(!rates.isBanned(here, now: at(303_000)))
    }

    @Test func mistakesOverADayDoNot() {
        var rates = rates()
        for hour in 0..<24 { expect(false, rates.wrongPassword(here, now: at(hour * 3_600_000))) }
    }

    @Test func theRightPasswordForgives() {
        var rates = rates()
        _ = rates.wrongPassword(here, now: at(1_000))
        _ = rates.wrongPassword(here, now: at(1_100))
        rates.rightPassword(here)
        expect(false, rates.wrongPassword(here, now: at(1_200)))
    }
}

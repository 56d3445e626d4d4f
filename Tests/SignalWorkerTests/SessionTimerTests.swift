import Primitives
import SIP
import Testing

@testable import SignalWorker

/// Who refreshes, and until when (RFC 4028 §7 to §10).
@Suite struct SessionTimerTests {
    private let now = Instant(nanoseconds: 1_000_000_000)

    private func request(_ fields: [(HeaderName, String)]) -> SIPMessage {
        let address = NameAddress(uri: URI(user: "a", host: "x.example"), tag: "1")
        var request = SIPMessage(
            .invite, address.uri, via: Via(host: "192.0.2.1", port: 5060, branch: "z9hG4bKa"), from: address, to: NameAddress(uri: address.uri), callID: "c", cseq: 1)
        for (name, value) in fields { request.headers.append(name, value) }
        return request
    }

    @Test(arguments: [
        ("timer", "1800;refresher=uac", SessionTimer.Refresher.peer), ("timer", "1800;refresher=uas", .us), ("timer", "1800", .peer), ("100rel", "", .us),
    ])
    func whoAnswersChoosesTheRefresherByTheTable(supported: String, expires: String, refresher: SessionTimer.Refresher) throws {
        let timer = try SessionTimer(
            answering: request([(.supported, supported)] + (expires.isEmpty ? [] : [(.sessionExpires, expires)])), wanted: 1_800, now: now)
        #expect(timer.refresher == refresher)
    }

    @Test(arguments: [(89, true), (90, false), (91, false)])
    func lessThanTheLeastIsRefused(seconds: Int, isRefused: Bool) {
        let timer = try? SessionTimer(answering: request([(.supported, "timer"), (.sessionExpires, "\(seconds)")]), wanted: 1_800, now: now)
        #expect((timer == nil) == isRefused)
    }

    @Test func itIsShortenedButNotBelowWhatThePeerAccepts() throws {
        let short = try SessionTimer(answering: request([(.supported, "timer"), (.sessionExpires, "7200")]), wanted: 1_800, now: now)
        #expect(short.seconds == 1_800)
        let long = try SessionTimer(answering: request([(.supported, "timer"), (.sessionExpires, "7200"), (.minSE, "3600")]), wanted: 1_800, now: now)
        #expect(long.seconds == 3_600)
    }

    @Test func weRefreshAtHalfAndGiveThePeerUntilAlittleBeforeTheEnd() {
        let ours = SessionTimer(seconds: 1_800, refresher: .us, now: now)
        #expect(ours.nextWake == now + .seconds(900))
        let theirs = SessionTimer(seconds: 90, refresher: .peer, now: now)
        #expect(theirs.nextWake == now + .seconds(60))
        let long = SessionTimer(seconds: 1_800, refresher: .peer, now: now)
        #expect(long.nextWake == now + .seconds(1_768))
    }

    /// What does not make it longer is no reason to ask again.
    @Test(arguments: [(UInt32(0), UInt32(1_800)), (1_800, 1_800), (1_801, 1_801), (.max, 86_400)])
    func aPeerMakesItLongerAlone(least: UInt32, seconds: UInt32) {
        var timer = SessionTimer(seconds: 1_800, refresher: .us, now: now)
        let isLonger = timer.lengthen(to: least)
        #expect(isLonger == (seconds > 1_800) && timer.seconds == seconds)
        let isLongerAgain = timer.lengthen(to: least)
        #expect(!isLongerAgain)
        var refresh = request([])
        timer.write(toRequest: &refresh)
        #expect(refresh.minSE == (isLonger ? seconds : 90))
    }

    @Test func aPeerThatDoesNotKnowTimersIsNotToldOfThem() {
        var ok = request([]).response(200)
        SessionTimer(seconds: 1_800, refresher: .us, now: now).write(to: &ok, of: request([]))
        #expect(ok.headers[.sessionExpires] == nil && ok.headers[.require] == nil)
    }
}

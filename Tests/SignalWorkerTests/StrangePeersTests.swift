import Primitives
import SIP
import Testing

@testable import SignalWorker

/// Phones and carriers that say anything at any time: no value of theirs ends the process, nothing is repeated as fast as they answer, and when they
/// fall silent all calls end and nothing of them is left. A seed repeats its run.
@Suite struct StrangePeersTests {
    private static let settings = [
        "", "direct", "plan together bob carol", "plan gateways gw1 gw2\npassword gw1 tea", "granted 30\nrenewed 60", "direct\nplan together bob carol",
        "forward busy carol\ndial 1003 together carol", "forward no-answer carol\ndial 1003 together carol", "music hold\nring-back tone",
    ]
    private static let statuses = [100, 180, 183, 183, 200, 200, 200, 200, 200, 302, 400, 401, 404, 405, 407, 408, 415, 422, 480, 481, 486, 487, 488, 491, 500, 501, 503, 600, 603]
    private static let words = [
        "sdp", "sdp", "sdp", "reliable", "rseq=4294967295", "rseq=0", "se=90;refresher=uas", "se=90;refresher=uac", "se=0", "se=4294967295;refresher=uas", "minse=0", "minse=91",
        "minse=4294967295", "update", "hold", "held", "picture", "fax", "srtp", "contactless", "rel", "100rel", "timer", "empty", "challenge", "stale", "private", "avpf", "video",
        "contact=1003@pbx.example;q=0.9,1004@elsewhere.example", "because=99999999999",
    ]
    private static let requests = [
        "INVITE 1001", "INVITE 1001 100rel", "INVITE 1001 empty", "INVITE hold", "INVITE empty", "INVITE fax", "UPDATE", "UPDATE hold", "UPDATE empty", "ACK", "ACK", "ACK", "ACK sdp",
        "BYE", "CANCEL", "PRACK", "PRACK", "PRACK sdp", "PRACK wrong", "REFER 1003", "REFER 1004 replaces=carol", "INFO", "MESSAGE", "OPTIONS", "SUBSCRIBE 1001 dialog", "again", "garbage",
    ]
    private static let peers = ["alice", "alice", "alice", "bob", "bob", "carol", "dave", "gw1", "gw2"]

    private struct Crowd {
        var world: LadderWorld
        var random: RandomSource

        mutating func one<Value>(of values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }

        mutating func say(_ peer: String, _ words: [String]) { world.act(Ladder.Step(line: 0, time: nil, from: peer, to: "w1", words: words)) }

        mutating func extras() -> [String] { (0..<random.next() % 4).map { _ in one(of: StrangePeersTests.words) } }

        /// What the worker has said is answered, most of it, until it says nothing more.
        ///
        /// - Returns: how many messages that were.
        mutating func react(_ status: (inout Crowd) -> Int) -> Int {
            var count = 0
            while let said = world.takeSaid(), count < 2_000 {
                count += 1
                let isRequest = Int(said.kind) == nil && said.kind != "ACK"
                guard isRequest, StrangePeersTests.peers.contains(said.to), random.next() % 8 > 0 else { continue }
                let status = status(&self)
                say(said.to, ["\(status)", said.kind] + extras())
            }
            return count
        }

        /// A phone that has nothing to answer, or no call, says nothing: that is none of ours.
        mutating func failures() -> [String] {
            world.takeFailures().filter { text in !StrangePeersTests.peers.contains { text.hasPrefix($0 + " ") } && !text.hasPrefix("dialog") && !text.contains("Rejection") }
        }
    }

    @Test(arguments: 1...27 as ClosedRange<UInt64>)
    func theyEndNothingButTheirOwnCalls(seed: UInt64) throws {
        let ladder = try Ladder(Self.settings[Int(seed % UInt64(Self.settings.count))])
        var crowd = Crowd(world: LadderWorld(ladder), random: RandomSource(seed: seed))
        for step in 0..<300 {
            let pause = crowd.one(of: [0, 1, 20, 500, 5_000, 40_000, 400_000])
            crowd.world.run(until: crowd.world.elapsed + pause * 1_000_000)
            let isCall = step % 12 == 0
            crowd.say(isCall ? "alice" : crowd.one(of: Self.peers), (isCall ? "INVITE 1001" : crowd.one(of: Self.requests)).split(separator: " ").map(String.init) + crowd.extras())
            let count = crowd.react { crowd in crowd.one(of: StrangePeersTests.statuses) }
            #expect(count < 300, "seed \(seed): one step made \(count) messages")
            let failures = crowd.failures()
            #expect(failures.isEmpty, "seed \(seed): \(failures)")
        }
        // They fall silent. The longest session that is believed lasts a day; transactions are over a minute later.
        for _ in 0..<160 where crowd.world.openCalls > 0 {
            crowd.world.run(until: crowd.world.elapsed + 600 * 1_000_000_000)
            while crowd.world.takeSaid() != nil {}
        }
        crowd.world.run(until: crowd.world.elapsed + 70 * 1_000_000_000)
        #expect(crowd.failures().isEmpty, "seed \(seed)")
        #expect(crowd.world.openCalls == 0, "seed \(seed)")
        let kit = try #require(crowd.world.workers["w1"]?.kit)
        #expect(kit.transactions.serverCount == 0 && kit.transactions.clientCount == 0, "seed \(seed)")
        #expect(kit.serverOwners.isEmpty && kit.clientOwners.isEmpty && kit.goodbyes.isEmpty && kit.forwards.isEmpty && kit.nameWaiters.isEmpty, "seed \(seed)")
    }

    /// Whoever refuses in the same way for ever is asked in measure, whatever it refuses.
    @Test(arguments: [401, 404, 405, 408, 415, 422, 481, 488, 491, 500, 501, 503, 603])
    func oneAnswerToEverythingMakesNoStorm(status: Int) throws {
        var crowd = Crowd(world: LadderWorld(try Ladder("")), random: RandomSource(seed: 1))
        crowd.say("alice", ["INVITE", "1001", "se=90;refresher=uas", "update"])
        while crowd.world.takeSaid() != nil {}
        crowd.say("bob", ["200", "se=90;refresher=uac", "update"])
        while crowd.world.takeSaid() != nil {}
        crowd.say("alice", ["ACK"])
        var total = 0
        for _ in 0..<3_600 {
            crowd.world.run(until: crowd.world.elapsed + 100 * 1_000_000)
            total += crowd.react { _ in status }
        }
        // In six minutes, of two sides.
        #expect(total < 400, "\(total)")
    }
}

import MediaWorker
import Primitives
import Testing

/// A story about one leg: packets in time, and what is thought of each.
struct LatchStory: CustomTestStringConvertible {
    enum Step {
        /// `count` packets, 20 ms apart, from one source and stream, in sequence from `sequence`.
        case hear(String, ssrc: UInt32 = 1, sequence: UInt16 = 1, count: Int = 1, Thought)
        case pause(milliseconds: Int)
        case declare(String?)
    }
    enum Thought {
        /// All of the packets.
        case accepted, stranger, learning
        /// The last packet and no other.
        case acceptedAtLast
    }
    let testDescription: String
    var declared: String?
    var isProtected = false
    let steps: [Step]
    let latched: String?
}

private let stories: [LatchStory] = [
    LatchStory(
        testDescription: "the declared address is accepted at once", declared: "198.51.100.7:4000",
        steps: [.hear("198.51.100.7:4000", .accepted)], latched: "198.51.100.7:4000"),
    LatchStory(
        testDescription: "another host never replaces a public address", declared: "198.51.100.7:4000",
        steps: [.hear("203.0.113.9:4000", count: 100, .stranger)], latched: nil),
    LatchStory(
        testDescription: "another port of the host is taken after the grace", declared: "198.51.100.7:4000",
        steps: [.hear("198.51.100.7:5000", count: 10, .learning), .hear("198.51.100.7:5000", sequence: 11, .accepted)],
        latched: "198.51.100.7:5000"),
    LatchStory(
        testDescription: "the declared address wins within the grace", declared: "198.51.100.7:4000",
        steps: [
            .hear("198.51.100.7:5000", count: 8, .learning), .hear("198.51.100.7:4000", ssrc: 2, .accepted),
            .hear("198.51.100.7:5000", sequence: 9, count: 20, .stranger),
        ], latched: "198.51.100.7:4000"),
    LatchStory(
        testDescription: "a phone behind a NAT is heard from any host", declared: "192.168.1.20:4000",
        steps: [.hear("203.0.113.9:61000", count: 11, .acceptedAtLast)], latched: "203.0.113.9:61000"),
    LatchStory(
        testDescription: "carrier-grade NAT is a NAT", declared: "100.100.1.1:4000",
        steps: [.hear("203.0.113.9:61000", count: 11, .acceptedAtLast)], latched: "203.0.113.9:61000"),
    LatchStory(
        testDescription: "without a declared address the first consistent stream is taken", declared: nil,
        steps: [.hear("203.0.113.9:61000", count: 5, .acceptedAtLast)], latched: "203.0.113.9:61000"),
    LatchStory(
        testDescription: "scattered sequence numbers are no stream", declared: "192.168.1.20:4000",
        steps: (0..<40).map { .hear("203.0.113.9:61000", sequence: UInt16($0 * 997 % 60_000), .learning) }, latched: nil
    ),
    LatchStory(
        testDescription: "changing sources are no stream", declared: "192.168.1.20:4000",
        steps: (0..<40).map { .hear("203.0.113.9:61000", ssrc: UInt32($0), sequence: UInt16($0), .learning) },
        latched: nil),
    LatchStory(
        testDescription: "the same packet again and again is no stream", declared: "192.168.1.20:4000",
        steps: [LatchStory.Step](repeating: .hear("203.0.113.9:61000", .learning), count: 40), latched: nil),
    LatchStory(
        testDescription: "a flood cannot push out the candidate", declared: "192.168.1.20:4000",
        steps: (1...5).flatMap { step -> [LatchStory.Step] in
            [
                .hear("203.0.113.9:61000", sequence: UInt16(step), .learning),
                .hear("203.0.113.66:1", ssrc: 666, sequence: UInt16(step), .learning),
            ]
        } + [
            .hear("203.0.113.9:61000", sequence: 6, .accepted),
            .hear("203.0.113.66:1", ssrc: 666, sequence: 6, .stranger),
        ],
        latched: "203.0.113.9:61000"),
    LatchStory(
        testDescription: "a candidate that fell silent makes room", declared: "192.168.1.20:4000",
        steps: [
            .hear("203.0.113.66:1", ssrc: 666, count: 4, .learning), .pause(milliseconds: 1_000),
            .hear("203.0.113.9:61000", count: 11, .acceptedAtLast),
        ], latched: "203.0.113.9:61000"),
    LatchStory(
        testDescription: "once taken, the address is kept while it is heard", declared: "198.51.100.7:4000",
        steps: [
            .hear("198.51.100.7:4000", count: 50, .accepted),
            .hear("198.51.100.7:5000", sequence: 51, count: 20, .stranger),
        ], latched: "198.51.100.7:4000"),
    LatchStory(
        testDescription: "the stream may go on from another port after a silence", declared: "198.51.100.7:4000",
        steps: [
            .hear("198.51.100.7:4000", count: 50, .accepted), .pause(milliseconds: 500),
            .hear("198.51.100.7:5000", sequence: 76, .accepted), .hear("198.51.100.7:4000", sequence: 77, .stranger),
        ], latched: "198.51.100.7:5000"),
    LatchStory(
        testDescription: "another stream may not, whatever the silence", declared: "198.51.100.7:4000",
        steps: [
            .hear("198.51.100.7:4000", count: 50, .accepted), .pause(milliseconds: 60_000),
            .hear("198.51.100.7:5000", ssrc: 2, sequence: 76, count: 50, .learning),
        ], latched: "198.51.100.7:4000"),
    LatchStory(
        testDescription: "nor may an old piece of the stream", declared: "198.51.100.7:4000",
        steps: [
            .hear("198.51.100.7:4000", count: 50, .accepted), .pause(milliseconds: 600),
            .hear("198.51.100.7:5000", sequence: 20, .learning), .hear("198.51.100.7:5000", sequence: 5_000, .learning),
        ], latched: "198.51.100.7:4000"),
    LatchStory(
        testDescription: "nor may another host", declared: "192.168.1.20:4000",
        steps: [
            .hear("192.168.1.20:4000", count: 50, .accepted), .pause(milliseconds: 600),
            .hear("203.0.113.66:4000", sequence: 76, .stranger),
        ], latched: "192.168.1.20:4000"),
    LatchStory(
        testDescription: "a new source of the same address is welcome", declared: "198.51.100.7:4000",
        steps: [
            .hear("198.51.100.7:4000", .accepted), .hear("198.51.100.7:4000", ssrc: 9, sequence: 30_000, .accepted),
        ],
        latched: "198.51.100.7:4000"),
    LatchStory(
        testDescription: "signalling moves it at once", declared: "198.51.100.7:4000",
        steps: [
            .hear("198.51.100.7:4000", count: 5, .accepted), .declare("203.0.113.9:6000"),
            .hear("198.51.100.7:4000", sequence: 6, .stranger), .hear("203.0.113.9:6000", ssrc: 2, .accepted),
        ], latched: "203.0.113.9:6000"),
    LatchStory(
        testDescription: "signalling that repeats itself moves nothing", declared: "192.168.1.20:4000",
        steps: [
            .hear("203.0.113.9:61000", count: 11, .acceptedAtLast), .declare("192.168.1.20:4000"),
            .hear("203.0.113.9:61000", sequence: 12, .accepted),
        ], latched: "203.0.113.9:61000"),
    LatchStory(
        testDescription: "signalling that names what was learned keeps it", declared: nil,
        steps: [
            .hear("203.0.113.9:61000", count: 5, .acceptedAtLast), .declare("203.0.113.9:61000"),
            .hear("203.0.113.9:61000", sequence: 6, .accepted),
        ], latched: "203.0.113.9:61000"),
    LatchStory(
        testDescription: "a packet under the right key proves itself", declared: "198.51.100.7:4000", isProtected: true,
        steps: [.hear("203.0.113.9:61000", .accepted), .hear("198.51.100.7:4000", ssrc: 2, .stranger)],
        latched: "203.0.113.9:61000"),
]

@Test(arguments: stories)
func sourcesAreLearnedByTheRules(story: LatchStory) {
    let rules = SourceRules()
    var latch = SourceLatch(declared: story.declared.map(address))
    var now = milliseconds(0)
    for (number, step) in story.steps.enumerated() {
        switch step {
        case .pause(let duration): now = now + .milliseconds(duration)
        case .declare(let declared): latch.declare(declared.map(address))
        case .hear(let source, let ssrc, let sequence, let count, let thought):
            for index in 0..<count {
                let standing = latch.assess(address(source), isProtected: story.isProtected, at: now, rules: rules)
                let admitted =
                    standing != .stranger
                    && latch.admit(
                        address(source), ssrc: ssrc, sequence: sequence &+ UInt16(index),
                        isProtected: story.isProtected,
                        at: now, rules: rules)
                let expected =
                    switch thought {
                    case .accepted: standing != .stranger && admitted
                    case .stranger: standing == .stranger
                    case .learning: standing != .stranger && !admitted
                    case .acceptedAtLast: standing != .stranger && admitted == (index == count - 1)
                    }
                #expect(expected, "step \(number), packet \(index): \(standing), admitted \(admitted)")
                now = now + .milliseconds(20)
            }
        }
    }
    #expect(latch.latched == story.latched.map(address))
    #expect(latch.destination == story.latched.map(address) ?? latch.declared)
}

@Test(arguments: [
    ("10.0.0.0", true), ("10.255.255.255", true), ("11.0.0.0", false), ("9.255.255.255", false),
    ("172.15.255.255", false),
    ("172.16.0.0", true), ("172.31.255.255", true), ("172.32.0.0", false), ("192.168.0.1", true),
    ("192.167.255.255", false),
    ("192.169.0.0", false), ("100.63.255.255", false), ("100.64.0.0", true), ("100.127.255.255", true),
    ("100.128.0.0", false),
    ("169.254.1.1", true), ("169.253.1.1", false), ("127.0.0.1", false), ("fc00::1", true), ("fdff::1", true),
    ("fe00::1", false),
    ("fe80::1", true), ("febf::1", true), ("fec0::1", false), ("2001:db8::1", false),
])
func privateAddressesAreThoseOfTheStandards(text: String, isPrivate: Bool) {
    #expect(SocketAddress.Host(text)?.isPrivate == isPrivate)
}

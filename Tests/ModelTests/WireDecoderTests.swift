import Foundation
import Model
import Primitives
import SwiftProtobuf
import Testing

/// The decoder of our own beside the library's: it reads the same messages, and refuses the same bytes.
@Suite struct WireDecoderTests {
    private func library<M: Message>(_ type: M.Type, _ bytes: [UInt8]) -> M? { try? M(serializedBytes: bytes) }

    private let started = CallStarted.ofManyKinds

    /// - Returns: whether the bytes are such a message.
    @discardableResult private func agrees<M: Message & Equatable>(_ type: M.Type, _ bytes: [UInt8], _ comment: Comment? = nil) -> Bool {
        let read = try? M(wireBytes: bytes)
        #expect(read == library(type, bytes), comment)
        return read != nil
    }

    private var planned: DeskReply {
        .with {
            $0.callPlan.groups = [
                .with { $0.targets = [.with { $0.gateway.host = "carrier.example" }, Target()] }, TargetGroup(),
                .with { $0.targets = [.with { $0.contact.uri = "sip:1@192.0.2.1"; $0.timeoutSeconds = 60 }] },
            ]
            $0.callPlan.grantedSeconds = 120
        }
    }

    @Test func messagesOfACallAreRead() throws {
        for message in [CallStarted(), started] {
            #expect(try CallStarted(wireBytes: message.wireBytes()) == message)
            agrees(CallStarted.self, message.wireBytes())
        }
        #expect(try DeskReply(wireBytes: planned.wireBytes()) == planned)
        #expect(try CallStarted(wireBytes: []) == CallStarted())
    }

    /// Fields of kinds that it leaves to the library: lists of numbers, maps, numbers of four and eight bytes.
    @Test func whatItDoesNotReadTheLibraryReads() throws {
        let misses = VoucherMisses.with { $0.at = [0, 1, -1, .min, .max] }
        #expect(try VoucherMisses(wireBytes: misses.wireBytes()) == misses)
        let gateway = Gateway.with { $0.attributes = ["b": "2", "a": "1"] }
        #expect(try Gateway(wireBytes: gateway.wireBytes()) == gateway)
        let window = TimeWindow.with { $0.weekdays = [.monday, .sunday] }
        #expect(try TimeWindow(wireBytes: window.wireBytes()) == window)
        for value in [-0.0, 1.5, .infinity] {
            let message = Google_Protobuf_DoubleValue(value)
            #expect(try Google_Protobuf_DoubleValue(wireBytes: message.wireBytes()) == message)
        }
    }

    /// Of a newer version: they are still there when the message is written again.
    @Test func fieldsThatAreNotKnownStay() throws {
        for tail in [[0xF8, 0xF0, 0x04, 1], [0xFA, 0xF0, 0x04, 2, 7, 7], [0xFD, 0xF0, 0x04, 1, 2, 3, 4]] as [[UInt8]] {
            let bytes = started.wireBytes() + tail
            #expect(agrees(CallStarted.self, bytes))
            #expect(try CallStarted(wireBytes: bytes).wireBytes() == bytes)
        }
        let inner: [UInt8] = [0x0A, 4, 0xF8, 0xF0, 0x04, 1]
        #expect(agrees(DeskRequest.self, inner))
        #expect(try DeskRequest(wireBytes: inner).wireBytes() == inner)
    }

    @Test func enumerationsWithoutANameAreKept() throws {
        let allowance = Allowance.with { $0.legs = [.UNRECOGNIZED(9_999)] }
        #expect(try Allowance(wireBytes: allowance.wireBytes()) == allowance)
        let started = CallStarted.with { $0.direction = .UNRECOGNIZED(77) }
        #expect(try CallStarted(wireBytes: started.wireBytes()) == started)
    }

    /// Of two of one kind the later counts, messages become one, and of a choice the later stays.
    @Test func whatComesTwiceIsTakenAsTheLibraryTakesIt() throws {
        let twice = started.wireBytes() + CallStarted.with { $0.caller.number = "+12095550111"; $0.worker = "s2"; $0.hold.amountMicros = 5 }.wireBytes()
        #expect(agrees(CallStarted.self, twice))
        #expect(try CallStarted(wireBytes: twice).worker == "s2")
        let choices = DeskRequest.with { $0.heartbeat = Heartbeat() }.wireBytes() + DeskRequest.with { $0.hello = Hello() }.wireBytes()
        #expect(agrees(DeskRequest.self, choices))
        #expect(agrees(DeskReply.self, planned.wireBytes() + planned.wireBytes()))
    }

    @Test func bytesThatEndAnywhereAreRefusedAlike() {
        let bytes = started.wireBytes()
        var refused = 0
        for count in 0..<bytes.count where !agrees(CallStarted.self, Array(bytes.prefix(count)), "\(count) bytes") { refused += 1 }
        #expect(refused > bytes.count / 2)
    }

    @Test(arguments: [
        [0x00], [0x07, 1], [0x0A], [0x0A, 0x80], [0x0A, 5, 1], [0x12, 2, 0xC3, 0x28], [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        [0x0B, 0x0C], [0x0C], [0x0E], [0x0F], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], [0x88, 0x80, 0x00, 0],
    ] as [[UInt8]])
    func brokenBytesAreRefusedAlike(bytes: [UInt8]) {
        agrees(CallStarted.self, bytes)
        agrees(DeskRequest.self, bytes)
        agrees(DeskReply.self, bytes)
        agrees(LiveCall.self, bytes)
    }

    /// Whatever bytes there are.
    @Test func changedBytesAreReadAlike() {
        let seed: UInt64 = 20_261_123
        var random = RandomSource(seed: seed)
        var taken = 0
        for round in 0..<6_000 {
            var bytes = round % 2 == 0 ? started.wireBytes() : planned.wireBytes()
            for _ in 0..<Int.random(in: 1...4, using: &random) { bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random) }
            if round % 2 == 0 ? agrees(CallStarted.self, bytes, "seed \(seed), round \(round)") : agrees(DeskReply.self, bytes, "seed \(seed), round \(round)") { taken += 1 }
        }
        #expect(taken > 500 && taken < 6_000)
    }
}

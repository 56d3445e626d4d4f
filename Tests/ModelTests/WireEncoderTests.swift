import Foundation
import Model
import Primitives
import SwiftProtobuf
import Testing

/// The encoder of our own beside the library's: the log's bytes must not change.
@Suite struct WireEncoderTests {
    private let started = CallStarted.ofManyKinds

    private func agrees<M: Message & Equatable>(_ message: M, _ comment: Comment? = nil) throws {
        let bytes = message.wireBytes()
        let expected: [UInt8] = try message.serializedBytes()
        #expect(bytes == expected, comment)
        #expect(try M(serializedBytes: bytes) == message, comment)
    }

    @Test func aCallIsWrittenAsTheLibraryWritesIt() throws {
        try agrees(CallStarted())
        try agrees(started)
        #expect(Event.callStarted(started).serialized() == (try started.serializedBytes()))
        #expect(Event.tokenRevoked(.with { $0.tokenID = Data([1]) }).serialized() == [10, 1, 1])
    }

    /// Around the sizes at which a length takes another byte, five messages deep.
    @Test(arguments: [0, 1, 80, 90, 100, 110, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 16_370, 16_380, 16_383, 16_384, 16_385, 2_097_152])
    func lengthsOfAnySizeStandBeforeTheirMessages(count: Int) throws {
        let text = String(repeating: "é", count: count / 2) + (count % 2 == 1 ? "x" : "")
        try agrees(
            DeskReply.with {
                $0.callPlan.groups = [
                    .with { $0.targets = [.with { $0.gateway.host = text }, Target()] }, TargetGroup(),
                    .with { $0.targets = [.with { $0.contact.uri = text; $0.timeoutSeconds = 60 }] },
                ]
                $0.callPlan.grantedSeconds = 120
            }, "\(count) bytes of text")
    }

    @Test func listsOfNumbersArePacked() throws {
        try agrees(VoucherMisses.with { $0.at = [0, 1, -1, .min, .max, 127, 128] })
        try agrees(VoucherMisses.with { $0.at = (0..<5_000).map { Int64($0) << 20 } })
        try agrees(TimeWindow.with { $0.weekdays = [.monday, .sunday] })
        try agrees(Allowance.with { $0.legs = [.pstn, .UNRECOGNIZED(9_999)]; $0.seconds = 60 })
    }

    /// The library's order of a map is any.
    @Test func aMapIsInTheOrderOfItsKeys() throws {
        let gateway = Gateway.with { $0.attributes = ["b": "2", "a": "1", "c": ""] }
        #expect(try Gateway(serializedBytes: gateway.wireBytes()) == gateway)
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        let ordered: [UInt8] = try gateway.serializedBytes(options: options)
        #expect(gateway.wireBytes() == ordered)
        try agrees(Gateway.with { $0.attributes = ["a": String(repeating: "1", count: 200)] })
    }

    /// Of a newer version, or of any type that there is.
    @Test func fieldsThatAreNotKnownStay() throws {
        var bytes: [UInt8] = started.wireBytes()
        for tag in [0xF8, 0xF9, 0xFD] as [UInt8] {  // field 9,999: a number, eight bytes, four bytes
            bytes += [tag, 0xF0, 0x04] + [UInt8](repeating: 1, count: tag == 0xF8 ? 1 : tag == 0xF9 ? 8 : 4)
        }
        let read = try CallStarted(serializedBytes: bytes)
        #expect(read != started)
        try agrees(read)
        #expect(read.wireBytes() == bytes)
    }

    /// Types of fields that no message of ours has yet.
    @Test func everyKindOfFieldIsWrittenAsTheLibraryWritesIt() throws {
        try agrees(Google_Protobuf_DoubleValue(-0.1))
        try agrees(Google_Protobuf_FloatValue(3.5))
        try agrees(Google_Protobuf_Int32Value(-5))
        try agrees(Google_Protobuf_BoolValue(true))
        try agrees(Google_Protobuf_Struct(fields: ["a": Google_Protobuf_Value(numberValue: 1.5)]))
    }

    /// Bytes of any kind that are a message.
    @Test func whatADecoderTakesIsWrittenTheSame() throws {
        var random = RandomSource(seed: 42)
        var taken = 0
        for _ in 0..<4_000 {
            var bytes = started.wireBytes()
            for _ in 0..<Int.random(in: 1...4, using: &random) { bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random) }
            guard let message = try? CallStarted(serializedBytes: bytes) else { continue }
            taken += 1
            let expected: [UInt8] = try message.serializedBytes()
            #expect(message.wireBytes() == expected)
        }
        #expect(taken > 500)
    }
}

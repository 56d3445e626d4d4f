import Model
import Primitives
import SIP
import Testing

@testable import SignalWorker

/// What a tag says, and what text of others is not taken for one.
@Suite struct OwnerMarkTests {
    static let call = CallID(UUIDv7(high: 0x0190_B7E2_5FA8_7C33, low: 0x8000_0000_0000_0001))

    @Test func aTagAndABranchNameWorkerAndCall() {
        let mark = OwnerMark(worker: "w1", call: Self.call, part: "b2")
        #expect(OwnerMark(tag: mark.text) == mark)
        #expect(OwnerMark(branch: mark.branch) == mark)
        #expect(mark.branch.hasPrefix(Via.magicCookie))
    }

    @Test(arguments: ["", "a", "w1.b", "w1.0190b7e2.b", "w1.zz90b7e25fa87c338000000000000001.b", ".0190b7e25fa87c338000000000000001.b",
        "w1.0190b7e25fa87c338000000000000001", "w1.0190b7e25fa87c338000000000000001.b.c", "as6d8f7"])
    func otherTextIsNoMark(text: String) {
        #expect(OwnerMark(tag: text) == nil)
        #expect(OwnerMark(branch: "z9hG4bK-" + text) == nil)
    }

    @Test func aBranchOfAnotherMakeIsNoMark() {
        #expect(OwnerMark(branch: "z9hG4bKnashds7") == nil)
        #expect(OwnerMark(branch: nil) == nil)
        #expect(OwnerMark(tag: nil) == nil)
    }

    @Test(arguments: [
        ("+12095550100", "+12095550100"), ("1>;x", "1%3E%3Bx"), ("a@b", "a%40b"), ("a b", "a%20b"), ("", "anonymous"), ("50%", "50%25"),
        ("ü", "%C3%BC"),
    ])
    func aUserPartCannotEndItself(text: String, written: String) {
        let uri = URI(plainUser: text, host: "pbx.example")
        #expect(uri.user == written)
        #expect(URI(uri.description) == uri)
        if !text.isEmpty { #expect(uri.userDecoded == text) }
    }
}

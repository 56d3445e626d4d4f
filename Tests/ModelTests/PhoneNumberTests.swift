import Model
import Testing

@Suite struct PhoneNumberTests {
    @Test(arguments: ["+12092488700", "+49", "+123456789012345"])
    func readsE164(text: String) {
        #expect(PhoneNumber(text)?.description == text)
    }

    @Test(arguments: [
        "", "+", "12092488700", "+1", "+012", "+1234567890123456", "+1 209", "+1-209", "++1209", "+12a", "+１２",
    ])
    func refusesEverythingElse(text: String) {
        #expect(PhoneNumber(text) == nil)
    }

    @Test func liesWithinTheRangesOfItsBeginnings() throws {
        let number = try #require(PhoneNumber("+12092488700"))
        #expect(number.isWithin(prefix: "+"))
        #expect(number.isWithin(prefix: "+1209"))
        #expect(number.isWithin(prefix: "+12092488700"))
        #expect(!number.isWithin(prefix: "+1210"))
        #expect(!number.isWithin(prefix: "+120924887001"))
        #expect(!number.isWithin(prefix: ""))
        #expect(!number.isWithin(prefix: "1209"))
    }
}

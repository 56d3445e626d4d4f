import Model
import Testing

private let euro = Currency("EUR")!
private let dollar = Currency("USD")!

@Suite struct MoneyTests {
    @Test(arguments: [
        ("0", 0, "0.00"), ("12", 12_000_000, "12.00"), ("12.5", 12_500_000, "12.50"), ("+12.50", 12_500_000, "12.50"),
        ("0.0036", 3_600, "0.0036"), ("-0.0036", -3_600, "-0.0036"), ("0.000001", 1, "0.000001"),
        ("-3", -3_000_000, "-3.00"),
        ("007.10", 7_100_000, "7.10"), ("-0", 0, "0.00"),
        ("9223372036854.775807", Int64.max, "9223372036854.775807"),
        ("-9223372036854.775808", Int64.min, "-9223372036854.775808"),
    ])
    func readsDecimalsAndPrintsThemBack(text: String, micros: Int64, printed: String) throws {
        let money = try Money(parsing: text, euro)
        #expect(money.micros == micros)
        #expect(money.decimal == printed)
        #expect(try Money(parsing: money.decimal, euro) == money)
    }

    @Test(arguments: [
        "", "-", "+", ".", "1.", ".5", "1.2.3", "1,5", " 1", "1 ", "1e3", "--1", "+-1", "٣", "0x1", "NaN",
    ])
    func refusesWhatIsNotADecimal(text: String) {
        #expect(throws: MoneyError.malformed(text)) { try Money(parsing: text, euro) }
    }

    @Test func refusesMoreThanSixDecimals() {
        #expect(throws: MoneyError.tooPrecise("0.0000001")) { try Money(parsing: "0.0000001", euro) }
        #expect(throws: MoneyError.tooPrecise("1.0000000")) { try Money(parsing: "1.0000000", euro) }
    }

    @Test(arguments: ["9223372036854.775808", "-9223372036854.775809", "9223372036855", "99999999999999999999999999"])
    func refusesWhatDoesNotFit(text: String) {
        #expect(throws: MoneyError.overflow) { try Money(parsing: text, euro) }
    }

    @Test func addsAndSubtractsExactly() throws {
        let a = Money(micros: 3, euro)
        let b = Money(micros: 5, euro)
        #expect(try a.adding(b).micros == 8)
        #expect(try a.subtracting(b).micros == -2)
        #expect(try a.negated().micros == -3)
    }

    @Test func overflowIsAnErrorOnBothSidesOfTheRange() throws {
        let most = Money(micros: .max, euro)
        let least = Money(micros: .min, euro)
        let one = Money(micros: 1, euro)
        #expect(throws: MoneyError.overflow) { try most.adding(one) }
        #expect(throws: MoneyError.overflow) { try least.subtracting(one) }
        #expect(throws: MoneyError.overflow) { try least.negated() }
        #expect(try most.adding(.zero(euro)) == most)
        #expect(try most.subtracting(one).adding(one) == most)
    }

    @Test func twoCurrenciesDoNotMix() {
        #expect(throws: MoneyError.currencyMismatch(euro, dollar)) {
            try Money(micros: 1, euro).adding(Money(micros: 1, dollar))
        }
        #expect(throws: MoneyError.currencyMismatch(euro, dollar)) {
            try Money(micros: 1, euro).subtracting(Money(micros: 1, dollar))
        }
    }

    @Test func goesIntoAnAmountAndBack() throws {
        let money = Money(micros: -42, dollar)
        #expect(try Money(money.amount) == money)
        #expect(throws: MoneyError.unknownCurrency("usd")) {
            var amount = Amount()
            amount.currency = "usd"
            return try Money(amount)
        }
        #expect(money.description == "-0.000042 USD")
    }

    /// Another code of an old log still counts.
    @Test func aCodeIsReadWhetherOrNotItIsInUse() {
        for code in ["DEM", "ABC", "XXX"] {
            #expect(Currency(code)?.code == code)
            #expect(Currency.fault(in: code)?.contains(code) == true)
        }
        for code in ["EUR", "USD", "BRL", "KWD", "JPY", "XAF"] { #expect(Currency.fault(in: code) == nil) }
        #expect(Currency.listed.count == 155 && Currency.listed.allSatisfy { Currency($0) != nil })
    }

    @Test func amountsHaveAsManyDigitsAsArePaid() {
        for (code, decimals) in [("EUR", 2), ("JPY", 0), ("XPF", 0), ("KWD", 3), ("TND", 3), ("ABC", 2)] as [(String, UInt32)] {
            #expect(Currency(code)?.decimals == decimals)
        }
    }

    @Test(arguments: ["", "EU", "EURO", "eur", "E1R", "ÉUR"])
    func aCurrencyIsThreeUpperCaseLetters(code: String) {
        #expect(Currency(code) == nil)
    }
}

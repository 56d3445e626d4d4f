import Model
import Primitives
import Testing

@testable import Invoices

private let sums: [(exact: [Int64], decimals: UInt32)] = [
    ([334, 333, 333], 2), ([4_999, 4_999, 4_999], 2), ([-4_999, 12_001, 7], 2), ([], 2), ([1, 1, 1, 1, 1], 0), ([500_000, 500_000], 0),
]

@Test(arguments: sums)
func linesAreWholeCentsAndComeToTheRoundedSum(exact: [Int64], decimals: UInt32) {
    let parts = InvoiceAmounts.apportioned(exact, decimals)
    let unit = InvoiceAmounts.unit(decimals)
    #expect(parts.allSatisfy { $0 % unit == 0 })
    #expect(parts.reduce(0, +) == InvoiceAmounts.rounded(exact.reduce(0, +), decimals))
    #expect(zip(parts, exact).allSatisfy { ($0 - $1).magnitude < unit.magnitude })
}

@Test func vatIsRoundedOncePerRateHalfAwayFromZero() {
    #expect(InvoiceAmounts.tax(on: 10_000_000, basisPoints: 1_900, 2) == 1_900_000)
    #expect(InvoiceAmounts.tax(on: 130_000, basisPoints: 1_900, 2) == 20_000)  // 0.0247
    #expect(InvoiceAmounts.tax(on: 500_000, basisPoints: 500, 2) == 30_000)  // 0.025
    #expect(InvoiceAmounts.tax(on: -500_000, basisPoints: 500, 2) == -30_000)
    #expect(InvoiceAmounts.tax(on: 7_000_000, basisPoints: 810, 0) == 1_000_000)  // 0.567 yen
}

@Test(arguments: [
    ("de", "EUR", 1_234_567_890_000 as Int64, "1.234.567,89\u{A0}€"), ("en", "EUR", 1_234_560_000, "€1,234.56"), ("en", "CHF", 1_000_000, "CHF\u{A0}1.00"),
    ("fr", "EUR", -1_234_560_000, "\u{2212}1\u{202F}234,56\u{A0}€"), ("pt-BR", "BRL", 1_234_560_000, "R$\u{A0}1.234,56"), ("es", "USD", 5_000_000, "5,00\u{A0}$"),
    ("zz", "USD", 5_000_000, "$5.00"),
])
func anAmountIsWrittenAsItsReadersWriteIt(language: String, currency: String, micros: Int64, text: String) {
    #expect(InvoiceWords(language: language).amount(micros, currency, 2) == text)
}

@Test func aYenHasNoDecimalsAndADinarThree() {
    #expect(InvoiceWords(language: "en").amount(1_234_000_000, "JPY", Currency.decimals(of: "JPY")) == "¥1,234")
    #expect(InvoiceWords(language: "en").amount(1_234_500, "KWD", Currency.decimals(of: "KWD")) == "KWD\u{A0}1.234")
}

@Test func whatSomebodyIsCalledCannotBecomeAPartOfThePage() throws {
    let template = try Template("<b>{{name}}</b>{{#list}}[{{item}}{{^missing}}!{{/missing}}]{{/list}}{{^none}}-{{/none}}{{! a note }}")
    let filled = template.filled(with: [
        "name": .text("<script>'\"&</script>"), "list": .list([["item": .text("1")], ["item": .text("{{name}}")]]),
    ] as [String: Template.Value])
    #expect(filled == "<b>&lt;script&gt;&#39;&quot;&amp;&lt;/script&gt;</b>[1!][{{name}}!]-")
    for bad in ["{{", "{{#a}}", "{{/a}}", "{{#a}}{{/b}}", "{{{raw}}}", "{{}}", "{{a b}}"] {
        #expect(throws: TemplateError.self, "\(bad)") { try Template(bad) }
    }
}

@Test func monthsEndByTheClockOfTheirZone() {
    let calendar = BillingCalendar(timeZone: "Europe/Berlin")
    func time(_ text: String) -> WallTime { WallTime(rfc3339: text)! }
    #expect(calendar.boundary(day: 1, atOrBefore: time("2026-11-21T12:00:00Z")) == time("2026-10-31T23:00:00Z"))
    #expect(calendar.boundary(day: 1, after: time("2026-10-31T22:59:59Z")) == time("2026-10-31T23:00:00Z"))
    #expect(calendar.boundary(day: 1, after: time("2026-10-31T23:00:00Z")) == time("2026-11-30T23:00:00Z"))
    // The clocks go forward in March.
    #expect(calendar.boundary(day: 28, after: time("2026-03-01T00:00:00Z")) == time("2026-03-27T23:00:00Z"))
    #expect(calendar.boundary(day: 28, after: time("2026-03-27T23:00:00Z")) == time("2026-04-27T22:00:00Z"))
    #expect(calendar.day(of: time("2026-10-31T23:30:00Z")) == "2026-11-01")
    #expect(calendar.day(of: time("2026-10-31T23:30:00Z"), plus: 30) == "2026-12-01")
}

import Foundation
import Model
import Testing

@testable import SignalWorker

@Suite struct FinalReasonTests {
    @Test func theDocumentedReasonsAreThoseOfTheCode() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/reasons.md")
        #expect(try String(contentsOf: page, encoding: .utf8) == FinalReason.page, "make it again: ledgerline reasons > docs/reasons.md")
    }

    @Test func everyRefusalOfTheControlPlaneHasAReasonOfItsOwn() {
        let refusals = Refusal.allCases.filter { $0 != .none }
        #expect(Set(refusals.map { FinalReason($0) }).count == refusals.count)
    }

    @Test func everyReasonSaysSomething() {
        for reason in FinalReason.allCases { #expect(reason.meaning.text.hasSuffix(".") || reason.meaning.text.hasSuffix("them."), "\(reason)") }
    }
}

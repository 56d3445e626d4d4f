import Foundation
import Model
import Testing

/// A number that its owner does not show is on no bill of who was called, and on those of everybody who knows it anyway.
@Test func aWithheldNumberIsNotOnTheBillOfTheCalledCustomer() {
    let (own, other, provider) = (Data([1]), Data([2]), Data([3]))
    var cdr = Cdr()
    (cdr.caller.number, cdr.caller.customerID, cdr.isAnonymous) = ("+12095550100", own, true)
    func account(_ kind: AccountKind, _ owner: Data) -> AccountRef {
        var account = AccountRef()
        (account.kind, account.ownerID) = (kind, owner)
        return account
    }
    #expect(cdr.callerNumber(onBillOf: account(.customer, other)) == "anonymous")
    #expect(cdr.callerNumber(onBillOf: account(.customer, own)) == "+12095550100")
    #expect(cdr.callerNumber(onBillOf: account(.providerReceivable, provider)) == "+12095550100")
    cdr.isAnonymous = false
    #expect(cdr.callerNumber(onBillOf: account(.customer, other)) == "+12095550100")
    (cdr.isAnonymous, cdr.caller.number) = (true, "")
    #expect(cdr.callerNumber(onBillOf: account(.customer, other)).isEmpty, "erased, and not withheld")
}

@Test func nothingButANumberIsShownOfTheOtherSide() {
    var party = CallParty()
    (party.number, party.subscriberID, party.customerID) = ("1000", Data([1]), Data([2]))
    #expect(party.shownToOthers(isWithheld: false).number == "1000")
    #expect(party.shownToOthers(isWithheld: true).number == CallParty.withheldNumber)
    #expect(party.shownToOthers(isWithheld: false).subscriberID.isEmpty && party.shownToOthers(isWithheld: false).customerID.isEmpty)
}

import Foundation
import Invoices
import Model
import OpenSSL
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// What a provider owes the one above it: charged by calls, paid, put right.
@Suite struct ProviderDebtTests {
    private let town: Town
    private let reseller: Reseller

    init() throws {
        town = try Town()
        reseller = try Reseller(town)
    }

    private var parent: Data { town.provider.id }

    private func rejects(_ command: AdminCommand, _ part: String, by authority: Authority? = nil) throws {
        do {
            try town.platform.admin(command, by: authority)
            Issue.record("was taken: \(command)")
        } catch let error as AdminRejection {
            #expect("\(error)".contains(part), "\(error)")
        }
    }

    private func token(_ role: Role, _ scope: Data) throws -> Authority {
        let outcome = try town.platform.admin(
            .issueToken(
                .with {
                    $0.name = "\(role.literal) of \(hex(Array(scope)))"
                    $0.role = role
                    $0.scopeID = scope
                    $0.secretHash = Data(Hash.sha256(Array(role.literal.utf8) + scope))
                }))
        return Authority(token: TokenID(outcome.id))
    }

    @Test func aCallIsOwedOnEachEdgeAndAPaymentMovesBothSides() throws {
        try reseller.call(300)  // five minutes at 3.5 cents, and at 3 to the platform
        try reseller.call(61)
        #expect(try reseller.owes() == 245_000)
        #expect(try reseller.balance(.providerCost, reseller.provider.id) == -245_000)
        #expect(try reseller.balance(.providerPayable, parent) == 210_000)
        #expect(try reseller.isBalanced())
        try town.platform.admin(.pay(reseller.id, reseller.amount(200_000), reason: "transfer 17"))
        #expect(try reseller.owes() == 45_000)
        #expect(try reseller.balance(.cash, reseller.provider.id) == 200_000)
        #expect(try reseller.balance(.cash, parent) == -200_000)
        #expect(try reseller.balance(.providerReceivable, reseller.provider.id) == 200_000)
        #expect(try reseller.balance(.providerPayable, parent) == 210_000, "the edge above is another")
        try town.platform.admin(.adjust(.provider(reseller.id), reseller.amount(5_000), reason: "bad line"))
        #expect(try reseller.owes() == 40_000)
        #expect(try reseller.balance(.providerCost, reseller.provider.id) == -240_000)
        #expect(try reseller.isBalanced())
        // The platform's own edge.
        try town.platform.admin(.pay(ProviderID(parent)!, reseller.amount(210_000), reason: "transfer 18"))
        #expect(try reseller.balance(.providerPayable, parent) == 0)
        #expect(try reseller.balance(.cash, Data()) == -210_000)
        #expect(try reseller.isBalanced())
        try town.platform.restart()
        #expect(try reseller.owes() == 40_000)
    }

    @Test func theStatementOfTheDebtSaysWhatMovedIt() throws {
        let begin = town.platform.wall
        try reseller.call(300)
        try town.platform.admin(.pay(reseller.id, reseller.amount(100_000), reason: "transfer 17"))
        town.platform.advance(.seconds(1))
        let statement = try town.platform.views.read { views throws(ViewsError) in
            Result { () throws(StatementError) in
                try AccountStatement(
                    of: .providerPayable(reseller.id, Currency("USD")!), from: begin, to: town.platform.wall, limit: 100, in: views, town.platform.log)
            }
        }.get()
        #expect(statement.opening == 0 && statement.closing == 75_000)
        #expect(statement.movements.map(\.kind) == [.call, .payment])
        #expect(statement.movements.map(\.amount) == [175_000, -100_000])
        #expect(statement.movements.map(\.source) == ["Calls to North America", "transfer 17"])
        #expect(statement.movements.first?.record == 1)
    }

    @Test func whatCannotBeBookedIsRefusedAndMovesNothing() throws {
        try reseller.call(60)
        let before = try reseller.owes()
        try rejects(.pay(reseller.id, reseller.amount(0), reason: ""), "positive")
        try rejects(.pay(reseller.id, reseller.amount(-5), reason: ""), "positive")
        try rejects(.pay(reseller.id, reseller.amount(5, "EUR"), reason: ""), "owes the one above it in USD")
        try rejects(.pay(reseller.id, reseller.amount(.max), reason: ""), "at most")
        try rejects(.adjust(.provider(reseller.id), reseller.amount(5), reason: ""), "says why")
        try rejects(.adjust(.provider(reseller.id), reseller.amount(0), reason: "x"), "not be zero")
        try rejects(.pay(ProviderID(town.customer.id)!, reseller.amount(5), reason: ""), "provider")
        #expect(try reseller.owes() == before)
        #expect(try reseller.isBalanced())
    }

    @Test func aProviderCreditsNeitherItselfNorWhoIsBesideIt() throws {
        try reseller.call(60)
        let above = try token(.billing, parent)
        let own = try token(.billing, reseller.provider.id)
        let reading = try token(.readOnly, parent)
        for command in [
            AdminCommand.pay(reseller.id, reseller.amount(1_000), reason: "x"), .adjust(.provider(reseller.id), reseller.amount(1_000), reason: "x"),
        ] {
            try rejects(command, "outside of the token's scope", by: own)
            try rejects(command, "money.post", by: reading)
            try town.platform.admin(command, by: above)
        }
        #expect(try reseller.owes() == 33_000)
        // Nor does the one above it credit itself with the platform.
        try rejects(.pay(ProviderID(parent)!, reseller.amount(1_000), reason: "x"), "outside of the token's scope", by: above)
    }

    @Test func beyondTheLimitOfTheOneAboveASecondPersonApproves() throws {
        try reseller.call(60)
        try town.platform.admin(
            .changeBilling(
                .with {
                    $0.providerID = parent
                    $0.approvalAboveMicros = 1_000_000
                }))
        let (first, second, own) = (try token(.billing, parent), try token(.providerAdmin, parent), try token(.providerAdmin, reseller.provider.id))
        let outcome = try town.platform.admin(.adjust(.provider(reseller.id), reseller.amount(2_000_000), reason: "goodwill"), by: first)
        let id = AdjustmentID(outcome.id)
        #expect(try reseller.owes() == 35_000)
        try rejects(.approveAdjustment(id), "a second person", by: first)
        try rejects(.approveAdjustment(id), "outside of the token's scope", by: own)
        try town.platform.admin(.approveAdjustment(id), by: second)
        #expect(try reseller.owes() == 35_000 - 2_000_000)
        #expect(try reseller.isBalanced())
    }
}

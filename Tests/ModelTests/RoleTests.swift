import Model
import Testing

@Suite struct RoleTests {
    @Test(arguments: Role.allCases)
    func everyRoleIsFoundByItsLiteral(role: Role) {
        #expect(Role(literal: role.literal) == role)
    }

    @Test func aRoleOfANewerBinaryMayNothing() {
        let unknown = Role.UNRECOGNIZED(99)
        #expect(unknown.duty == nil)
        for right in Right.allCases { for level in Level.allCases { #expect(!right.isHeld(by: unknown, at: level)) } }
        #expect(!unknown.mayGrant(.readOnly))
        #expect(!Role.platformAdmin.mayGrant(unknown))
        #expect(Role(literal: unknown.literal) == nil)
    }

    @Test func rolesAreGrantedDownwardsOnly() {
        #expect(Role.platformAdmin.mayGrant(.platformAdmin))
        #expect(Role.providerAdmin.mayGrant(.tenantAdmin))
        #expect(!Role.tenantAdmin.mayGrant(.providerAdmin))
        #expect(Role.tenantAdmin.mayGrant(.user))
        #expect(Role.customerAdmin.mayGrant(.support))
        for role in [Role.readOnly, .billing, .support, .user] { #expect(!role.mayGrant(.readOnly)) }
    }

    @Test func whoOnlyReadsBillsOrHelpsDoesNoMoreFurtherDown() {
        #expect(Role.platformAdmin.acting(at: .tenant) == .tenantAdmin)
        #expect(Role.tenantAdmin.acting(at: .subscriber) == .user)
        for role in [Role.readOnly, .billing, .support] { #expect(role.acting(at: .tenant) == role) }
        #expect(Role.user.acting(at: .subscriber) == nil)
    }

    @Test func moneyIsPostedByWhomItIsOwedTo() {
        #expect(Right.postMoney.isHeld(by: .billing, at: .provider))
        #expect(!Right.postMoney.isHeld(by: .billing, at: .customer))
        #expect(!Right.postMoney.isHeld(by: .customerAdmin, at: .customer))
        #expect(!Right.writeSubscribers.isHeld(by: .billing, at: .provider))
        #expect(!Right.postMoney.isHeld(by: .support, at: .platform))
        #expect(!Right.writeTokens.isHeld(by: .support, at: .platform))
    }
}

import Model
import Testing

@Suite struct RoleTests {
    @Test(arguments: Role.allCases)
    func everyRoleIsFoundByItsLiteral(role: Role) {
        #expect(Role(literal: role.literal) == role)
    }

    @Test func aRoleOfANewerBinaryMayNothing() {
        let unknown = Role.UNRECOGNIZED(99)
        #expect(!unknown.mayWrite)
        #expect(!unknown.mayGrant(.readOnly))
        #expect(!Role.platformAdmin.mayGrant(unknown))
        #expect(Role(literal: unknown.literal) == nil)
    }

    @Test func rolesAreGrantedDownwardsOnly() {
        #expect(Role.platformAdmin.mayGrant(.platformAdmin))
        #expect(Role.providerAdmin.mayGrant(.tenantAdmin))
        #expect(!Role.tenantAdmin.mayGrant(.providerAdmin))
        #expect(!Role.readOnly.mayGrant(.readOnly))
    }
}

import ControlPlane
import Model
import Primitives
import Projections

enum SecurityGroups: ChangeableResource {
    static let kind = EntityKind.securityGroup
    static let noun = "security group"
    static let segment = "security-groups"
    static let rights = ResourceRights(write: .writeNetwork)
    static let shape = Shape<SecurityGroup>.securityGroup

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> SecurityGroup? {
        try views.securityGroup(SecurityGroupID(id))
    }

    static func all(
        after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot
    ) throws(ViewsError) -> [SecurityGroup] {
        try views.securityGroups(after: id.map(SecurityGroupID.init), limit: limit)
    }

    static func id(of group: SecurityGroup) -> UUIDv7? { UUIDv7(bytes: group.id) }

    static func place(of group: SecurityGroup, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(provider: group.providerID)
    }

    static func currency(of group: SecurityGroup, in views: borrowing ViewSnapshot) throws(ViewsError) -> Currency? {
        try views.currency(provider: group.providerID)
    }

    static func references(of group: SecurityGroup, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference] {
        [Reference("provider_id", .provider, UUIDv7(bytes: group.providerID))]
    }

    static func create(_ group: SecurityGroup) -> AdminCommand { .createSecurityGroup(group) }

    static func change(_ group: SecurityGroup, expectedVersion: UInt64?) -> AdminCommand {
        .changeSecurityGroup(group, expectedVersion: expectedVersion)
    }
}

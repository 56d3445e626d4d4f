import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

extension User: Blank {}

extension Shape<User> {
    static let user = Shape(
        "User",
        [
            .id(\.id),
            .text("email", \.email, access: .fixed, isRequired: true, max: 254, "What the user logs in with; unique."),
            .text("name", \.name, isRequired: true, "Of the person."),
            .choice("role", \.role, access: .fixed, isRequired: true, "What the user may do."),
            .reference(
                "scope_id", \.scopeID, access: .fixed,
                "The provider, customer, tenant or subscriber that the user is confined to; null: the platform."),
            .text("language", \.language, max: 35, "BCP 47, such as de-AT."),
            .choice("status", \.status, "Whoever is locked logs in no more, and is logged out at once."),
            .time("password_set_at", \.passwordSetAt, access: .readOnly, "Null: the invitation was not followed yet."),
            .time("second_factor_since", \.secondFactorSince, access: .readOnly, "Null: the password alone lets in."),
            .time("created_at", \.createdAt, access: .readOnly, "When it was made."),
        ])
}

/// People who log in. Making one sends an invitation.
enum Users: ChangeableResource {
    static let kind = EntityKind.user
    static let noun = "user"
    static let segment = "users"
    static let rights = ResourceRights(read: .readTokens, write: .writeTokens)
    static let shape = Shape<User>.user

    static func levels(below node: EntityKind) -> [EntityKind]? {
        switch node {
        case .provider, .customer, .tenant, .subscriber: [.user]
        case .contact, .rateDeck, .servicePlan, .dialPlan, .carrier, .number, .securityGroup, .cdrExport, .domain, .user, .UNRECOGNIZED: nil
        }
    }

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> User? { try views.user(UserID(id)) }

    static func all(after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot) throws(ViewsError) -> [User] {
        try views.users(after: id.map(UserID.init), limit: limit)
    }

    static func id(of user: User) -> UUIDv7? { UUIDv7(bytes: user.id) }

    static func place(of user: User, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place { try views.place(of: user) }

    static func references(of user: User, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference] { [] }

    static func create(_ user: User) -> AdminCommand { .identity(.createUser(user)) }

    static func change(_ user: User, expectedVersion: UInt64?) -> AdminCommand {
        .identity(.changeUser(user, expectedVersion: expectedVersion))
    }

    static var operations: [ControlAPI.Operation] {
        basicOperations.map { operation in operation.name == "createUser" ? invitation : operation } + [
            Operation(
                method: .patch, path: itemPath, name: "changeUser", tag: segment,
                summary: "Changes what the body names, and leaves the rest (RFC 7396).", access: .needs(.writeTokens),
                body: .init(
                    schema: Schema.reference("UserPatch"), mediaTypes: [ContentNegotiation.mergePatch, ContentNegotiation.json]),
                success: .init(status: .ok, about: "It is changed.", schema: Schema.reference("User"), hasVersion: true),
                isConditional: true, handle: { try await patch($0) })
        ]
    }

    private static var invitation: ControlAPI.Operation {
        Operation(
            method: .post, path: path, name: "createUser", tag: segment,
            summary: "Makes a user with at most the role and the scope of the asker, and sends an invitation to set a password.",
            access: .needs(.writeTokens), body: .init(schema: Schema.reference("NewUser")),
            success: .init(status: .created, about: "It is made.", schema: Schema.reference("User"), hasVersion: true),
            handle: { exchange in
                let reply = try await post(exchange)
                exchange.sendMail()
                return reply
            })
    }
}

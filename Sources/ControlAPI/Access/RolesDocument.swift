import Model

/// Who may do what, for people: made of the same tables that requests are checked by.
package enum RolesDocument {
    package static var markdown: String {
        let roles = Role.allCases.map { role in
            "| `\(role.literal)` | \(role.level.map { "a \($0.word)" } ?? "any node but a subscriber") | \(about(role)) |"
        }
        let rights = Right.allCases.map { right in
            let cells = Duty.allCases.map { duty in right.rule.duties.contains(duty) ? right.rule.level.word : "-" }
            return "| `\(right.rawValue)` | \(cells.joined(separator: " | ")) |"
        }
        let operations = RouteTable.operations.map { operation in
            let right = operation.access.right.map { "`\($0.rawValue)`" } ?? "none: open to everybody"
            return "| `\(operation.name)` | \(operation.method.rawValue.uppercased()) `\(operation.path)` | \(right) |"
        }
        return """
            # Who may do what

            Made by `ledgerline token roles > docs/roles.md` of the tables that the API checks requests by. A test compares them, and tries every
            operation with every role at every level against this page.

            Platform → provider (as deep as you like) → customer → tenant → subscriber. A token has a role and a scope: one node of this tree. It sees
            what hangs below its node, and of what stands above only what it lives by: a customer its contact, plan and deck, a tenant its dial plan.
            What is out of sight answers 404, what the role does not allow 403.

            ## Roles

            | role | scope | is there for |
            | --- | --- | --- |
            \(roles.joined(separator: "\n"))

            A token is issued with at most the role and the scope of the asker, may expire (`expires_at`), and says who issued it (`issued_by`). The last
            token of a platform administrator that does not expire cannot be revoked. Where money or secrets move (top-ups, adjustments, re-rating,
            tokens, subscribers, carriers, erasure) the token is looked at again in the transaction that decides: one that was revoked or has expired
            since the request came in moves nothing.

            A user reads its own subscriber, numbers and call records, and sets `display_name`, `email`, `password`, `dial_timeout_seconds`, `language`
            and `time_zone`.

            ## Acting for somebody

                curl -H "Authorization: Bearer $TOKEN" -H "Act-As: tenant/0190…" …/v1/subscribers

            Whoever holds `parties.act_for` may make a request as a party below its scope would: an administrator as the administrator there (a
            subscriber's as its user), the others in their own role. Nothing more is seen or done than the party's own token could. The event says who
            it was (`actor`) and for whom (`acting_for` in the [audit](audit.md)).

            ## Rights

            Each column says how far down the tree the right goes: `customer` is held by tokens of that kind for the platform, providers and customers. - is nobody.

            | right | administrators | `read_only` | `billing` | `support` | `user` |
            | --- | --- | --- | --- | --- | --- |
            \(rights.joined(separator: "\n"))

            ## Operations

            | operation | request | right |
            | --- | --- | --- |
            \(operations.joined(separator: "\n"))

            """
    }

    private static func about(_ role: Role) -> String {
        switch role {
        case .platformAdmin: "everything"
        case .providerAdmin: "everything of a provider and those below it; the provider itself is changed from above"
        case .customerAdmin: "a customer's tenants and subscribers"
        case .tenantAdmin: "a tenant's subscribers"
        case .readOnly: "reading, without the audit"
        case .user: "one's own phone"
        case .billing: "money: records, prices, accounts; posts money from a provider upwards; changes no settings"
        case .support: "helping: reads all, clears registrations, tries routes; no money, no tokens"
        case .UNRECOGNIZED: ""
        }
    }
}

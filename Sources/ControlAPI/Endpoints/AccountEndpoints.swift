import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

/// Double-entry accounts: what they stand at, and what moved them.
enum AccountEndpoints {
    /// Accounts looked at for one page of a token that sees few of many.
    private static let examinedMax = 10_000

    static let operations = [
        Operation(
            method: .get, path: "/v1/accounts", name: "listAccounts", tag: "accounts",
            summary: "Lists accounts by kind and owner. A page may be short, and is the last only if next is null.",
            access: .needs(.readAccounts), query: [QueryParameter("after", .text, "The `next` of the page before."), .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("AccountPage")),
            handle: { try list($0) }),
        Operation(
            method: .get, path: "/v1/accounts/{account_id}", name: "getAccount", tag: "accounts",
            summary: "Reads an account.",
            access: .needs(.readAccounts), success: .init(status: .ok, about: "The account.", schema: Schema.reference("Account")),
            handle: { try get($0) }),
        Operation(
            method: .get, path: "/v1/accounts/{account_id}/postings", name: "listPostings", tag: "accounts",
            summary: "Lists what moved an account, the oldest first.", access: .needs(.readAccounts),
            query: [QueryParameter("after", .text, "The `next` of the page before."), .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("PostingPage")),
            handle: { try postings($0) }),
        Operation(
            method: .get, path: "/v1/trial-balance", name: "getTrialBalance", tag: "accounts",
            summary: "The sum of all balances in each currency: zero, unless the books are broken.", access: .needs(.readBooks),
            success: .init(status: .ok, about: "One line for each currency.", schema: Schema.reference("TrialBalance")),
            handle: { try trialBalance($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("Account", Shape<AccountState>.account.schema), ("AccountPage", Schema.page(of: Schema.reference("Account"))),
        ("Posting", Shape<AccountPosting>.posting.schema),
        ("PostingPage", Schema.page(of: Schema.reference("Posting"))),
        (
            "TrialBalance",
            Schema.object(
                [
                    (
                        "lines",
                        Schema.list(
                            Schema.object(
                                [
                                    ("currency", Schema.text(max: 3)), ("sum", Schema.decimal),
                                    ("accounts", Schema.sequence),
                                    ("postings", Schema.sequence),
                                ], required: ["currency", "sum", "accounts", "postings"]))
                    ),
                    ("is_zero", Schema.flag), ("log_position", Schema.sequence),
                ], required: ["lines", "is_zero", "log_position"])
        ),
    ]

    private static func list(_ exchange: Exchange) throws -> Reply {
        let reach = try exchange.reach
        var after: AccountRef?
        if let text = exchange.query.text("after") {
            guard let account = AccountRef(text: text) else { throw Query.notACursor }
            after = account
        }
        return try exchange.read { views in
            let redaction = try Redaction(reach, in: views)
            let limit = exchange.query.limit
            var items: [JSON] = []
            var examined = 0
            while examined < examinedMax {
                let accounts = try views.accounts(after: after, limit: limit)
                for state in accounts {
                    guard items.count < limit else { return .page(items, next: after?.text) }
                    after = state.account
                    examined += 1
                    if try redaction.sees(state.account, in: views) {
                        items.append(Shape<AccountState>.account.json(state))
                    }
                }
                guard accounts.count == limit else { return .page(items, next: nil) }
            }
            return .page(items, next: after?.text)
        }
    }

    private static func get(_ exchange: Exchange) throws -> Reply {
        try exchange.read { views in
            .ok(Shape<AccountState>.account.json(try views.account(try account(exchange, in: views))))
        }
    }

    private static func postings(_ exchange: Exchange) throws -> Reply {
        try exchange.read { views in
            let account = try account(exchange, in: views)
            var after: (sequence: UInt64, index: UInt32)?
            if let text = exchange.query.text("after") {
                let parts = text.split(separator: "-", maxSplits: 1)
                guard parts.count == 2, let sequence = UInt64(parts[0]), let index = UInt32(parts[1]) else {
                    throw Query.notACursor
                }
                after = (sequence, index)
            }
            let limit = exchange.query.limit
            let postings = try views.postings(of: account, after: after, limit: limit + 1)
            let context = FieldContext(currency: Currency(account.currency))
            let last = postings.count > limit ? postings[limit - 1] : nil
            return .page(
                postings.prefix(limit).map { Shape<AccountPosting>.posting.json($0, context) },
                next: last.map { "\($0.sequence)-\($0.index)" })
        }
    }

    private static func trialBalance(_ exchange: Exchange) throws -> Reply {
        try exchange.read { views in
            let lines = try views.trialBalance()
            return .ok([
                "lines": .array(
                    lines.map { line in
                        [
                            "currency": .string(line.currency.code), "sum": .string(Decimal.text(micros: line.micros)),
                            "accounts": .integer(line.accounts), "postings": .integer(line.postings),
                        ]
                    }), "is_zero": .bool(lines.allSatisfy { $0.micros == 0 }), "log_position": .integer(views.applied),
            ])
        }
    }

    /// The one that the path names, for those that may see it.
    static func account(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> AccountRef {
        guard let account = AccountRef(text: exchange.path["account_id"] ?? ""),
            try Redaction(exchange.reach, in: views).sees(account, in: views)
        else { throw Problem(.notFound, "There is no such account.") }
        return account
    }
}

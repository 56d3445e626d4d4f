import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

/// Packages of a customer: bought, listed, not renewed any more.
enum PackageEndpoints {
    private struct Purchase: Blank {
        var package: UInt32 = 0
    }

    private static let shape = Shape<Purchase>(
        "Purchase", [.integer("package", \.package, 1...UInt32.max, isRequired: true, "Its number in the customer's service plan.")])

    static let operations = [
        Operation(
            method: .get, path: "/v1/customers/{customer_id}/allowances", name: "listAllowances", tag: "customers",
            summary: "Free units of the customer in the periods that are now: all, used, and set aside for calls that run.",
            access: .needs(.readAccounts),
            success: .init(status: .ok, about: "All of them.", schema: Schema.reference("AllowanceList")), handle: { try allowances($0) }),
        Operation(
            method: .get, path: "/v1/customers/{customer_id}/packages", name: "listPackages", tag: "customers",
            summary: "What the customer has bought, with what is left of it, the oldest first.", access: .needs(.readAccounts),
            query: [QueryParameter("after", .text, "The `next` of the page before."), .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("BoughtPackagePage")), handle: { try list($0) }),
        Operation(
            method: .post, path: "/v1/customers/{customer_id}/packages", name: "buyPackage", tag: "customers",
            summary: "Buys a package of the customer's service plan; it is paid at once.", access: .needs(.buyPackages),
            body: .init(schema: Schema.reference("Purchase")),
            success: .init(status: .created, about: "It is bought.", schema: Schema.reference("BoughtPackage")),
            needsIdempotencyKey: true, handle: { try await buy($0) }),
        Operation(
            method: .delete, path: "/v1/customers/{customer_id}/packages/{package_id}", name: "cancelPackage", tag: "customers",
            summary: "It is not renewed any more, and holds until it ends.", access: .needs(.buyPackages),
            success: .init(status: .ok, about: "The package.", schema: Schema.reference("BoughtPackage")), handle: { try await cancel($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("AllowanceList", Schema.object([("items", Schema.list(allowance))], required: ["items"])), ("Purchase", shape.newSchema), ("BoughtPackage", package), ("BoughtPackagePage", Schema.page(of: Schema.reference("BoughtPackage"))),
    ]

    private static let allowance = Schema.object(
        [
            ("source_id", Schema.uuid), ("number", Schema.sequence), ("name", Schema.text(max: 128)), ("period_from", Schema.time),
            ("seconds", Schema.sequence), ("seconds_used", Schema.sequence), ("seconds_held", Schema.sequence),
            ("amount", Schema.decimal), ("amount_used", Schema.decimal), ("amount_held", Schema.decimal),
        ],
        required: [
            "source_id", "number", "name", "period_from", "seconds", "seconds_used", "seconds_held", "amount", "amount_used", "amount_held",
        ])

    private static let package = Schema.object(
        [
            ("id", Schema.uuid), ("name", Schema.text(max: 128)), ("price", Schema.money), ("from", Schema.time), ("to", Schema.time),
            ("renewals", Schema.sequence), ("is_renewed", Schema.flag), ("journal_id", Schema.orNull(Schema.uuid)),
        ], required: ["id", "name", "price", "from", "to", "renewals", "is_renewed", "journal_id"])

    private static func allowances(_ exchange: Exchange) throws -> Reply {
        try exchange.read { views in
            let id = try customer(exchange, in: views)
            let all = try FreeUnitsState.all(of: id, in: views, at: try views.timeAsOf ?? .now)
            return .ok(["items": .array(all.map(json))])
        }
    }

    private static func json(_ units: FreeUnitsState) -> JSON {
        let (term, state) = (units.term, units.state)
        return [
            "source_id": .id(term.sourceID), "number": .integer(term.number), "name": .string(term.name),
            "period_from": .time(microseconds: term.periodStart), "seconds": .integer(term.isMoney ? 0 : term.seconds),
            "seconds_used": .integer(max(0, state.usedSeconds)), "seconds_held": .integer(max(0, state.heldSeconds)),
            "amount": .string(Decimal.text(micros: term.isMoney ? term.micros : 0)),
            "amount_used": .string(Decimal.text(micros: state.usedMicros)), "amount_held": .string(Decimal.text(micros: state.heldMicros)),
        ]
    }

    private static func list(_ exchange: Exchange) throws -> Reply {
        try exchange.read { views in
            let id = try customer(exchange, in: views)
            var after: UUIDv7?
            if let text = exchange.query.text("after") {
                guard let parsed = UUIDv7(text) else { throw Query.notACursor }
                after = parsed
            }
            let limit = exchange.query.limit
            let packages = try views.packages(of: id, after: after, limit: limit + 1)
            let last = packages.count > limit ? packages[limit - 1] : nil
            return .page(
                packages.prefix(limit).map(json), next: last.flatMap { UUIDv7(bytes: $0.bought.id)?.description })
        }
    }

    private static func buy(_ exchange: Exchange) async throws -> Reply {
        let purchase = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        let id = try exchange.read { views in try customer(exchange, in: views) }
        let outcome = try await exchange.submit(.buyPackage(id, purchase.package))
        return try exchange.read { views in
            guard let state = try views.package(of: id, outcome.id) else {
                throw Problem(.unavailable, "It is bought, and cannot be shown yet.", headers: [.retryAfter: "5"])
            }
            return Reply(.created, .json(json(state))).replayed(outcome.repeated)
        }
    }

    private static func cancel(_ exchange: Exchange) async throws -> Reply {
        let package = try exchange.id("package_id")
        let id = try exchange.read { views in try customer(exchange, in: views) }
        let outcome = try await exchange.submit(.cancelPackage(id, package, reason: "asked for"))
        return try exchange.read { views in
            guard let state = try views.package(of: id, outcome.id) else { throw Problem(.notFound, "There is no such package.") }
            return .ok(json(state)).replayed(outcome.repeated)
        }
    }

    private static func customer(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> CustomerID {
        let id = try exchange.id("customer_id")
        _ = try Customers.visible(id, to: exchange.reach, in: views)
        return CustomerID(id)
    }

    private static func json(_ state: PackageState) -> JSON {
        let bought = state.bought
        return [
            "id": .id(bought.id), "name": .string(bought.package.name),
            "price": FieldContext(currency: Currency(bought.currency)).amount(micros: bought.package.priceMicros),
            "from": .time(microseconds: bought.startsAt), "to": .time(microseconds: bought.endsAt), "renewals": .integer(bought.renewals),
            "is_renewed": .bool(bought.package.isRenewing && !state.isCancelled), "journal_id": .id(bought.journalID),
        ]
    }
}

import DNS
import Foundation
import Model
import Primitives
import Testing

@testable import ControlAPI

private var page: String {
    get throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/roles.md")
        return try String(contentsOf: file, encoding: .utf8)
    }
}

@Test func thePageOfRolesSaysWhatTheTablesSay() throws {
    #expect(try page == RolesDocument.markdown, "run: ledgerline token roles > docs/roles.md")
}

/// The page as a program reads it: who may do what, whatever the code says.
private struct Matrix {
    /// Of an operation, its right; empty: it is open.
    var rights: [String: String] = [:]
    /// Of a right, how far down each duty holds it.
    var floors: [String: [Duty: Level]] = [:]

    init(_ page: String) throws {
        for line in page.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) }
            if cells.count == 6 {
                var floor: [Duty: Level] = [:]
                for (duty, cell) in zip(Duty.allCases, cells.dropFirst()) where cell != "-" {
                    floor[duty] = try #require(Level.allCases.first(where: { $0.word == cell }) as Level?, "\(line)")
                }
                floors[cells[0]] = floor
            } else if cells.count == 3, cells[1].contains("/") || cells[1].contains("`/") {
                rights[cells[0]] = cells[2].hasPrefix("none") ? "" : cells[2]
            }
        }
    }
}

private struct Asker {
    let name: String
    let client: Client
    let duty: Duty
    let level: Level
    var headers: [String: String] = [:]
}

/// The tree that is asked about: what is within the scope of all askers, and beside each of them what is not.
private struct Grove {
    let ours: Estate
    let below: Estate
    let theirs: Estate
    let contact: String
    let sibling: (customer: String, tenant: String, subscriber: String)
    let cousin: (tenant: String, subscriber: String)
    let twin: String
    let victim: String
    let domains: (ours: String, theirs: String)

    init(_ client: Client) async throws {
        ours = try await Estate(client, name: "alpha", digits: "4311001")
        below = try await Estate(client, name: "beneath", digits: "4311002", parent: ours.provider)
        theirs = try await Estate(client, name: "omega", digits: "4311003")
        contact = try await client.made("/v1/contacts", ["provider_id": .string(ours.provider), "name": "Berta"])
        func tenant(_ customer: String, _ domain: String) async throws -> String {
            try await client.made(
                "/v1/tenants", ["customer_id": .string(customer), "name": "x", "domain": .string(domain)])
        }
        func subscriber(_ tenant: String, _ name: String) async throws -> String {
            try await client.made(
                "/v1/subscribers", ["tenant_id": .string(tenant), "username": .string(name), "password": "password1"])
        }
        let customer = try await client.made(
            "/v1/customers",
            ["provider_id": .string(ours.provider), "service_plan_id": .string(ours.plan), "name": "next door"])
        let nextDoor = try await tenant(customer, "next.alpha.example")
        sibling = (customer, nextDoor, try await subscriber(nextDoor, "nina"))
        let annexe = try await tenant(ours.customer, "annexe.alpha.example")
        cousin = (annexe, try await subscriber(annexe, "carla"))
        twin = try await subscriber(ours.tenant, "tina")
        domains = (
            try await client.made("/v1/domains", ["provider_id": .string(ours.provider), "name": "acme.invalid"]),
            try await client.made("/v1/domains", ["provider_id": .string(theirs.provider), "name": "other.invalid"])
        )
        _ = try await client.post("/v1/numbers/\(ours.number)/assign", ["subscriber_id": .string(ours.subscriber)])
        let token = try await client.post(
            "/v1/tokens", ["name": "victim", "role": "user", "scope_id": .string(ours.subscriber)])
        victim = try #require(token["token"]?["id"]?.text)
    }

    /// Ids that an asker at this level must never be shown.
    func outside(_ level: Level) -> [String] {
        let strangers = [theirs.contact, theirs.customer, theirs.tenant, theirs.subscriber, theirs.number, theirs.plan, theirs.carrier]
        switch level {
        case .platform: return []
        case .provider: return strangers
        case .customer: return strangers + [sibling.customer, sibling.tenant, sibling.subscriber]
        case .tenant: return strangers + [sibling.customer, cousin.tenant, cousin.subscriber, sibling.subscriber]
        case .subscriber: return strangers + [sibling.customer, cousin.subscriber, twin]
        }
    }

    func path(_ operation: ControlAPI.Operation, asker: Asker, isOutside: Bool, calls: PastCalls, others: PastCalls) -> String {
        var path = operation.path
        for name in operation.pathParameters {
            path = path.replacing("{\(name)}", with: value(name, asker.level, isOutside, calls, others))
        }
        return path
    }

    private func value(
        _ name: String, _ level: Level, _ isOutside: Bool, _ calls: PastCalls, _ others: PastCalls
    ) -> String {
        switch name {
        case "provider_id": return isOutside ? theirs.provider : below.provider
        case "contact_id": return isOutside ? theirs.contact : ours.contact
        case "rate_deck_id": return isOutside ? theirs.deck : ours.deck
        case "service_plan_id": return isOutside ? theirs.plan : ours.plan
        case "dial_plan_id": return isOutside ? theirs.dialPlan : ours.dialPlan
        case "carrier_id": return isOutside ? theirs.carrier : ours.carrier
        case "gateway_id": return isOutside ? theirs.gateway : ours.gateway
        case "number_id": return isOutside ? theirs.number : ours.number
        case "customer_id": return isOutside ? (level > .provider ? sibling.customer : theirs.customer) : ours.customer
        case "tenant_id":
            guard isOutside else { return ours.tenant }
            return level > .customer ? cousin.tenant : level > .provider ? sibling.tenant : theirs.tenant
        case "subscriber_id", "entity_id":
            guard isOutside else { return ours.subscriber }
            return level > .tenant
                ? twin : level > .customer ? cousin.subscriber : level > .provider ? sibling.subscriber : theirs.subscriber
        case "subject_id": return isOutside ? theirs.contact : contact
        case "account_id": return "customer.\(isOutside ? theirs.customer : ours.customer).EUR"
        case "call_id": return (isOutside ? others : calls).running.description
        case "number": return isOutside ? "2" : "1"
        case "domain_id": return isOutside ? domains.theirs : domains.ours
        case "token_id": return victim
        case "version": return "1"
        case "name": return "s1"
        default: return "0190a000-0000-7000-8000-000000000000"
        }
    }
}

/// Every operation × every role at every level, in and out of the scope, with tokens and by acting for somebody.
@Test func everyOperationIsForThoseThatThePageNamesAndForNobodyElse() async throws {
    let matrix = try Matrix(page)
    let first = try TestPlatform()
    let made = Made()
    try await TestPlatform.with(first) { client in
        let grove = try await Grove(client)
        await made.keep(grove, try await askers(client, grove.ours))
    }
    let (grove, templates) = try await made.get()
    let calls = PastCalls(from: grove.ours, to: grove.ours)
    let others = PastCalls(from: grove.theirs, to: grove.theirs, number: 2)
    let platform = try first.reopened(after: calls.events + others.events)
    var api = Platform(platform.service)
    // Nobody answers there, so that DNS is asked and says nothing.
    api.resolver = TXTResolver(servers: "127.0.0.1:9")
    api.resolver.timeoutMilliseconds = 50
    try await TestPlatform.with(platform, api) { client in
        for operation in RouteTable.operations {
            let right = try #require(matrix.rights[operation.name], "\(operation.name) is not on the page")
            let nobody = Asker(name: "nobody", client: client.with(nil), duty: .use, level: .subscriber)
            let unknown = try await ask(operation, nobody, grove, calls, others, isOutside: false)
            #expect((unknown.status == 401) == !right.isEmpty, "\(operation.name) without a token: \(unknown.status)")
            guard !right.isEmpty else { continue }
            let floors = try #require(matrix.floors[right], "\(right) is not on the page")
            for template in templates {
                let asker = Asker(
                    name: template.name, client: client.with(template.client.token), duty: template.duty,
                    level: template.level, headers: template.headers)
                let isAllowed = floors[asker.duty].map { asker.level <= $0 } ?? false
                let answer = try await ask(operation, asker, grove, calls, others, isOutside: false)
                let what = Comment(rawValue: "\(operation.name) by \(asker.name): \(answer.status) \(answer.text.prefix(300))")
                #expect((answer.status == 403) == !isAllowed, what)
                #expect(answer.status != 401 && (answer.status < 500 || answer.status == 503 && operation.name == "verifyDomain"), what)
                guard isAllowed else { continue }
                for id in grove.outside(asker.level) { #expect(!answer.text.contains(id), what) }
                let isPlaced = !operation.pathParameters.isEmpty && !right.hasPrefix("platform.") && operation.name != "getToken"
                guard isPlaced, operation.name != "revokeToken", asker.level != .platform else { continue }
                let outside = try await ask(operation, asker, grove, calls, others, isOutside: true)
                #expect(
                    [400, 403, 404, 422].contains(outside.status),
                    "\(operation.name) by \(asker.name) out of its scope: \(outside.status) \(outside.text.prefix(300))")
                #expect(operation.method != .get || outside.status == 404 || outside.status == 400, "\(operation.name) by \(asker.name)")
            }
        }
    }
}

private actor Made {
    private var value: (Grove, [Asker])?
    func keep(_ grove: Grove, _ askers: [Asker]) { value = (grove, askers) }
    func get() throws -> (Grove, [Asker]) { try #require(value) }
}

private func askers(_ client: Client, _ estate: Estate) async throws -> [Asker] {
    var askers = [Asker(name: "platform_admin", client: client, duty: .administer, level: .platform)]
    let nodes: [(Level, String?)] = [
        (.platform, nil), (.provider, estate.provider), (.customer, estate.customer), (.tenant, estate.tenant),
        (.subscriber, estate.subscriber),
    ]
    for role in Role.allCases where role != .platformAdmin {
        let duty = try #require(role.duty)
        for (level, id) in nodes where role.level.map({ $0 == level }) ?? (level != .subscriber) {
            let token = try await client.token("\(role.literal) of \(level.word)", role: role.literal, scope: id)
            askers.append(Asker(name: "\(role.literal) of \(level.word)", client: token, duty: duty, level: level))
        }
    }
    // Acting for somebody is worth what that party's own token is.
    for (name, index) in [("provider_admin", 1), ("customer_admin", 2), ("tenant_admin", 3), ("support", 2), ("billing", 1)] {
        guard let above = askers.first(where: { $0.name.hasPrefix(name) && $0.level < nodes[index + 1].0 }) else { continue }
        for (level, id) in nodes.dropFirst(index + 1) {
            guard let id else { continue }
            let duty: Duty = above.duty == .administer && level == .subscriber ? .use : above.duty
            askers.append(
                Asker(
                    name: "\(above.name) for a \(level.word)", client: above.client, duty: duty, level: level,
                    headers: ["Act-As": "\(level.word)/\(id)"]))
        }
    }
    return askers
}

private func ask(
    _ operation: ControlAPI.Operation, _ asker: Asker, _ grove: Grove, _ calls: PastCalls, _ others: PastCalls, isOutside: Bool
) async throws -> Answer {
    let path = grove.path(operation, asker: asker, isOutside: isOutside, calls: calls, others: others)
    var headers = asker.headers
    // A version that cannot be: whoever may do it is told so, and nothing happens.
    if operation.isConditional { headers["If-Match"] = "\"99\"" }
    if operation.takesIdempotencyKey { headers["Idempotency-Key"] = UUID().uuidString }
    if operation.body?.isFile == true { headers["Content-Type"] = "text/csv" }
    let body: [UInt8]? = operation.body == nil ? nil : Array("{}".utf8)
    if operation.method == .patch { headers["Content-Type"] = "application/merge-patch+json" }
    return try await asker.client.send(operation.method.http, path, body, headers)
}

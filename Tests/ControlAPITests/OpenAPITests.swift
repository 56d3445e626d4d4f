import Foundation
import HTTPTypes
import Testing

@testable import ControlAPI

/// The document, the router and the table are compared in all directions.
@Test func everyDocumentedOperationIsAnsweredAndNoOther() async throws {
    try await TestPlatform.with { client in
        let document = try await client.with(nil).get("/openapi.json").json
        let paths = try #require(document["paths"]?.members)
        #expect(Set(paths.map(\.name)) == Set(RouteTable.operations.map(\.path)))
        for path in paths {
            let target = path.name.replacing(/\{[a-z_]+\}/, with: "01900000-0000-7000-8000-000000000000")
            for method in ["get", "post", "put", "patch", "delete"] {
                let isDocumented = path.value[method] != nil
                // Without a token nothing happens, and the router has shown whether it knows the operation.
                let answer = try await client.with(nil).send(
                    try #require(.init(rawValue: method.uppercased())), target, nil)
                #expect((answer.status == 405) != isDocumented, "\(method) \(path.name)")
                #expect(answer.status != 404, "\(method) \(path.name)")
            }
        }
    }
}

@Test func everyReferenceInTheDocumentLeadsSomewhereAndEverySchemaIsUsed() throws {
    let document = OpenAPIDocument.json
    var used: Set<String> = []
    func walk(_ value: JSON) {
        if let reference = value["$ref"]?.text { used.insert(reference) }
        for member in value.members ?? [] { walk(member.value) }
        for item in value.items ?? [] { walk(item) }
    }
    walk(document)
    let components = try #require(document["components"])
    let known = ["schemas", "responses"].flatMap { kind in
        (components[kind]?.members ?? []).map { "#/components/\(kind)/\($0.name)" }
    }
    #expect(used == Set(known))
    #expect(Set(known).count == known.count)
}

@Test func operationNamesAreUnique() {
    let names = RouteTable.operations.map(\.name)
    #expect(Set(names).count == names.count)
    let routes = RouteTable.operations.map { "\($0.method.rawValue) \($0.path)" }
    #expect(Set(routes).count == routes.count)
}

/// What the API answers is what its document says: every field that is promised, and no other.
@Test func answersHaveTheMembersThatTheirSchemasPromise() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        let answers = [
            ("Provider", "/v1/providers/\(estate.provider)"), ("Contact", "/v1/contacts/\(estate.contact)"),
            ("RateDeck", "/v1/rate-decks/\(estate.deck)"),
            ("RateDeckVersionHead", "/v1/rate-decks/\(estate.deck)/versions/1"),
            ("DialPlan", "/v1/dial-plans/\(estate.dialPlan)"), ("Carrier", "/v1/carriers/\(estate.carrier)"),
            ("GatewayState", "/v1/carriers/\(estate.carrier)/gateways/\(estate.gateway)"),
            ("ServicePlan", "/v1/service-plans/\(estate.plan)"), ("Customer", "/v1/customers/\(estate.customer)"),
            ("Balance", "/v1/customers/\(estate.customer)/balance"), ("Tenant", "/v1/tenants/\(estate.tenant)"),
            ("Subscriber", "/v1/subscribers/\(estate.subscriber)"), ("Number", "/v1/numbers/\(estate.number)"),
            ("Token", "/v1/tokens/self"), ("LogHead", "/v1/log/head"), ("TrialBalance", "/v1/trial-balance"),
            ("Health", "/healthz"), ("CdrPage", "/v1/cdrs"), ("CallPage", "/v1/calls"), ("WorkerPage", "/v1/workers"),
            ("Counters", "/v1/counters"), ("AuditPage", "/v1/audit"), ("SubjectPage", "/v1/subjects"),
            ("Subject", "/v1/subjects/\(estate.contact)"),
        ]
        for (name, path) in answers {
            let schema = try #require(OpenAPIDocument.json["components"]?["schemas"]?[name], "\(name)")
            let answer = try await client.get(path)
            #expect(answer.status == 200, "\(path)")
            let promised = (schema["properties"]?.members ?? []).map(\.name)
            #expect((answer.json.members ?? []).map(\.name) == promised, "\(name)")
            #expect((schema["required"]?.items ?? []).compactMap(\.text).sorted() == promised.sorted(), "\(name)")
        }
    }
}

/// By the Python package openapi-spec-validator, where it is installed.
@Test(.enabled(if: validatorIsThere, "needs the Python package openapi-spec-validator"))
func theDocumentIsValidOpenAPI() throws {
    let file = NSTemporaryDirectory() + "openapi-" + UUID().uuidString + ".json"
    defer { try? FileManager.default.removeItem(atPath: file) }
    try Data(OpenAPIDocument.json.bytes).write(to: URL(fileURLWithPath: file))
    let (status, output) = try run(["python3", "-m", "openapi_spec_validator", file])
    #expect(status == 0, "\(output)")
}

private let validatorIsThere: Bool = (try? run(["python3", "-c", "import openapi_spec_validator"]).status) == 0

private func run(_ command: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

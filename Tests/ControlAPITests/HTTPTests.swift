import HTTPTypes
import HummingbirdTesting
import ServiceLifecycle
import Testing

@testable import ControlAPI

@Test func withoutATokenOrWithAWrongOneNothingIsShown() async throws {
    try await TestPlatform.with { client in
        let anonymous = try await client.with(nil).get("/v1/providers")
        #expect(anonymous.status == 401)
        #expect(anonymous.headers[.wwwAuthenticate] == #"Bearer realm="ledgerline""#)
        let wrong = try await client.with("llt_0000").get("/v1/providers")
        #expect(wrong.status == 401)
        #expect(wrong.headers[.wwwAuthenticate]?.contains("invalid_token") == true)
        for operation in RouteTable.operations where operation.access != .open {
            let path = operation.path.replacing("{", with: "").replacing("}", with: "")
            let answer = try await client.with("llt_wrong").send(operation.method.http, path, nil)
            #expect(answer.status == 401, "\(operation.name)")
        }
        let basic = try await client.with(nil).get("/v1/providers", ["Authorization": "Basic YTpi"])
        #expect(basic.status == 401)
    }
}

@Test func healthAndTheDocumentNeedNoToken() async throws {
    try await TestPlatform.with { client in
        let health = try await client.with(nil).get("/healthz")
        #expect(health.status == 200)
        #expect(health["status"] == "ok")
        #expect(try await client.with(nil).get("/openapi.json")["openapi"] == "3.1.0")
    }
}

@Test func unknownPathsAndMethodsAreProblems() async throws {
    try await TestPlatform.with { client in
        for path in ["/", "/v1", "/v1/nothing", "/v2/providers", "/v1/providers/x/y"] {
            let answer = try await client.get(path)
            #expect(answer.status == 404, "\(path)")
            #expect(answer.problem == "not-found")
        }
        let wrong = try await client.delete("/v1/providers")
        #expect(wrong.status == 405)
        #expect(wrong.problem == "method-not-allowed")
        #expect(wrong.headers[.allow] == "GET, POST, HEAD")
        #expect(try await client.send(.put, "/v1/providers/x", nil).headers[.allow] == "DELETE, GET, PATCH, HEAD")
        #expect(try await client.get("/v1/providers/not-an-id").status == 404)
    }
}

@Test func mediaTypesAreNegotiated() async throws {
    try await TestPlatform.with { client in
        #expect(try await client.get("/v1/providers", ["Accept": "text/html"]).status == 406)
        #expect(try await client.get("/v1/providers", ["Accept": "text/html, application/*;q=0.5"]).status == 200)
        #expect(try await client.get("/v1/providers", ["Accept": "application/json;q=0"]).status == 406)
        #expect(try await client.get("/v1/log/checkpoint", ["Accept": "application/json"]).status == 406)
        let form = try await client.post("/v1/providers", [:], ["Content-Type": "application/x-www-form-urlencoded"])
        #expect(form.status == 415)
        let latin = try await client.post("/v1/providers", [:], ["Content-Type": "application/json; charset=latin1"])
        #expect(latin.status == 415)
        let put = try await client.send(.patch, "/v1/providers/x", [0x7B, 0x7D], ["Content-Type": "text/plain"])
        #expect(put.headers[.init("Accept-Patch")!] == "application/merge-patch+json, application/json")
    }
}

@Test func aBodyThatIsNotJSONIsRefusedWithItsPlace() async throws {
    try await TestPlatform.with { client in
        let answer = try await client.send(.post, "/v1/providers", Array("{\"name\": \"x\",\n  oops}".utf8))
        #expect(answer.status == 400)
        #expect(answer.problem == "malformed-json")
        #expect(answer["detail"]?.text == "At line 2, column 3: unexpected o.")
        #expect(try await client.send(.post, "/v1/providers", []).problem == "malformed-json")
        #expect(try await client.post("/v1/providers", [1]).status == 422)
    }
}

@Test func aBodyThatIsTooLargeIsRefused() async throws {
    try await TestPlatform.with { client in
        let large = [UInt8](repeating: 0x20, count: (1 << 20) + 1)
        let answer = try await client.send(.post, "/v1/providers", large)
        #expect(answer.status == 413)
        #expect(answer.problem == "too-large")
        let fits = [UInt8](repeating: 0x20, count: 1 << 20)
        #expect(try await client.send(.post, "/v1/providers", fits).problem == "malformed-json")
    }
}

@Test func requestIdsComeBackAndStandInTheHistory() async throws {
    try await TestPlatform.with { client in
        let made = try await client.post(
            "/v1/providers", ["name": "a", "namespace": "a.example", "currency": "EUR"], ["X-Request-Id": "order-17"])
        #expect(made.headers[.requestID] == "order-17")
        let history = try await client.get("/v1/entities/\(made.id)/history")
        #expect(history["items"]?[0]?["cause"] == "order-17")
        #expect(history["items"]?[0]?["actor"] == "admin")
        #expect(history["items"]?[0]?["data"]?["name"] == "a")
        let forged = try await client.get("/v1/nothing", ["X-Request-Id": "bad id"])
        #expect(forged.headers[.requestID] != "bad id")
        #expect(forged["request_id"]?.text == forged.headers[.requestID])
    }
}

@Test func queryParametersAreChecked() async throws {
    try await TestPlatform.with { client in
        let answer = try await client.get("/v1/providers?limit=0&color=red&parent_id=7&limit=1")
        #expect(answer.status == 400)
        #expect(answer.places == ["limit", "color", "parent_id"])
        for limit in ["1", "500"] { #expect(try await client.get("/v1/providers?limit=\(limit)").status == 200) }
        for limit in ["501", "-1", "x", ""] {
            #expect(try await client.get("/v1/providers?limit=\(limit)").status == 400)
        }
        #expect(try await client.get("/v1/providers?after=zz").places == ["after"])
        #expect(try await client.get("/v1/numbers?e164=%2B4311001").status == 200)
        #expect(try await client.get("/v1/numbers?e164=%GG").status == 400)
    }
}

@Test func pagesFollowEachOtherWithoutGapOrRepetition() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        for index in 2...7 {
            _ = try await client.made(
                "/v1/numbers", ["provider_id": .string(estate.provider), "e164": .string("+431100\(index)")])
        }
        let scoped = try await client.token("scoped", role: "provider_admin", scope: estate.provider)
        for asker in [client, scoped] {
            var seen: [String] = []
            var after = ""
            repeat {
                let page = try await asker.get("/v1/numbers?limit=3" + (after.isEmpty ? "" : "&after=\(after)"))
                try #require(page.status == 200, "\(page.text)")
                seen += (page["items"]?.items ?? []).compactMap { $0["e164"]?.text }
                after = page["next"]?.text ?? ""
            } while !after.isEmpty
            #expect(seen.count == 7)
            #expect(Set(seen).count == 7)
        }
    }
}

@Test func entityTagsGuardReadingAndChanging() async throws {
    try await TestPlatform.with { client in
        let id = try await client.made("/v1/providers", ["name": "a", "namespace": "a.example", "currency": "EUR"])
        let path = "/v1/providers/\(id)"
        #expect(try await client.get(path, ["If-None-Match": "\"1\""]).status == 304)
        #expect(try await client.get(path, ["If-None-Match": "\"2\""]).status == 200)
        #expect(try await client.patch(path, ["name": "b"], ["If-Match": "\"7\""]).problem == "version-mismatch")
        #expect(try await client.patch(path, ["name": "b"], ["If-Match": "W/\"1\""]).status == 412)
        #expect(try await client.patch(path, ["name": "b"], ["If-Match": "1"]).status == 400)
        #expect(try await client.patch(path, ["name": "b"], ["If-Match": "\"1\""]).headers[.eTag] == "\"2\"")
        #expect(try await client.patch(path, ["name": "c"], ["If-Match": "\"1\", \"2\""]).headers[.eTag] == "\"3\"")
        #expect(try await client.patch(path, ["name": "d"], ["If-Match": "*"]).headers[.eTag] == "\"4\"")
        #expect(try await client.patch(path, ["name": "e"]).headers[.eTag] == "\"5\"")
        #expect(try await client.delete(path, ["If-Match": "\"4\""]).status == 412)
        #expect(try await client.delete(path, ["If-Match": "\"5\""]).status == 204)
    }
}

@Test func aRepeatedRequestGetsTheFirstOutcomeAgain() async throws {
    try await TestPlatform.with { client in
        let body: JSON = ["name": "a", "namespace": "a.example", "currency": "EUR"]
        let key = ["Idempotency-Key": "\"k-1\""]
        let first = try await client.post("/v1/providers", body, key)
        let second = try await client.post("/v1/providers", body, key)
        #expect(first.status == 201)
        #expect(second.status == 201)
        #expect(first.id == second.id)
        #expect(second.headers[.idempotencyReplayed] == "true")
        let other = try await client.post(
            "/v1/providers", ["name": "b", "namespace": "b.example", "currency": "EUR"], key)
        #expect(other.status == 422)
        #expect(other.problem == "idempotency-key-reused")
        for wrong in ["", "a b", String(repeating: "x", count: 129)] {
            #expect(try await client.post("/v1/providers", body, ["Idempotency-Key": wrong]).status == 400, "\(wrong)")
        }
        let path = "/v1/providers/\(first.id)"
        let change = try await client.patch(path, ["name": "c"], ["Idempotency-Key": "k-2", "If-Match": "\"1\""])
        let repeated = try await client.patch(path, ["name": "c"], ["Idempotency-Key": "k-2", "If-Match": "\"1\""])
        #expect(change.status == 200)
        #expect(repeated.status == 200)
        #expect(repeated["version"] == 2)
    }
}

@Test func headAnswersWithoutABody() async throws {
    try await TestPlatform.with { client in
        let answer = try await client.send(.head, "/v1/providers", nil)
        #expect(answer.status == 200)
        #expect(answer.text.isEmpty)
    }
}

@Test func versionsOfTheEntityTagAreReadAsTheRFCWritesThem() {
    #expect(EntityTag.Condition("*") == .any)
    #expect(EntityTag.Condition("\"1\", W/\"2\" ,\"x\"") == .versions([1]))
    #expect(EntityTag.Condition("1") == nil)
    #expect(EntityTag.Condition("\"") == nil)
    #expect(EntityTag.Condition("") == nil)
}

@Test func overARealConnectionALargeBodyWithoutALengthIsRefused() async throws {
    let platform = try TestPlatform()
    let server = APIServer(Platform(platform.service))
    try await server.application(host: "127.0.0.1", port: 0).test(.live) { http in
        let client = Client(client: http, platform: platform, token: platform.admin)
        let large = [UInt8](repeating: 0x20, count: (1 << 20) + 1)
        #expect(try await client.send(.post, "/v1/providers", large).status == 413)
        #expect(try await client.get("/healthz").status == 200)
        let made = try await client.post("/v1/providers", ["name": "a", "namespace": "a.example", "currency": "EUR"])
        #expect(made.status == 201)
        let counters = try await client.get("/v1/counters")
        #expect(counters["responses"] == ["200": 1, "201": 1, "413": 1])
    }
}

@Test func changesAtTheSameTimeAreAllMade() async throws {
    try await TestPlatform.with { client in
        let id = try await client.made("/v1/providers", ["name": "a", "namespace": "a.example", "currency": "EUR"])
        try await withThrowingTaskGroup(of: Int.self) { group in
            for (field, value) in [("name", "b"), ("time_zone", "Europe/Vienna"), ("namespace", "b.example")] {
                group.addTask {
                    try await client.patch("/v1/providers/\(id)", .object([JSON.Member(field, .string(value))])).status
                }
            }
            for try await status in group { #expect(status == 200) }
        }
        let after = try await client.get("/v1/providers/\(id)")
        #expect(after["name"] == "b")
        #expect(after["time_zone"] == "Europe/Vienna")
        #expect(after["namespace"] == "b.example")
        #expect(after["version"] == 4)
    }
}

@Test func aTakenPortIsNamed() async throws {
    let platform = try TestPlatform()
    let server = APIServer(Platform(platform.service))
    try await server.application(host: "127.0.0.1", port: 0).test(.live) { http in
        let port = try #require(http.port)
        let error = await #expect(throws: APIServerError.self) {
            try await server.service(host: "127.0.0.1", port: port).run()
        }
        #expect(error == .cannotListen(host: "127.0.0.1", port: port, code: 98))
        #expect(error?.description.contains("is taken") == true)
    }
}

@Test func faultsOfAQueryAreNotRepeatedWithoutEnd() async throws {
    try await TestPlatform.with { client in
        let answer = try await client.get("/v1/providers?" + String(repeating: "a=b&", count: 5_000))
        #expect(answer.status == 400)
        #expect(answer.places.count == 50)
    }
}

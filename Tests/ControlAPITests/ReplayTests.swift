import ControlPlane
import Foundation
import HTTPTypes
import Testing

@testable import ControlAPI

@Suite struct ReplayTests {
    /// The resource as soon as it leaves those states.
    private func settled(_ client: Client, _ id: String, _ states: String...) async throws -> Answer {
        while true {
            let answer = try await client.get("/v1/replays/\(id)")
            guard states.contains(answer["state"]?.text ?? "") else { return answer }
            await Task.yield()
        }
    }

    @Test(arguments: [JSON.object([:]), ["views": ["accounts", "audit"]]])
    func viewsAreRebuiltSwappedAndPutBackWhileRequestsGoOn(body: JSON) async throws {
        try await TestPlatform.with { client in
            let begun = try await client.post("/v1/replays", body)
            #expect(begun.status == 202, "\(begun.text)")
            #expect(begun.headers[.location] == "/v1/replays/\(begun.id)")
            let provider = try await client.made("/v1/providers", ["name": "One", "namespace": "one.example", "currency": "EUR"])
            let ready = try await settled(client, begun.id, "building", "comparing")
            #expect(ready["state"]?.text == "ready", "\(ready.text)")
            #expect(ready["differences"]?["count"]?.integer() == 0)
            #expect(ready["events_done"] == ready["events_total"])
            #expect(try await client.post("/v1/replays", body).problem == "conflict")
            #expect(try await client.post("/v1/replays/\(begun.id)/revert").problem == "conflict")

            #expect(try await client.post("/v1/replays/\(begun.id)/swap").status == 202)
            #expect(try await settled(client, begun.id, "swapping")["state"]?.text == "swapped")
            #expect(try await client.get("/v1/providers/\(provider)").status == 200)
            let second = try await client.made("/v1/providers", ["name": "Two", "namespace": "two.example", "currency": "EUR"])
            #expect(try await client.post("/v1/replays/\(begun.id)/revert").status == 202)
            #expect(try await settled(client, begun.id, "reverting")["state"]?.text == "ready")
            #expect(try await client.get("/v1/providers/\(second)").status == 200)

            #expect(try await client.delete("/v1/replays/\(begun.id)").status == 204)
            #expect(try await client.get("/v1/replays/\(begun.id)")["state"]?.text == "cancelled")
            #expect(!FileManager.default.fileExists(atPath: client.platform.directory + "/views.next"))
            #expect(!FileManager.default.fileExists(atPath: client.platform.directory + "/views.former"))
            #expect(try await client.get("/v1/replays")["items"]?.items?.count == 1)
        }
    }

    @Test func whatIsNotAViewIsRefused() async throws {
        try await TestPlatform.with { client in
            let answer = try await client.post("/v1/replays", ["views": ["accounts", "weather"]])
            #expect(answer.status == 422)
            #expect(answer.places == ["/views/1"])
            #expect(try await client.get("/v1/replays/\(UUID().uuidString.lowercased())").status == 404)
        }
    }

    @Test func viewsDamagedWhileStoppedAreRebuiltAtTheStartAndShown() async throws {
        let platform = try TestPlatform()
        platform.service.stop()
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: platform.directory + "/views/data.mdb"))
        try file.truncate(atOffset: 12_288)
        try file.close()
        try await TestPlatform.with(try platform.reopened(after: [])) { client in
            let items = try await client.get("/v1/replays")["items"]?.items
            #expect(items?.count == 1)
            #expect(items?.first?["found_at_start"]?.text == "droppedAsUnreadable")
            #expect(items?.first?["state"]?.text == "swapped")
        }
    }
}

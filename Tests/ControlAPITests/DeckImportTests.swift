import Foundation
import HTTPTypes
import Model
import Primitives
import Testing

@testable import ControlAPI

@Suite struct DeckImportTests {
    private func post(_ client: Client, _ deck: String, _ text: String, _ query: String = "", _ headers: [String: String] = [:]) async throws -> Answer {
        try await client.send(.post, "/v1/rate-decks/\(deck)/imports\(query)", Array(text.utf8), ["Content-Type": "text/csv"].merging(headers) { $1 })
    }

    @Test func aFileBecomesTheNextVersionOrNothing() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "north", digits: "4311001")
            let bad = try await post(client, estate.deck, "prefix,rate\n43,0.05\n4x,1\n43,0.06\n44,x\n", "?increments=60/1")
            #expect(bad.status == 422)
            let errors = try #require(bad["errors"]?.items)
            #expect(errors.map { $0["line"] } == [.number("3"), .number("4"), .number("5")])
            #expect(errors.map { $0["column"]?.text } == ["prefix", "prefix", "rate"])
            #expect(errors[1]["detail"]?.text == "43 is in line 2 already")
            let before = try await client.get("/v1/rate-decks/\(estate.deck)/versions")
            #expect(before["items"]?.items?.count == 1)

            let id = "0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22"
            let made = try await post(
                client, estate.deck, "\u{FEFF}Prefix;Rate;Destination\r\n43;0,05;\"Austria; all\"\r\n431;0,06;Vienna\r\n", "?increments=60/1&import_id=\(id)",
                ["Idempotency-Key": "one"])
            #expect(made.status == 201, "\(made.text)")
            #expect(made["version"] == .number("2"))
            #expect(made["rows"] == .number("2"))
            #expect(made["file_hash"]?.text?.count == 64)
            let progress = try await client.get("/v1/rate-decks/\(estate.deck)/imports/\(id)")
            #expect(progress["version"] == .number("2") && progress["rows"] == .number("2"))
            let price = try await client.get("/v1/rate-decks/\(estate.deck)/price?number=%2B4311001")
            #expect(price["entry"]?["per_minute"]?.text == "0.06")
            let rows = try await client.get("/v1/rate-decks/\(estate.deck)/versions/2/entries?limit=1")
            #expect(rows["items"]?[0]?["destination"]?.text == "Austria; all")
            let next = try #require(rows["next"]?.text)
            let rest = try await client.get("/v1/rate-decks/\(estate.deck)/versions/2/entries?after=\(next)")
            #expect(rest["items"]?.items?.count == 1)
            let again = try await post(client, estate.deck, "prefix,rate\n1,1\n", "?increments=60/1&import_id=\(id)")
            #expect(again.status == 409)
        }
    }

    @Test func bandsComeWithTheFileOrTheVersion() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "north", digits: "4311001")
            let bands: JSON = [
                [
                    "number": 1, "name": "always", "week": [["days": ["monday", "sunday"], "from": "08:00", "to": "24:00"]],
                    "dates": [["date": "12-25", "from": "00:00", "to": "24:00", "name": "Christmas"]],
                ]
            ]
            let text = try #require(String(decoding: bands.bytes, as: UTF8.self).addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            let made = try await post(client, estate.deck, "prefix,rate,band\n43,1,always\n43,2,\n", "?increments=60/1&time_zone=Europe%2FVienna&bands=\(text)")
            #expect(made.status == 201, "\(made.text)")
            #expect(made["bands"]?[0]?["week"]?[0]?["days"] == ["monday", "sunday"])
            #expect(made["bands"]?[0]?["week"]?[0]?["to"]?.text == "24:00")
            #expect(made["bands"]?[0]?["dates"]?[0]?["date"]?.text == "12-25")
            let unknown = try await post(client, estate.deck, "prefix,rate,band\n43,1,never\n", "?increments=60/1")
            #expect(unknown["errors"]?[0]?["column"]?.text == "band")
            let impossible = try await client.post(
                "/v1/rate-decks/\(estate.deck)/versions",
                [
                    "time_zone": "Europe/Vienna",
                    "bands": [["number": 1, "name": "x", "dates": [["date": "2027-02-29", "from": "00:00", "to": "24:00"]]]],
                    "entries": [["prefix": "43", "per_minute": "1", "first_increment_seconds": 1, "next_increment_seconds": 1]],
                ])
            #expect(impossible.status == 422)
            #expect(impossible.places == ["/bands/0/dates/0"], "\(impossible.text)")
        }
    }

    @Test func onlyThoseWhoPublishVersionsImport() async throws {
        try await TestPlatform.with { client in
            let north = try await Estate(client, name: "north", digits: "4311001")
            let south = try await Estate(client, name: "south", digits: "4311002")
            let reader = try await client.post("/v1/tokens", ["name": "r", "role": "read_only", "scope_id": .string(north.provider)])
            let other = try await client.post("/v1/tokens", ["name": "o", "role": "provider_admin", "scope_id": .string(south.provider)])
            let secrets = [reader, other].compactMap { $0["secret"]?.text ?? $0["token"]?.text }
            try #require(secrets.count == 2)
            #expect(try await post(client.with(secrets[0]), north.deck, "prefix,rate\n1,1", "?increments=1/1").status == 403)
            #expect(try await post(client.with(secrets[1]), north.deck, "prefix,rate\n1,1", "?increments=1/1").status == 404)
        }
    }
}

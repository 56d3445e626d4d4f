import Foundation
import Testing

/// `ledgerline deck import` against a real server.
@Suite(.serialized) struct DeckImportTests {
    let scratch: Scratch
    let platform: TestPlatform

    init() throws {
        scratch = try Scratch()
        platform = TestPlatform(scratch: scratch.path)
    }

    @Test func aFileOfManyPartsIsInForceAsAWholeAndABadOneChangesNothing() async throws {
        let server = try await platform.start()
        let token = try await platform.token(of: server)
        func made(_ path: String, _ body: String) async throws -> String {
            let answer = try await platform.ask("POST", path, token: token, body)
            let fields = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
            return try #require(fields?["id"] as? String, "\(answer)")
        }
        let provider = try await made("/v1/providers", #"{"name":"Kages","namespace":"kages.example","currency":"EUR","time_zone":"UTC"}"#)
        let deck = try await made("/v1/rate-decks", #"{"provider_id":"\#(provider)","name":"Retail","currency":"EUR","decimals":4}"#)
        let access = ["--deck", deck, "--url", platform.url, "--token", token]

        // Latin-1, semicolons, commas in numbers, lines as Windows ends them; more rows than one event holds.
        let rows = (100_000..<120_000).map { "\($0);Österreich \($0);0,05;60/1\r\n" }
        let file = scratch.path + "/list.csv"
        try #require(("prefix;destination;rate;increments\r\n" + rows.joined()).data(using: .isoLatin1)).write(to: URL(fileURLWithPath: file))
        let imported = try await Ledgerline.finish(["deck", "import", file] + access)
        #expect(imported.status == 0 && imported.output.hasPrefix("version 1 of deck \(deck): 20000 rows, in force from "), "\(imported.output)")
        #expect(!imported.output.contains("404"))
        let price = try await platform.ask("GET", "/v1/rate-decks/\(deck)/price?number=%2B1199991234", token: token)
        #expect(price.contains(#""destination":"Österreich 119999""#) && price.contains(#""per_minute":"0.05""#), "\(price)")

        try Data("prefix;rate;increments\r\n43;0,05;60/1\r\n4x;0,05;60/1\r\n".utf8).write(to: URL(fileURLWithPath: file))
        let refused = try await Ledgerline.finish(["deck", "import", file] + access)
        #expect(refused.status == 65 && refused.output.contains("line 3, prefix: 4x is not a number of digits"), "\(refused.output)")
        #expect(refused.output.contains("1 place of \(file) cannot be accepted"), "\(refused.output)")
        let versions = try await Ledgerline.finish(["deck", "versions"] + access)
        #expect(versions.status == 0 && versions.output.split(separator: "\n").count == 1, "\(versions.output)")
        #expect(try await server.stopped() == 0)
    }
}

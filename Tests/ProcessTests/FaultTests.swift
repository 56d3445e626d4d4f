import Foundation
import Testing

/// What may have happened to a data directory before a start: each done for real, to the real binary.
@Suite(.serialized) struct FaultTests {
    let scratch: Scratch
    let platform: TestPlatform

    init() throws {
        scratch = try Scratch()
        platform = TestPlatform(scratch: scratch.path)
    }

    /// A platform with a few dozen entities, stopped.
    private func grown() async throws -> (token: String, contacts: String) {
        let server = try await platform.start()
        let token = try await platform.token(of: server)
        let provider = try await platform.grow(40, token: token)
        let contacts = try await platform.ask("GET", "/v1/contacts?provider_id=\(provider)&limit=100", token: token)
        #expect(contacts.contains("Person 39"))
        #expect(try await server.stopped() == 0)
        return (token, contacts)
    }

    private func serve() async throws -> (status: Int32, output: String) {
        try await Ledgerline.finish([
            "serve", "--data", platform.data, "--http", "127.0.0.1:\(platform.http)", "--desk", "127.0.0.1:0", "--feed", "127.0.0.1:0", "--sip-port",
            "\(platform.sip)", "--ports", platform.media,
        ])
    }

    @Test func aLogOfANewerVersionIsRefusedByEveryCommandAndLeftAlone() async throws {
        _ = try await grown()
        try await tamper(platform.ledger, ["format", "3"])
        let before = try await tamper(platform.ledger, ["dump"])
        let views = try Data(contentsOf: URL(fileURLWithPath: platform.data + "/views/data.mdb"))
        let words = "the log has format 3, this binary knows up to 2: use the newer binary"
        let started = try await serve()
        #expect(started.status == 74 && started.output.contains(words), "\(started.output)")
        for command in [
            ["log", "verify", "--data", platform.data], ["log", "checkpoint", "--data", platform.data], ["log", "tail", "--data", platform.data],
            ["backup", "--data", platform.data, "--to", scratch.path + "/backup"], ["replay", "--check", "--data", platform.data],
        ] {
            let refused = try await Ledgerline.finish(command)
            #expect(refused.status == 74 && refused.output.contains(words), "\(command): \(refused)")
        }
        #expect(try await tamper(platform.ledger, ["dump"]) == before)
        #expect(try Data(contentsOf: URL(fileURLWithPath: platform.data + "/views/data.mdb")) == views)
        try await tamper(platform.ledger, ["format", "2"])
        let server = try await platform.start()
        #expect(try await server.stopped() == 0)
    }

    @Test func anEventOfANewerVersionStopsTheStartWithItsNumberAndTheLogIsStillProven() async throws {
        _ = try await grown()
        try await tamper(platform.ledger, ["tomorrow"])
        let before = try await tamper(platform.ledger, ["dump"])
        let started = try await serve()
        #expect(started.status == 74 && started.output.contains("does not know (tomorrow.came): a newer version wrote it, use that one"), "\(started.output)")
        #expect(started.output.contains(#/event \d+ is of a type/#), "\(started.output)")
        #expect(try await Ledgerline.finish(["log", "verify", "--data", platform.data]).status == 0)
        #expect(try await tamper(platform.ledger, ["dump"]) == before)
    }

    @Test func keysAndBackupsOfANewerVersionAreRefusedAsThat() async throws {
        _ = try await grown()
        let backup = scratch.path + "/backup"
        #expect(try await Ledgerline.finish(["backup", "--data", platform.data, "--to", backup]).status == 0)
        let manifest = try #require(try FileManager.default.contentsOfDirectory(atPath: backup).first { $0.hasSuffix(".manifest") })
        try change(backup + "/" + manifest, "ledgerline backup 1", "ledgerline backup 2")
        for command in [
            ["backup", "--data", platform.data, "--to", backup], ["backup", "verify", backup], ["restore", "--from", backup, "--data", scratch.path + "/x"],
        ] {
            let refused = try await Ledgerline.finish(command)
            #expect(refused.status == 65 && refused.output.contains("was written by a newer version"), "\(command): \(refused)")
        }
        try change(platform.data + "/keys/subjects.keys", "subject keys 1", "subject keys 2")
        let started = try await serve()
        #expect(started.status == 78 && started.output.contains("was written by a newer version"), "\(started)")
    }

    /// Views are made anew from the log whatever was done to them; the answers are the same.
    @Test(arguments: ["deleted", "directory", "garbage", "cut", "emptied", "bits", "newer", "mark", "snapshots", "location"])
    func viewsThatWereDamagedWhileStoppedAreBuiltAnew(damage: String) async throws {
        let (token, contacts) = try await grown()
        let files = FileManager.default
        let (views, file) = (platform.data + "/views", platform.data + "/views/data.mdb")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        switch damage {
        case "deleted": try files.removeItem(atPath: file)
        case "directory": try files.removeItem(atPath: views)
        case "garbage": try Data(repeating: 0x5A, count: bytes.count).write(to: URL(fileURLWithPath: file))
        case "cut": try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: file))
        case "emptied": try Data().write(to: URL(fileURLWithPath: file))
        case "bits":
            // In every page but the roots: whatever is read would be wrong.
            for page in stride(from: 8_192, to: bytes.count, by: 4_096) { bytes[page + 2_000] ^= 0x40 }
            try bytes.write(to: URL(fileURLWithPath: file))
        case "newer": try change(views + "/mark", "accounts=", "accounts=9")
        case "mark": try files.removeItem(atPath: views + "/mark")
        case "snapshots":
            try? files.removeItem(atPath: platform.data + "/snapshots")
            try Data("no directory".utf8).write(to: URL(fileURLWithPath: platform.data + "/snapshots"))
        default: try Data(repeating: 0x5A, count: 40_000).write(to: URL(fileURLWithPath: platform.data + "/location/data.mdb"))
        }
        let server = try await platform.start()
        let provider = try #require(contacts.firstMatch(of: #/"provider_id":"([0-9a-f-]+)"/#)).1
        #expect(try await platform.ask("GET", "/v1/contacts?provider_id=\(provider)&limit=100", token: token) == contacts)
        let replayed = try await Ledgerline.finish(["replay", "--check", "--data", platform.data])
        #expect(replayed.status == 0, "\(replayed.output)")
        #expect(try await server.stopped() == 0)
    }

    private func change(_ path: String, _ old: String, _ new: String) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let range = try #require(bytes.range(of: Data(old.utf8)))
        bytes.replaceSubrange(range, with: Data(new.utf8))
        try bytes.write(to: URL(fileURLWithPath: path))
    }

    /// A file system of its own, filled by the platform's own log while requests go on: they are refused as a whole, nothing
    /// that was answered is lost, and it goes on when there is room.
    @Test(.enabled(if: getuid() == 0, "only root mounts a file system"))
    func aFullDiskRefusesRequestsAndThePlatformGoesOnWhenThereIsRoom() async throws {
        let mount = scratch.path + "/disk"
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
        let server = try Server(
            [
                "--mount", "sh", "-c",
                """
                mount -t tmpfs -o size=48m ledgerline-test "$1" && head -c 24m /dev/zero > "$1/ballast" && shift && exec "$@"
                """, "sh", mount, Ledgerline.binary.path, "control", "--data", mount + "/data", "--http", "127.0.0.1:\(platform.http)", "--desk",
                "127.0.0.1:0", "--feed", "127.0.0.1:0",
            ], log: scratch.path + "/server", program: "/usr/bin/unshare")
        let token = try await platform.token(of: server)
        _ = try await server.waiting(for: "ready: HTTP ")
        let provider = try await platform.grow(1, token: token)
        // The mount is in the server's name space alone.
        let seen = "/proc/\(server.pid)/root\(mount)"
        let platform = platform
        /// What fifty requests over one connection were answered.
        func post() async throws -> [String] {
            let requests = (0..<50).map { _ in
                """
                url = "\(platform.url)/v1/contacts"
                header = "Authorization: Bearer \(token)"
                header = "Content-Type: application/json"
                data = "{\\"provider_id\\":\\"\(provider)\\",\\"name\\":\\"\(String(repeating: "x", count: 120))\\"}"
                write-out = "\\n%{http_code} %{content_type}\\n"

                """
            }
            try requests.joined(separator: "next\n").write(toFile: platform.scratch + "/posts", atomically: true, encoding: .utf8)
            let answer = try await run("curl", ["-sS", "-K", platform.scratch + "/posts"]).output
            return answer.split(separator: "\n").filter { $0.contains(#/^[0-9]{3} /#) }.map { String($0) }
        }
        // Something else fills the disk to the last page.
        _ = try await run("sh", ["-c", "cat /dev/zero > \(seen)/filler || true"])
        var answers: [String] = []
        for _ in 0..<200 where !answers.contains(where: { !$0.hasPrefix("201") }) { answers += try await post() }
        let refused = answers.filter { !$0.hasPrefix("201") }
        #expect(!refused.isEmpty && refused.allSatisfy { $0.hasPrefix("503 application/problem+json") }, "\(Set(refused)) of \(answers.count)")
        #expect(server.isRunning)
        // Reading goes on.
        #expect(try await platform.ask("GET", "/v1/providers", token: token).contains("Kages"))
        try FileManager.default.removeItem(atPath: seen + "/filler")
        try FileManager.default.removeItem(atPath: seen + "/ballast")
        #expect(try await post().allSatisfy { $0.hasPrefix("201") })
        let verified = try await Ledgerline.finish(["log", "verify", "--data", seen + "/data", "--json"])
        #expect(verified.status == 0, "\(verified.output)")
        let replayed = try await Ledgerline.finish(["replay", "--check", "--data", seen + "/data"])
        #expect(replayed.status == 0, "\(replayed.output)")
        #expect(try await server.stopped() == 0)
    }
}

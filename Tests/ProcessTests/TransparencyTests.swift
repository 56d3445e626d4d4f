import Foundation
import Testing

/// Tools for transparency logs that others wrote, on the tree of a running platform; `tools/tlog/setup` fetches them.
@Suite(.serialized) struct TransparencyTests {
    private static let tools: String = {
        var place = Ledgerline.binary.resolvingSymlinksInPath()
        while place.lastPathComponent != ".build", place.path != "/" { place.deleteLastPathComponent() }
        return place.path + "/tlog"
    }()
    private static let hasGo = FileManager.default.isExecutableFile(atPath: tools + "/watch")
    private static let hasPython = FileManager.default.fileExists(atPath: tools + "/python/installed")

    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private static func watch(_ platform: TestPlatform, _ arguments: [String]) async throws -> (status: Int32, output: String, report: [String: Any]) {
        let (status, output) = try await run(tools + "/watch", ["-url", platform.url, "-key", platform.key] + arguments)
        return (status, output, (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any] ?? [:])
    }

    private static func python(_ module: String, _ arguments: [String]) async throws -> (status: Int32, output: String) {
        try await run("python3", ["-m", module] + arguments, environment: ["PYTHONPATH": tools + "/python"])
    }

    @Test(.enabled(if: hasGo, "needs Go's tlog library: tools/tlog/setup"))
    func goProvesEveryEventOfARunningPlatformAndFindsWhatWasChangedBehindIt() async throws {
        let platform = TestPlatform(scratch: scratch.path)
        let state = platform.scratch + "/seen"
        var server = try await platform.start()
        let token = try await platform.token(of: server)
        try await platform.grow(530, token: token)
        let first = try await Self.watch(platform, ["-state", state, "-token", token])
        #expect(first.status == 0, "\(first.output)")
        let size = try #require(first.report["size"] as? Int)
        // Two full tiles of leaves, a partial one, and a partial one above them.
        #expect(size > 512 && size < 768 && first.report["tiles_read"] as? Int == 4)
        #expect(first.report["events_hashed"] as? Int == size && first.report["records_proven"] as? Int == size)

        try await platform.grow(20, token: token)
        let second = try await Self.watch(platform, ["-state", state])
        #expect(second.status == 0, "\(second.output)")
        #expect(second.report["grew_from"] as? Int == size && second.report["events_hashed"] as? Int == 0)
        #expect(try await server.stopped() == 0)

        // An older copy under the same name: the log was rolled back, and says so by its size.
        #expect(try await Ledgerline.finish(["backup", "--data", platform.data, "--to", platform.scratch + "/backup", "--with-keys"]).status == 0)
        server = try await platform.start()
        try await platform.grow(3, token: token)
        #expect(try await Self.watch(platform, ["-state", state]).status == 0)
        #expect(try await server.stopped() == 0)
        let restored = platform.scratch + "/restored"
        #expect(try await Ledgerline.finish(["restore", "--from", platform.scratch + "/backup", "--data", restored, "--keep-origin"]).status == 0)
        server = try await platform.start(data: restored)
        let back = try await Self.watch(platform, ["-state", state])
        #expect(back.status == 1 && back.output.contains("the log was rolled back"), "\(back.output)")
        // And when it has grown past that, the other history shows.
        try await platform.grow(40, token: token)
        let forked = try await Self.watch(platform, ["-state", state])
        #expect(forked.status == 1 && forked.output.contains("history was rewritten"), "\(forked.output)")
        #expect(try await server.stopped() == 0)

        // Somebody with the disk and without the key.
        try await tamper(platform.ledger, ["flip", "78", "1000"])
        server = try await platform.start()
        let changed = try await Self.watch(platform, ["-state", state, "-token", token])
        #expect(changed.status == 1 && changed.output.contains("event 78 is not the one that was signed"), "\(changed.output)")
        #expect(try await server.stopped() == 0)
        try await tamper(platform.ledger, ["flip", "78", "1000"])
        try await tamper(platform.ledger, ["tile", "0", "1", "77"])
        server = try await platform.start()
        let tile = try await Self.watch(platform, ["-state", state])
        #expect(tile.status == 1 && tile.output.contains(#/inconsistent tile|event 257 is not/#), "\(tile.output)")
        #expect(try await server.stopped() == 0)
        try await tamper(platform.ledger, ["tile", "0", "1", "77"])
        server = try await platform.start()
        let mended = try await Self.watch(platform, ["-state", state, "-token", token])
        #expect(mended.status == 0, "\(mended.output)")
        #expect(try await server.stopped() == 0)
    }

    @Test(.enabled(if: hasPython, "needs aics-tlog and aics-witness: tools/tlog/setup"))
    func aWitnessCosignsWhatGrewAndRefusesAnotherHistory() async throws {
        let platform = TestPlatform(scratch: scratch.path)
        let (scratch, tools) = (platform.scratch, Self.tools)
        var server = try await platform.start()
        let token = try await platform.token(of: server)
        try await platform.grow(270, token: token)
        #expect(try await server.stopped() == 0)

        let listen = "127.0.0.1:\(Ports.take())"
        let config = ["--config", scratch + "/witness.json"]
        let made = try await Self.python("aics_witness", ["init", "--name", "witness.example/w1", "--listen", listen] + config)
        #expect(made.status == 0, "\(made.output)")
        let witnessKey = try #require(made.output.firstMatch(of: #/witness\.example/w1\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+/#)).output
        let logKey = try String(contentsOfFile: platform.key, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let added = try await Self.python("aics_witness", ["add-log", "--origin", String(logKey.prefix { $0 != "+" }), "--vkey", logKey] + config)
        #expect(added.status == 0, "\(added.output)")
        let witness = try Background("python3", ["-m", "aics_witness", "serve"] + config, environment: ["PYTHONPATH": tools + "/python"])
        try await witness.waitForHTTP("http://\(listen)/healthz")

        let witnesses = ["--witness", "\(witnessKey),http://\(listen)", "--witness-quorum", "1", "--publish-entries"]
        func client(_ command: String, _ more: [String]) async throws -> (status: Int32, output: String) {
            try await Self.python(
                "aics_tlog",
                [command, "--tiles", platform.url + "/", "--vkey-file", platform.key, "--witness-key", String(witnessKey), "--quorum", "1"] + more)
        }
        let note = scratch + "/seen.note"
        server = try await platform.start(witnesses)
        try await platform.waitForCosignature(by: "witness.example/w1")
        let checked = try await client("verify-checkpoint", ["--save-checkpoint", note])
        #expect(checked.status == 0, "\(checked.output)")
        let included = try await client("verify-inclusion", ["--index", "41", "--entry-out", scratch + "/entry"])
        #expect(included.status == 0, "\(included.output)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: scratch + "/entry")).count > 20)
        try await platform.grow(20, token: token)
        #expect(try await server.stopped() == 0)

        // The backup is taken before the witness sees what comes next.
        #expect(try await Ledgerline.finish(["backup", "--data", platform.data, "--to", scratch + "/backup", "--with-keys"]).status == 0)
        server = try await platform.start()
        try await platform.grow(5, token: token)
        #expect(try await server.stopped() == 0)
        server = try await platform.start(witnesses)
        try await platform.waitForCosignature(by: "witness.example/w1")
        let grew = try await client("verify-consistency", ["--old-checkpoint", note, "--save-checkpoint", note])
        #expect(grew.status == 0, "\(grew.output)")
        #expect(try await server.stopped() == 0)

        // The same name, an older copy that goes on by itself: the witness signs for one history alone.
        let restored = scratch + "/restored"
        #expect(try await Ledgerline.finish(["restore", "--from", scratch + "/backup", "--data", restored, "--keep-origin"]).status == 0)
        server = try await platform.start(data: restored)
        try await platform.grow(40, token: token)
        #expect(try await server.stopped() == 0)
        server = try await platform.start(data: restored, witnesses)
        _ = try await server.waiting(for: "a witness does not cosign")
        #expect(server.text.contains("it has cosigned another history of this log"), "\(server.text)")
        let refused = try await client("verify-checkpoint", [])
        // It shows no checkpoint that nobody cosigned.
        #expect(refused.status != 0, "\(refused.output)")
        #expect(try await server.stopped() == 0)
        let evidence = try await Self.python("aics_witness", ["evidence"] + config)
        #expect(evidence.output.contains("422") || evidence.output.contains("consisten"), "\(evidence.output)")
    }
}

/// A program of others that runs until the test ends.
private final class Background {
    private let process = Process()

    init(_ program: String, _ arguments: [String], environment: [String: String]) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    func waitForHTTP(_ url: String) async throws {
        let (status, output) = try await run("curl", ["-sS", "--retry", "100", "--retry-delay", "0", "--retry-max-time", "20", "--retry-connrefused", url])
        guard status == 0 else { throw ServerFailure(description: output) }
    }
}

extension TestPlatform {
    /// The first round begins with the start; what is published before it has no cosignature.
    fileprivate func waitForCosignature(by witness: String) async throws {
        let deadline = Date().addingTimeInterval(20)
        while Date() < deadline {
            if try await run("curl", ["-sS", url + "/checkpoint"]).output.contains("\u{2014} \(witness) ") { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ServerFailure(description: "no cosignature by \(witness)")
    }
}

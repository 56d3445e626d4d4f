import Foundation
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// `ledgerline serve` as an operator meets it: first start, second start, kill -9, wrong use, hostile packets.
@Suite(.serialized) struct ServeTests {
    let scratch: Scratch
    private let http = Ports.take()
    private let sip = Ports.take()
    private let media = Ports.range(100)

    init() throws { scratch = try Scratch() }

    private func arguments(http: Int? = nil, sip: Int? = nil, data: String? = nil) -> [String] {
        [
            "serve", "--data", data ?? scratch.path + "/data", "--http", "127.0.0.1:\(http ?? self.http)", "--desk", "127.0.0.1:0", "--feed", "127.0.0.1:0",
            "--sip-port", "\(sip ?? self.sip)", "--ports", media,
        ]
    }

    private func get(_ url: String, token: String? = nil, method: String = "GET", body: Data? = nil) async throws -> (Int, [String: Any], String) {
        var request = URLRequest(url: try #require(URL(string: url)), timeoutInterval: 10)
        request.httpMethod = method
        request.httpBody = body
        if body != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        let (data, response) = try await URLSession.shared.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        return (http.statusCode, (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:], http.value(forHTTPHeaderField: "Content-Type") ?? "")
    }

    @Test func theFirstStartPrintsATokenOnceAndTheSecondCarriesOn() async throws {
        let first = try Server(arguments(), log: scratch.path + "/first")
        let token = try first.wait(for: "admin token (shown once, keep it): ").trimmingCharacters(in: .whitespaces)
        _ = try first.wait(for: "ready: HTTP ")
        let body = Data(#"{"name":"Kages","namespace":"kages.example","currency":"USD","time_zone":"UTC"}"#.utf8)
        let created = try await get("http://127.0.0.1:\(http)/v1/providers", token: token, method: "POST", body: body)
        #expect(created.0 == 201)
        #expect(first.stop() == 0)

        let second = try Server(arguments(), log: scratch.path + "/second")
        _ = try second.wait(for: "ready: HTTP ")
        #expect(!second.text.contains("admin token"))
        let list = try await get("http://127.0.0.1:\(http)/v1/providers", token: token)
        #expect(list.0 == 200)
        #expect((list.1["items"] as? [[String: Any]])?.first?["name"] as? String == "Kages")
        let refused = try await get("http://127.0.0.1:\(http)/v1/providers", token: "llt_wrong")
        #expect(refused.0 == 401 && refused.2.hasPrefix("application/problem+json"))

        // The same again after a kill that nobody announced.
        second.kill9()
        let third = try Server(arguments(), log: scratch.path + "/third")
        _ = try third.wait(for: "ready: HTTP ")
        #expect(try await get("http://127.0.0.1:\(http)/v1/providers", token: token).0 == 200)
        let verified = try Ledgerline.run(["log", "verify", "--data", scratch.path + "/data", "--json"])
        #expect(verified.status == 0, "\(verified.output)")
        let replayed = try Ledgerline.run(["replay", "--check", "--data", scratch.path + "/data"])
        #expect(replayed.status == 0, "\(replayed.output)")
        #expect(third.stop() == 0)
    }

    /// What goes from role to role of one process does not leave it. A connection of the test's own shows that connections would be seen.
    @Test func itsRolesAskEachOtherWithoutAConnection() async throws {
        let server = try Server(arguments(), log: scratch.path + "/server")
        let token = try server.wait(for: "admin token (shown once, keep it): ").trimmingCharacters(in: .whitespaces)
        _ = try server.wait(for: "ready: HTTP ")
        let deadline = ContinuousClock.now + .seconds(60)
        var alive = 0
        while alive < 2, ContinuousClock.now < deadline {
            let workers = try await get("http://127.0.0.1:\(http)/v1/workers", token: token).1["items"] as? [[String: Any]]
            alive = workers?.filter { $0["state"] as? String == "alive" }.count ?? 0
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(alive == 2)
        func port(of role: String) throws -> Int {
            try #require(server.text.firstMatch(of: try Regex("\(role)=tcp://127\\.0\\.0\\.1:([0-9]+)"))?.output[1].substring.flatMap { Int($0) })
        }
        #expect(!server.text.contains("greeting the control plane again"))
        for role in ["desk", "feed"] { #expect(Ports.connections(to: try port(of: role)) == 0) }
        let desk = try port(of: "desk")
        let peer = try TCPPeer(port: UInt16(desk))
        // A page of the kernel's list may lack a row while others change beside it.
        var seen = 0
        while seen == 0, ContinuousClock.now < deadline {
            seen = Ports.connections(to: desk)
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(seen == 1)
        withExtendedLifetime(peer) {}
        #expect(server.stop() == 0)
    }

    /// `ledgerline signal | logger`, and logger dies: what is logged from then on is lost, and nothing else.
    @Test func aWorkerOutlivesWhoeverReadsItsLog() async throws {
        let server = try Server(arguments(), log: scratch.path + "/log")
        let token = try server.wait(for: "admin token (shown once, keep it): ").trimmingCharacters(in: .whitespaces)
        _ = try server.wait(for: "ready: HTTP ")
        let (key, pipe, listener) = (scratch.path + "/s2.key", scratch.path + "/pipe", Ports.take())
        let enrolled = try await Ledgerline.finish(["worker", "enroll", "s2", "--kind", "signal", "--out", key, "--url", "http://127.0.0.1:\(http)", "--token", token])
        #expect(enrolled.status == 0, "\(enrolled.output)")
        #expect(mkfifo(pipe, 0o600) == 0)
        let reader = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        let worker = try Child(
            Ledgerline.binary.path, ["signal", "--key", key, "--listen", "127.0.0.1:\(listener)", "--bus", "127.0.0.1:0", "--state", scratch.path + "/s2"], output: pipe)
        var (log, buffer) = ("", [UInt8](repeating: 0, count: 65_536))
        for _ in 0..<600 where !log.contains("the control plane knows this worker") {
            let count = read(reader, &buffer, buffer.count)
            if count > 0 { log += String(decoding: buffer[..<count], as: UTF8.self) } else { usleep(50_000) }
        }
        #expect(log.contains("the control plane knows this worker"), "\(log)")
        close(reader)
        let peer = try UDPPeer()
        // The first malformed message of a minute is logged.
        peer.send(Array("INVITE sip:x SIP/2.0\r\nVia: nonsense\r\n\r\n".utf8), to: UInt16(listener))
        usleep(500_000)
        let options = "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:\(peer.port);branch=z9hG4bK1\r\nFrom: <sip:a@x.example>;tag=1\r\nTo: <sip:x.example>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        peer.send(Array(options.utf8), to: UInt16(listener))
        #expect(peer.datagrams(1).contains { $0.starts(with: Array("SIP/2.0 200".utf8)) })
        #expect(worker.status == nil)
        kill(worker.pid, SIGTERM)
        #expect(worker.waitUntilExit() == 0)
        #expect(server.stop() == 0)
    }

    @Test func itsThreadsHaveNames() throws {
        let server = try Server(arguments(), log: scratch.path + "/server")
        _ = try server.wait(for: "ready: HTTP ")
        let expected: Set = [
            "accounts", "alerts", "append", "control", "exports", "invoices", "media-control", "media-recorder", "media-relay-0", "publish", "recordings", "signal",
        ]
        let deadline = ContinuousClock.now + .seconds(30)
        var missing = expected
        // A thread names itself when it first runs.
        while !missing.isEmpty, ContinuousClock.now < deadline {
            let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(server.pid)/task")
            for task in tasks { try missing.remove(String(contentsOfFile: "/proc/\(server.pid)/task/\(task)/comm", encoding: .utf8).trimmingCharacters(in: .newlines)) }
            Thread.sleep(forTimeInterval: 0.02)
        }
        #expect(missing.isEmpty)
        #expect(server.stop() == 0)
    }

    @Test func aDirectoryInUseAndATakenPortAreSaidSoAndLeaveTheOtherAlone() async throws {
        let server = try Server(arguments(), log: scratch.path + "/server")
        _ = try server.wait(for: "ready: HTTP ")
        let same = try Ledgerline.run(arguments(http: Ports.take(), sip: Ports.take()))
        #expect(same.status == 73)
        #expect(same.output.contains("served by another process"))
        let taken = try Ledgerline.run(arguments(http: Ports.take(), data: scratch.path + "/other"))
        #expect(taken.status == 69, "\(taken.output)")
        #expect(taken.output.contains("127.0.0.1:\(sip) is in use by another program"))
        let web = try Ledgerline.run(arguments(sip: Ports.take(), data: scratch.path + "/third"))
        #expect(web.status == 69, "\(web.output)")
        #expect(web.output.contains("127.0.0.1:\(http) is taken"))
        #expect(try await get("http://127.0.0.1:\(http)/healthz").0 == 200)
        #expect(server.stop() == 0)
    }

    @Test func hostilePacketsAndRequestsAreAnsweredOrIgnoredAndNothingStops() async throws {
        let server = try Server(arguments(), log: scratch.path + "/server")
        _ = try server.wait(for: "ready: HTTP ")
        let peer = try UDPPeer()
        var state: UInt64 = 20_261_121
        func random() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        let invite = """
            INVITE sip:1@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:\(peer.port);branch=z9hG4bKa;rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=1\r\n\
            To: <sip:1@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1>\r\nContent-Length: 0\r\n\r\n
            """
        for _ in 0..<2_000 {
            var bytes = Array(invite.utf8)
            for _ in 0..<(1 + random() % 6) { bytes[Int(random()) % bytes.count] = UInt8(truncatingIfNeeded: random()) }
            peer.send(Array(bytes.prefix(Int(random()) % (bytes.count + 1))), to: UInt16(sip))
        }
        peer.send([UInt8](repeating: 0x41, count: 60_000), to: UInt16(sip))
        // Strangers' media, to ports with and without a session.
        let first = try #require(media.split(separator: "-").first.flatMap { UInt16($0) })
        for port in first..<(first + 20) { peer.send([0x80, 0] + (0..<170).map { UInt8(truncatingIfNeeded: $0) }, to: port) }

        // A request that is wrong in a known way gets the answer that RFC 3261 asks for.
        peer.drain()
        peer.send(
            Array(
                """
                INVITE sip:1@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:\(peer.port);branch=z9hG4bKo;rport\r\nMax-Forwards: 0\r\nFrom: <sip:a@x>;tag=1\r\n\
                To: <sip:1@x>\r\nCall-ID: hops\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1>\r\nContent-Length: 0\r\n\r\n
                """.utf8), to: UInt16(sip))
        let hops = try #require(peer.receive(containing: "Call-ID: hops"))
        #expect(hops.hasPrefix("SIP/2.0 483 "), "\(hops)")
        peer.send(
            Array(
                """
                INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:\(peer.port);branch=z9hG4bKm;rport\r\nFrom: <sip:a@x>;tag=1\r\n\
                To: <sip:x>\r\nCall-ID: m\r\nCSeq: nonsense\r\nContent-Length: 0\r\n\r\n
                """.utf8), to: UInt16(sip))
        #expect(peer.receive(containing: "Call-ID: m")?.hasPrefix("SIP/2.0 400 ") == true)

        // HTTP: not JSON, too large, unknown path, wrong method.
        let base = "http://127.0.0.1:\(http)"
        let token = try server.wait(for: "admin token (shown once, keep it): ").trimmingCharacters(in: .whitespaces)
        let broken = try await get(base + "/v1/providers", token: token, method: "POST", body: Data("{\"name\":".utf8))
        #expect(broken.0 == 400 && broken.2.hasPrefix("application/problem+json"))
        let large = try await get(base + "/v1/providers", token: token, method: "POST", body: Data(repeating: 0x20, count: 20 << 20))
        #expect(large.0 == 413)
        #expect(try await get(base + "/v1/nowhere", token: token).0 == 404)
        #expect(try await get(base + "/v1/providers", token: token, method: "PATCH").0 == 405)
        #expect(try await get(base + "/healthz").0 == 200)
        #expect(server.isRunning)
        #expect(!server.text.contains(token + "\n" + token))
        #expect(server.stop() == 0)
    }

    @Test func everyCommandHasHelpWithAnExample() throws {
        for command in [
            ["serve"], ["control"], ["signal"], ["media"], ["worker", "enroll"], ["worker", "list"], ["worker", "drain"], ["worker", "revoke"],
            ["token", "issue"], ["log", "verify"], ["log", "prove"], ["log", "checkpoint"], ["log", "tail"], ["replay"], ["cdr", "list"], ["cdr", "reconcile"], ["dispute", "make"], ["dispute", "verify"],
            ["as-of"], ["snapshot"], ["fee", "list"], ["package", "buy"], ["package", "list"], ["package", "cancel"], ["package", "left"],
        ] {
            let help = try Ledgerline.run(command + ["--help"])
            #expect(help.status == 0)
            #expect(help.output.contains("ledgerline \(command.joined(separator: " ")) "), "\(command): \(help.output)")
            #expect(help.output.contains("Example") || help.output.contains("Make one:"), "\(command) has no example")
        }
    }

    @Test func wrongUseOfTheBooksIsSaidSo() throws {
        let missing = try Ledgerline.run(["log", "verify", "--data", scratch.path + "/nothing"])
        #expect(missing.status == 66 && missing.output.contains("is not a data directory"))
        let unread = try Ledgerline.run(["log", "prove", "--verify", scratch.path + "/none", "--key", scratch.path + "/none"])
        #expect(unread.status == 66)
    }
}

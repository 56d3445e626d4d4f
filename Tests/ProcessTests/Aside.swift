import Foundation

/// Runs what waits for other processes on a thread of its own: the test pool has two, and others run on them.
func aside<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}

/// Any program, run to its end; everything that it printed.
func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) async throws -> (status: Int32, output: String) {
    try await aside { try runHere(program, arguments, environment) }
}

private func runHere(_ program: String, _ arguments: [String], _ environment: [String: String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let output = readToEnd(of: pipe)
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

/// All that comes out of a pipe until it is closed. A signal that comes in between is none of the reader's business; Foundation ends
/// the process over it.
func readToEnd(of pipe: Pipe) -> Data {
    let descriptor = pipe.fileHandleForReading.fileDescriptor
    var (all, part) = (Data(), [UInt8](repeating: 0, count: 1 << 16))
    while true {
        let count = read(descriptor, &part, part.count)
        if count > 0 { all.append(contentsOf: part[..<count]) } else if count == 0 || errno != EINTR { return all }
    }
}

extension Ledgerline {
    /// `run`, for tests that are asynchronous.
    static func finish(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        try await ProcessTests.run(binary.path, arguments)
    }
}

extension Server {
    func waiting(for marker: String) async throws -> String { try await aside { try self.wait(for: marker) } }

    /// By itself.
    func ended() async throws -> Int32 { try await aside { self.end() } }

    func stopped() async throws -> Int32 { try await aside { self.stop() } }

    func killed() async throws { try await aside { self.kill9() } }
}

/// Changes a stopped log behind its back; see Tests/Support/Tamper.
@discardableResult
func tamper(_ ledger: String, _ arguments: [String]) async throws -> String {
    let program = Ledgerline.binary.deletingLastPathComponent().appendingPathComponent("tamper").path
    let (status, output) = try await run(program, [ledger] + arguments)
    guard status == 0 else { throw ServerFailure(description: "tamper \(arguments): \(output)") }
    return output.trimmingCharacters(in: .whitespacesAndNewlines)
}

/// A platform on loopback with the few things that these tests want of it.
struct TestPlatform: Sendable {
    let scratch: String
    let http = Ports.take()
    let sip = Ports.take()
    let media = Ports.range(20)
    var data: String { scratch + "/data" }
    var ledger: String { data + "/ledger" }
    var key: String { data + "/keys/log-signing.pub" }
    var url: String { "http://127.0.0.1:\(http)" }

    func start(data: String? = nil, _ more: [String] = []) async throws -> Server {
        let server = try Server(
            [
                "serve", "--data", data ?? self.data, "--http", "127.0.0.1:\(http)", "--desk", "127.0.0.1:0", "--feed", "127.0.0.1:0", "--sip-port",
                "\(sip)", "--ports", media,
            ] + more, log: scratch + "/server-\(UUID().uuidString)")
        _ = try await server.waiting(for: "ready: HTTP ")
        return server
    }

    func token(of first: Server) async throws -> String {
        try await first.waiting(for: "admin token (shown once, keep it): ").trimmingCharacters(in: .whitespaces)
    }

    /// Once both workers have greeted: a call that comes before the media worker is refused.
    func workersAreThere(token: String) async throws {
        let deadline = Date().addingTimeInterval(30)
        while true {
            let workers = try await ask("GET", "/v1/workers", token: token)
            if workers.components(separatedBy: #""state":"alive""#).count > 2 { return }
            guard Date() < deadline else { throw ServerFailure(description: "workers are missing: \(workers)") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// One request, as curl makes it.
    ///
    /// - Parameter key: given again, the request does nothing twice.
    func ask(_ method: String, _ path: String, token: String, _ body: String? = nil, key: String? = nil) async throws -> String {
        var arguments = ["-sS", "-X", method, "-H", "Authorization: Bearer \(token)"]
        if let key { arguments += ["-H", "Idempotency-Key: \(key)"] }
        if let body { arguments += ["-H", "Content-Type: application/\(method == "PATCH" ? "merge-patch+" : "")json", "-d", body] }
        return try await run("curl", arguments + [url + path]).output
    }

    /// - Returns: the id of the provider whose contacts they are.
    @discardableResult
    func grow(_ contacts: Int, token: String) async throws -> String {
        let provider = try await ask(
            "POST", "/v1/providers", token: token, #"{"name":"Kages","namespace":"k\#(contacts)","currency":"USD","time_zone":"UTC"}"#)
        let fields = try JSONSerialization.jsonObject(with: Data(provider.utf8)) as? [String: Any]
        guard let id = fields?["id"] as? String else { throw ServerFailure(description: provider) }
        // One connection for all of them.
        let requests = (0..<contacts).map { number in
            """
            url = "\(url)/v1/contacts"
            header = "Authorization: Bearer \(token)"
            header = "Content-Type: application/json"
            data = "{\\"provider_id\\":\\"\(id)\\",\\"name\\":\\"Person \(number)\\"}"
            output = "/dev/null"
            fail

            """
        }
        let config = scratch + "/requests"
        try requests.joined(separator: "next\n").write(toFile: config, atomically: true, encoding: .utf8)
        let (status, output) = try await run("curl", ["-sS", "-K", config])
        guard status == 0 else { throw ServerFailure(description: "curl \(status): \(output.suffix(500))") }
        return id
    }
}

import Foundation
import Mail
import OpenSSL
import Synchronization
import Testing

@testable import ControlAPI

/// A real SMTP server (aiosmtpd) on loopback, in a process of its own, and what it was given.
final class MailSink: Sendable {
    let port: Int
    private let directory: String
    private let process: Process
    private let input: Pipe
    private let lines: AsyncStream<JSON>

    struct Delivery {
        let sender: String
        let to: String
        let isEncrypted: Bool
        let isLoggedIn: Bool
        let content: String

        func header(_ name: String) -> String? {
            content.split(separator: "\r\n").first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
        }

        /// Of the plain and of the HTML part.
        var bodies: [String] {
            content.components(separatedBy: "\r\n\r\n").dropFirst().compactMap { part in
                let text = part.components(separatedBy: "\r\n--")[0].replacing("\r\n", with: "")
                return Base64.decode(text).map { String(decoding: $0, as: UTF8.self) }
            }
        }

        /// What the link ends with.
        var token: String { String(bodies[0].components(separatedBy: "#token=").last?.prefix(64) ?? "") }
    }

    /// - Parameter isEncrypted: STARTTLS by a certificate that `authorities` trusts, and nothing without.
    init(isEncrypted: Bool = false) async throws {
        directory = NSTemporaryDirectory() + "ledgerline-mail-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/mail/sink.py").path
        if isEncrypted {
            let openssl = Process()
            openssl.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            openssl.arguments = [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                "subjectAltName=IP:127.0.0.1", "-keyout", directory + "/key.pem", "-out", directory + "/certificate.pem",
            ]
            openssl.standardError = FileHandle.nullDevice
            try openssl.run()
            await MailSink.end(of: openssl)
            let pem = try String(contentsOfFile: directory + "/key.pem", encoding: .utf8)
                + String(contentsOfFile: directory + "/certificate.pem", encoding: .utf8)
            try pem.write(toFile: directory + "/both.pem", atomically: true, encoding: .utf8)
        }
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [script, directory + "/reply"] + (isEncrypted ? [directory + "/both.pem"] : [])
        let output = Pipe()
        input = Pipe()
        process.standardOutput = output
        process.standardInput = input
        try process.run()
        let (stream, continuation) = AsyncStream<JSON>.makeStream()
        lines = stream
        let handle = output.fileHandleForReading
        Thread.detachNewThread {
            var rest: [UInt8] = []
            while case let data = handle.availableData, !data.isEmpty {
                rest += data
                while let end = rest.firstIndex(of: 0x0A) {
                    if let line = try? JSON(parsing: Array(rest[..<end])) { continuation.yield(line) }
                    rest.removeSubrange(...end)
                }
            }
            continuation.finish()
        }
        var ready: JSON?
        for await line in stream {
            ready = line
            break
        }
        port = try #require(ready?["ready"]?.integer(as: Int.self), "the mail server does not start: apt-get install python3-aiosmtpd")
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(atPath: directory)
    }

    var authorities: String { directory + "/certificate.pem" }

    /// What it answers when a recipient is named, from now on; empty: it takes everything.
    func reply(_ text: String) throws { try text.write(toFile: directory + "/reply", atomically: true, encoding: .utf8) }

    /// Waits for what comes next: a message, or nil for a recipient that it has refused.
    func next() async throws -> Delivery? {
        for await line in lines {
            guard line["refused"] == nil else { return nil }
            return Delivery(
                sender: line["sender"]?.text ?? "", to: line["to"]?.text ?? "", isEncrypted: line["tls"]?.flag ?? false,
                isLoggedIn: line["login"]?.flag ?? false, content: line["content"]?.text ?? "")
        }
        throw CancellationError()
    }

    private static func end(of process: Process) async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                process.waitUntilExit()
                continuation.resume()
            }
        }
    }
}

import Foundation
import Glibc
import Model
import Primitives
import SwiftProtobuf
import Testing

@testable import Exports

/// A real sshd on loopback: own configuration, host key, user key; ends with the last reference.
private final class Server {
    let directory: String
    let port: UInt16
    let hostKey: String
    private let process = Process()

    /// nil: there is no sshd here.
    init?() throws {
        guard FileManager.default.fileExists(atPath: "/usr/sbin/sshd") else { return nil }
        directory = NSTemporaryDirectory() + "ledgerline-sshd-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory + "/in", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        // Below those that the system gives to whoever asks for any.
        port = UInt16.random(in: 28_000...29_999)
        try Server.run("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", directory + "/host"])
        try Server.run("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", directory + "/user"])
        hostKey = try String(contentsOfFile: directory + "/host.pub", encoding: .utf8).split(separator: " ").prefix(2).joined(separator: " ")
        try FileManager.default.copyItem(atPath: directory + "/user.pub", toPath: directory + "/authorized")
        try """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(directory)/host
            AuthorizedKeysFile \(directory)/authorized
            PidFile none
            UsePAM no
            StrictModes no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin prohibit-password
            Subsystem sftp internal-sftp

            """.write(toFile: directory + "/config", atomically: true, encoding: .utf8)
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Returns when it answers.
    func start() throws {
        try? FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        // Under a shell: sshd closes every descriptor that it was given, which Foundation takes for its end, and then waits for it.
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "/usr/sbin/sshd -D -e -f \"$0\" & echo $! > \"$0.pid\"; wait", directory + "/config"]
        let log = Pipe()
        process.standardError = log
        try process.run()
        // It says so when it listens.
        var text = ""
        while !text.contains("Server listening") {
            let data = log.fileHandleForReading.availableData
            guard !data.isEmpty else { throw ExportError.notSent(reason: "sshd ended: \(text)") }
            text += String(decoding: data, as: UTF8.self)
        }
        // What it says later must not fill the pipe.
        log.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
    }

    func stop() {
        guard process.isRunning else { return }
        let text = (try? String(contentsOfFile: directory + "/config.pid", encoding: .utf8)) ?? ""
        if let id = Int32(text.filter(\.isNumber)) { kill(id, SIGKILL) }
        // A shell of a thread that blocks signals does not hear that its child is gone.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func upload(hostKey: String? = nil) -> SFTPUpload {
        let destination = SftpDestination.with {
            $0.host = "127.0.0.1"
            $0.port = UInt32(port)
            $0.user = NSUserName()
            $0.directory = directory + "/in"
            $0.hostKey = hostKey ?? self.hostKey
        }
        return SFTPUpload(destination, keyFile: directory + "/user", workDirectory: directory)
    }

    static func run(_ tool: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: tool)
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
    }
}

@Test func aFileArrivesUnderItsOwnNameAndAgainWithoutHarm() throws {
    guard let server = try Server() else { return }
    try server.start()
    let file = server.directory + "/cdrs_1.csv"
    try Data("a,b\r\n".utf8).write(to: URL(fileURLWithPath: file))
    try server.upload().send([file])
    try server.upload().send([file])
    #expect(FileManager.default.contents(atPath: server.directory + "/in/cdrs_1.csv") == Data("a,b\r\n".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: server.directory + "/in") == ["cdrs_1.csv"])
}

@Test func aServerWithAnotherKeyGetsNothing() throws {
    guard let server = try Server() else { return }
    try server.start()
    let file = server.directory + "/cdrs_1.csv"
    try Data("a,b\r\n".utf8).write(to: URL(fileURLWithPath: file))
    let other = try String(contentsOfFile: server.directory + "/user.pub", encoding: .utf8).split(separator: " ").prefix(2).joined(separator: " ")
    #expect(throws: ExportError.self) { try server.upload(hostKey: other).send([file]) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: server.directory + "/in") == [])
}

@Test func aServerThatIsDownIsSaidSo() throws {
    guard let server = try Server() else { return }
    let file = server.directory + "/cdrs_1.csv"
    try Data("a,b\r\n".utf8).write(to: URL(fileURLWithPath: file))
    #expect(throws: ExportError.self) { try server.upload().send([file]) }
}

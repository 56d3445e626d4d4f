internal import Dispatch
internal import Foundation
internal import Glibc
package import Model

/// Puts one file on a server with `sftp` of OpenSSH in batch mode: under a temporary name, synced there if the server can, then
/// renamed over. Only the pinned host key is taken, only our own key is shown, and no configuration of the machine is read.
package struct SFTPUpload: Sendable {
    package var destination: SftpDestination
    /// Our private key; made if it is not there, the public half beside it in `.pub`.
    package var keyFile: String
    /// Where `known_hosts` and the batch are written.
    package var workDirectory: String
    package var secondsMax = 600.0
    /// Asked twice a second while a server is spoken to.
    package var isCancelled: @Sendable () -> Bool = { false }

    package init(_ destination: SftpDestination, keyFile: String, workDirectory: String) {
        self.destination = destination
        self.keyFile = keyFile
        self.workDirectory = workDirectory
    }

    package func makeKey() throws(ExportError) {
        guard !FileManager.default.fileExists(atPath: keyFile) else { return }
        let (status, output) = try run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "ledgerline-exports", "-f", keyFile])
        guard status == 0 else { throw .notSent(reason: "no key could be made: \(output)") }
    }

    /// The files with their paths here; they have the same names there.
    package func send(_ files: [String]) throws(ExportError) {
        try makeKey()
        let knownHosts = workDirectory + "/known_hosts"
        var batch = ""
        let prefix = destination.directory.isEmpty ? "" : destination.directory + (destination.directory.hasSuffix("/") ? "" : "/")
        for file in files {
            let name = URL(fileURLWithPath: file).lastPathComponent
            batch += "put -f \"\(file)\" \"\(prefix).\(name).part\"\nrename \"\(prefix).\(name).part\" \"\(prefix)\(name)\"\n"
        }
        let commands = workDirectory + "/sftp-batch"
        do {
            try Data("ledgerline-export \(destination.hostKey)\n".utf8).write(to: URL(fileURLWithPath: knownHosts), options: .atomic)
            try Data(batch.utf8).write(to: URL(fileURLWithPath: commands), options: .atomic)
        } catch {
            throw .file(path: workDirectory, reason: error.localizedDescription)
        }
        let host = destination.host.contains(":") ? "[\(destination.host)]" : destination.host
        let (status, output) = try run(
            "sftp",
            [
                "-q", "-F", "/dev/null", "-b", commands, "-P", String(destination.port == 0 ? 22 : destination.port), "-i", keyFile,
                "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=yes",
                "-o", "UserKnownHostsFile=\"\(knownHosts)\"", "-o", "GlobalKnownHostsFile=/dev/null", "-o", "HostKeyAlias=ledgerline-export",
                "-o", "UpdateHostKeys=no", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3",
                "-o", "LogLevel=ERROR", "--", "\(destination.user)@\(host)",
            ])
        guard status == 0 else { throw .notSent(reason: output.isEmpty ? "sftp ended with status \(status)" : output) }
    }

    private func run(_ tool: String, _ arguments: [String]) throws(ExportError) -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [tool] + arguments
        // A file and not a pipe: another child that was started at the same moment would hold the pipe open.
        let said = workDirectory + "/sftp-output"
        guard FileManager.default.createFile(atPath: said, contents: nil), let output = FileHandle(forWritingAtPath: said) else {
            throw .file(path: said, reason: "cannot be written")
        }
        defer { try? FileManager.default.removeItem(atPath: said) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        do {
            try process.run()
        } catch {
            throw .notSent(reason: "\(tool) cannot be started: install openssh-client")
        }
        // A server that says nothing more must not hold the other exports up for ever.
        let timer = DispatchSource.makeTimerSource(queue: .global())
        let (isCancelled, deadline) = (isCancelled, Date() + secondsMax)
        timer.schedule(deadline: .now() + 0.5, repeating: 0.5)
        // Not SIGTERM: a child of a thread that blocks signals blocks them too.
        timer.setEventHandler { if isCancelled() || Date() > deadline { kill(process.processIdentifier, SIGKILL) } }
        timer.resume()
        process.waitUntilExit()
        timer.cancel()
        try? output.close()
        let text = String(decoding: FileManager.default.contents(atPath: said) ?? Data(), as: UTF8.self).split(whereSeparator: \.isNewline).suffix(3).joined(separator: "; ")
        return (process.terminationStatus, String(text.prefix(500)))
    }
}

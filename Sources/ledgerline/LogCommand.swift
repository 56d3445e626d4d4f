import ArgumentParser

struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Reads, verifies and proves the log. Needs no running control plane.",
        subcommands: [LogVerify.self, LogProve.self, LogConsistency.self, LogCheckpoint.self, LogTail.self])
}

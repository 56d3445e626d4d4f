import ArgumentParser
import Ledger

struct LogCheckpoint: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint", abstract: "Prints the signed head of the tree (C2SP tlog-checkpoint).",
        discussion: "Example: ledgerline log checkpoint --data ./data > november.txt")

    @Option(help: "The data directory.") var data: String

    func run() async throws {
        let opened = try OpenedLog(data)
        let (name, key) = try opened.signer()
        let size = opened.log.head
        do throws(LedgerError) {
            print(Checkpoint(origin: name, size: size, root: try opened.log.rootHash(size: size)).signed(with: key), terminator: "")
        } catch {
            throw fail(.inputOutput, "\(error)")
        }
    }
}

import ArgumentParser
import Foundation
import Ledger
import OpenSSL
import Primitives

struct LogVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Reads every event again and checks hashes, order, streams, tree head and signature.",
        discussion: """
            Exit status 1 if anything is not as it was signed; says where.
            Example: ledgerline log verify --data ./data --checkpoint last-month.txt
            """)

    @Option(help: "The data directory.") var data: String
    @Option(help: "A checkpoint from earlier; the log must still hold the tree that it signed.") var checkpoint: String?
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
        let opened = try OpenedLog(data)
        let (name, key) = try opened.verifier()
        var signed: Checkpoint?
        if let path = checkpoint {
            guard let note = try? String(contentsOfFile: path, encoding: .utf8) else { throw fail(.noInput, "\(path) cannot be read") }
            do throws(CheckpointError) {
                signed = try Checkpoint(note: note, key: key)
            } catch {
                throw fail(.checkFailed, "\(path) is not a checkpoint signed by \(name): \(error)")
            }
        }
        let total = opened.log.head
        var progress = Progress("verify")
        let report: LogVerifier.Report
        do throws(LedgerError) {
            report = try LogVerifier(opened.log).run(against: signed) { progress.tell($0, of: total) }
        } catch {
            throw fail(.checkFailed, "\(error)")
        }
        progress.end()
        // Signed and checked in one go: the key pair of this directory belongs together.
        let head = Checkpoint(origin: name, size: report.events, root: report.root)
        let isSignatureGood = (try? Checkpoint(note: head.signed(with: opened.signer().key), key: key)) == head
        let isIntact = report.isIntact && isSignatureGood
        if json {
            try printJSON([
                "intact": isIntact, "events": report.events, "root_hash": hex(report.root.bytes), "signature_good": isSignatureGood,
                "finding": report.finding.map { "\($0)" } ?? NSNull(),
            ])
        } else {
            print("events      \(report.events)")
            print("tree head   \(Base64.encode(report.root.bytes))")
            print("signature   \(isSignatureGood ? "good" : "BAD") (\(name))")
            print(report.finding.map { "FINDING     \($0)" } ?? "intact      every event is as it was recorded")
        }
        if !isIntact { throw ExitCode(ExitStatus.checkFailed.rawValue) }
    }
}

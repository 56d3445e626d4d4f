import ArgumentParser
import Foundation
import Ledger
import OpenSSL
import Primitives

struct LogVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Reads every event again and checks hashes, order, streams, tree, indexes, head and signature.",
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
        PageFault.watch(asJSON: json)
        let report: LogVerifier.Report
        do throws(LedgerError) {
            report = try LogVerifier(opened.log).run(against: signed) { read in
                PageFault.reached(read)
                progress.tell(read, of: total)
            }
        } catch {
            throw fail(.checkFailed, "\(error)")
        }
        progress.end()
        // Only beside good events does it mean anything, and a writer that runs may have moved on.
        var beside: IndexVerifier.Finding?
        if report.isIntact {
            PageFault.leftEvents()
            do throws(LedgerError) {
                beside = try IndexVerifier(opened.log).run()
            } catch {
                throw fail(.checkFailed, "\(error)")
            }
        }
        let words = report.finding.map { "\($0)" } ?? beside.map { "\($0)" }
        // Signed and checked in one go: the key pair of this directory belongs together.
        let head = Checkpoint(origin: name, size: report.events, root: report.root)
        let isSignatureGood = (try? Checkpoint(note: head.signed(with: opened.signer().key), key: key)) == head
        let journal = JournalWords(opened.log.leftInJournal)
        let isIntact = report.isIntact && beside == nil && isSignatureGood && journal.finding == nil
        if json {
            let journalFinding: Any = journal.finding ?? NSNull()
            try printJSON([
                "intact": isIntact, "events": report.events, "root_hash": hex(report.root.bytes), "signature_good": isSignatureGood,
                "finding": words ?? NSNull(), "kind": report.finding?.kind ?? beside?.kind ?? NSNull(),
                "first_bad_sequence": report.finding?.sequence ?? beside?.sequence ?? NSNull(),
                "continues": try continues(opened) ?? NSNull(), "left_in_journal": journal.events,
                "journal_finding": journalFinding,
            ])
        } else {
            print("events      \(report.events)")
            print("tree head   \(Base64.encode(report.root.bytes))")
            print("signature   \(isSignatureGood ? "good" : "BAD") (\(name))")
            if let origin = try continues(opened) { print("restored    it continues \(origin.replacing("\n", with: " "))") }
            if let note = journal.note { print("journal     \(note)") }
            for finding in [words, journal.finding] { if let finding { print("FINDING     \(finding)") } }
            if words == nil, journal.finding == nil { print("intact      every event is as it was recorded") }
        }
        if !isIntact { throw ExitCode(ExitStatus.checkFailed.rawValue) }
    }

    /// Which log this one was restored from.
    private func continues(_ opened: OpenedLog) throws -> String? {
        do throws(LedgerError) {
            return try opened.log.continues()
        } catch {
            throw fail(.inputOutput, "\(error)")
        }
    }
}

/// What is said of a journal that could not be taken in.
private struct JournalWords {
    var events: UInt64 = 0
    var note: String?
    /// Events may be missing.
    var finding: String?

    init(_ left: LeftInJournal) {
        switch left {
        case .nothing: break
        case .events(let count):
            events = count
            note = "\(count) more events stand in it alone: copy the directory to where it can be written, and verify that"
        case .unusable(let reason): finding = "the journal cannot be taken in: \(reason)"
        }
    }
}

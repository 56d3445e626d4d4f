import ArgumentParser
import Foundation
import Ledger
import Model
import OpenSSL
import Primitives
import Projections

struct LogProve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove", abstract: "Writes the proof that an event is in the signed log, or checks one.",
        discussion: """
            Make one:   ledgerline log prove --data ./data --cdr 17 --out cdr-17.tlog-proof
            Check one:  ledgerline log prove --verify cdr-17.tlog-proof --key log-signing.pub
            Checking needs neither the log nor a server.
            """)

    @Option(help: "The data directory.") var data: String?
    @Option(help: "Number of a call record.") var cdr: UInt64?
    @Option(help: "Sequence of an event.") var sequence: UInt64?
    @Option(help: "File to write (default: standard output).") var out: String?
    @Option(help: "A proof file to check.") var verify: String?
    @Option(help: "The log's public key, keys/log-signing.pub.") var key: String?

    func validate() throws {
        if verify != nil {
            guard key != nil else { throw ValidationError("--verify needs --key") }
        } else {
            guard data != nil, (cdr == nil) != (sequence == nil) else { throw ValidationError("give --data and one of --cdr and --sequence") }
        }
    }

    func run() async throws {
        if let verify, let key { try check(verify, key) } else if let data { try prove(OpenedLog(data)) }
    }

    private func prove(_ opened: OpenedLog) throws {
        let (name, key) = try opened.signer()
        let number = try sequence ?? cdr.map { try sequence(ofCDR: $0, opened) } ?? 0
        let proof: InclusionProof
        do throws(LedgerError) {
            proof = try InclusionProof(of: number, in: opened.log, origin: name, key: key)
        } catch {
            throw fail(.data, "\(error)")
        }
        guard let out else { return print(proof.text, terminator: "") }
        do {
            try Data(proof.text.utf8).write(to: URL(fileURLWithPath: out), options: .atomic)
        } catch {
            throw fail(.cannotCreate, "\(out) cannot be written: \(error.localizedDescription)")
        }
        print("event \(number) of \(opened.log.head): proof in \(out)")
    }

    private func sequence(ofCDR number: UInt64, _ opened: OpenedLog) throws -> UInt64 {
        let views = try opened.views()
        let record = try views.read { views throws(ViewsError) in try views.cdr(number: number) }
        guard let record, let call = CallID(record.callID) else { throw fail(.data, "there is no call record \(number)") }
        let history = try opened.log.history(of: call.value, before: nil, limit: 1_000)
        guard let event = history.first(where: { $0.type == "cdr.recorded" }) else { throw fail(.data, "there is no call record \(number)") }
        return event.sequence
    }

    private func check(_ path: String, _ keyPath: String) throws {
        let (name, key) = try readVerifier(keyPath)
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { throw fail(.noInput, "\(path) cannot be read") }
        do throws(ProofError) {
            let (event, head) = try InclusionProof(text: text).verified(with: key)
            print("the proof holds: event \(event.sequence) (\(event.type), \(event.time.rfc3339)) is in the log \(name) of \(head.size) events")
        } catch {
            throw fail(.checkFailed, "\(path) does not prove anything under \(keyPath): \(error)")
        }
    }
}

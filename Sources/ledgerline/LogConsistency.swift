import ArgumentParser
import Foundation
import Ledger
import OpenSSL

struct LogConsistency: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consistency", abstract: "Proves that the log only grew since an earlier checkpoint, or checks such a proof.",
        discussion: """
            Make one:   ledgerline log consistency --data ./data --from october.txt --out grew.txt
            Check one:  ledgerline log consistency --from october.txt --verify grew.txt --key log-signing.pub
            Checking needs neither the log nor a server. Example: ledgerline log consistency --data ./data --from-size 1000
            """)

    @Option(help: "The data directory.") var data: String?
    @Option(help: "The earlier checkpoint, a file.") var from: String?
    @Option(help: "The earlier size, where no checkpoint is at hand.") var fromSize: UInt64?
    @Option(help: "The later size (default: the head).") var toSize: UInt64?
    @Option(help: "File to write (default: standard output).") var out: String?
    @Option(help: "A proof file to check.") var verify: String?
    @Option(help: "The log's public key, keys/log-signing.pub.") var key: String?
    @Flag(help: "Accept that the later log is a restored copy of the earlier one, under another name.") var acrossRestore = false

    func validate() throws {
        if verify != nil {
            guard key != nil, from != nil else { throw ValidationError("--verify needs --from and --key") }
        } else {
            guard data != nil, (from == nil) != (fromSize == nil) else { throw ValidationError("give --data and one of --from and --from-size") }
        }
    }

    func run() async throws {
        if let verify, let key { try check(verify, key) } else if let data { try prove(OpenedLog(data)) }
    }

    private func prove(_ opened: OpenedLog) throws {
        let (name, key) = try opened.signer()
        let older = try from.map { try read($0, key.verifyingKey) }
        let size = toSize ?? opened.log.head
        let old = older?.size ?? fromSize ?? 0
        let proof: ConsistencyProof
        do throws(LedgerError) {
            let head = Checkpoint(origin: name, size: size, root: try opened.log.rootHash(size: size))
            proof = ConsistencyProof(old: old, path: try opened.log.consistencyProof(from: old, to: size), note: head.signed(with: key))
        } catch {
            throw fail(.data, "\(error)")
        }
        if let older { _ = try hold(proof, older, key.verifyingKey, "this log") }
        guard let out else { return print(proof.text, terminator: "") }
        do {
            try Data(proof.text.utf8).write(to: URL(fileURLWithPath: out), options: .atomic)
        } catch {
            throw fail(.cannotCreate, "\(out) cannot be written: \(error.localizedDescription)")
        }
        print("from \(old) to \(size) events: proof in \(out)")
    }

    private func check(_ path: String, _ keyPath: String) throws {
        let (_, key) = try readVerifier(keyPath)
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { throw fail(.noInput, "\(path) cannot be read") }
        guard let proof = try? ConsistencyProof(text: text), let from else { throw fail(.data, "\(path) is not a proof of consistency") }
        let newer = try hold(proof, try read(from, key), key, path)
        print("the proof holds: the log \(newer.origin) of \(newer.size) events holds the first \(proof.old) unchanged")
    }

    private func hold(_ proof: ConsistencyProof, _ older: Checkpoint, _ key: VerifyingKey, _ what: String) throws -> Checkpoint {
        do throws(ProofError) {
            return try proof.verified(from: older, with: key, isAcrossRestore: acrossRestore)
        } catch {
            throw fail(.checkFailed, "\(what) does not only add to the checkpoint of \(older.size) events: \(error)")
        }
    }

    private func read(_ path: String, _ key: VerifyingKey) throws -> Checkpoint {
        guard let note = try? String(contentsOfFile: path, encoding: .utf8) else { throw fail(.noInput, "\(path) cannot be read") }
        do throws(CheckpointError) {
            return try Checkpoint(note: note, key: key)
        } catch {
            throw fail(.checkFailed, "\(path) is not a checkpoint signed by this key: \(error)")
        }
    }
}

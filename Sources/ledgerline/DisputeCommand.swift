import ArgumentParser
import Dispute
import Foundation
import Model
import OpenSSL
import Primitives
import Projections

struct DisputeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dispute", abstract: "Makes one file that explains and proves a call's bill or an invoice, and checks such files.",
        discussion: """
            Example: ledgerline dispute --cdr 17 --data ./data --out cdr-17.json --html cdr-17.html
            Example: ledgerline dispute --invoice 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --data ./data --out invoice.jsonl
            Example: ledgerline dispute verify cdr-17.json --key log-signing.pub
            A pack holds the costs of every edge: it is for the platform, an auditor or a court, not for every customer.
            """,
        subcommands: [Make.self, Verify.self], defaultSubcommand: Make.self)

    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes the pack of a call, an invoice or a credit note.",
            discussion: """
                Example: ledgerline dispute make --cdr 17 --data ./data --out cdr-17.json --html cdr-17.html
                Example: ledgerline dispute make --invoice 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --data ./data --out invoice.jsonl --html invoice.html
                """)

        @Argument(help: "The call's id.") var call: String?
        @Option(help: "Number of the call's record.") var cdr: UInt64?
        @Option(help: "Id of an invoice or a credit note.") var invoice: String?
        @Option(help: "The data directory.") var data: String
        @Option(help: "File to write.") var out: String
        @Option(help: "Write a page for a person too.") var html: String?

        func validate() throws {
            guard [call != nil, cdr != nil, invoice != nil].count(where: { $0 }) == 1 else { throw ValidationError("give a call's id, --cdr or --invoice") }
        }

        func run() async throws {
            let opened = try OpenedLog(data)
            let views = try opened.views()
            if let invoice {
                guard let id = InvoiceID(invoice) else { throw fail(.data, "\(invoice) is not an id of an invoice") }
                return try makeInvoice(id, opened, views)
            }
            var named = NamedCall()
            (named.call, named.cdr) = (call, cdr)
            try makeCall(try named.id(views), opened, views)
        }

        private func makeCall(_ id: CallID, _ opened: OpenedLog, _ views: Views) throws {
            let (name, key) = try opened.signer()
            let pack: DisputePack
            let file: Data
            do throws(DisputeError) {
                pack = try PackMaker(log: opened.log, views: views, origin: name, key: key).pack(call: id, at: .current)
                file = try pack.encoded()
            } catch {
                throw fail(.data, "\(error)")
            }
            // What does not hold is not given away.
            let verdict: Verdict
            do throws(Contradiction) {
                verdict = try pack.verified(with: (name, key.verifyingKey))
            } catch {
                throw fail(.checkFailed, "the books contradict themselves about call \(id): \(error)")
            }
            try write(file, to: out)
            if let html { try write(Data(pack.page(.success(verdict)).utf8), to: html) }
            print("call \(id), record \(pack.explanation.record): \(pack.events.count) events with proofs in \(out)")
        }

        private func makeInvoice(_ id: InvoiceID, _ opened: OpenedLog, _ views: Views) throws {
            let (name, key) = try opened.signer()
            let pack: InvoicePack
            do throws(DisputeError) {
                pack = try InvoicePack(try InvoicePackMaker(log: opened.log, views: views, origin: name, key: key).pack(invoice: id, at: .current))
            } catch {
                throw fail(.data, "\(error)")
            }
            let checked: (verdict: Verdict, facts: InvoiceFacts)
            do throws(Contradiction) {
                checked = try pack.verified(with: (name, key.verifyingKey))
            } catch {
                throw fail(.checkFailed, "the books contradict themselves about invoice \(id): \(error)")
            }
            try write(pack.file, to: out)
            if let html { try write(Data(pack.page(.success(checked)).utf8), to: html) }
            print("\(checked.facts.issued.numberText): \(pack.head.events) events with one proof in \(out), \(pack.file.count) bytes")
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks a pack of a call or an invoice, without a server and without trust in the operator.",
            discussion: """
                Says what is proven and what is not; exit status 1 with the first contradiction.

                Example: ledgerline dispute verify cdr-17.json --key log-signing.pub
                """)

        @Argument(help: "The pack.") var file: String
        @Option(help: "The log's public key, as the operator publishes it (keys/log-signing.pub). Without it, the pack's own is taken.") var key: String?
        @Option(help: "Write a page for a person too.") var html: String?
        @Flag(help: "Print one JSON object.") var json = false

        func run() async throws {
            guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: file), options: .mappedIfSafe) else { throw fail(.noInput, "\(file) cannot be read") }
            let given = try key.map { try readVerifier($0) }
            let (outcome, page, kind) = try checked(bytes, given)
            if let html { try write(Data(page().utf8), to: html) }
            switch outcome {
            case .success(let verdict): try tell(verdict, kind, isKeyGiven: given != nil)
            case .failure(let contradiction):
                if json { try printJSON(["holds": false, "kind": kind, "contradiction": contradiction.description]) }
                throw fail(.checkFailed, "\(file) does not hold: \(contradiction)")
            }
        }

        /// What the file is, what comes of checking it, and how its page is made.
        private func checked(
            _ bytes: Data, _ given: (name: String, key: VerifyingKey)?
        ) throws -> (outcome: Result<Verdict, Contradiction>, page: () -> String, kind: String) {
            do throws(DisputeError) {
                guard InvoicePack.isOne(bytes) else {
                    let pack = try DisputePack(bytes)
                    let outcome = Result { () throws(Contradiction) in try pack.verified(with: given) }
                    return (outcome, { pack.page(outcome) }, "call")
                }
                let pack = try InvoicePack(bytes)
                let outcome = Result { () throws(Contradiction) in try pack.verified(with: given) }
                return (outcome.map(\.verdict), { pack.page(outcome) }, "invoice")
            } catch {
                throw fail(.data, "\(file): \(error)")
            }
        }

        private func tell(_ verdict: Verdict, _ kind: String, isKeyGiven: Bool) throws {
            var notProven = verdict.notProven
            if !isKeyGiven { notProven.insert("whose log it is: the key was taken from the pack itself, give --key", at: 0) }
            if json {
                return try printJSON(
                    ["holds": true, "kind": kind, "log": verdict.log, "size": verdict.size, "proven": verdict.proven, "not_proven": notProven])
            }
            print("the pack of \(kind == "call" ? "a call" : "an invoice") holds: nothing in it contradicts the log \(verdict.log) of \(verdict.size) events")
            print("\nproven:")
            for line in verdict.proven { print("  - \(line)") }
            print("\nnot proven:")
            for line in notProven { print("  - \(line)") }
        }
    }
}

private func write(_ data: Data, to path: String) throws {
    do {
        try data.write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
        throw fail(.cannotCreate, "\(path) cannot be written: \(error.localizedDescription)")
    }
}

import ArgumentParser
import Dispute
import Foundation
import Model
import OpenSSL
import Primitives
import Projections

struct DisputeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dispute", abstract: "Makes one file that explains and proves a call's bill, and checks such files.",
        discussion: """
            Example: ledgerline dispute --cdr 17 --data ./data --out cdr-17.json --html cdr-17.html
            Example: ledgerline dispute verify cdr-17.json --key log-signing.pub
            A pack holds the costs of every edge: it is for the platform, an auditor or a court, not for every customer.
            """,
        subcommands: [Make.self, Verify.self], defaultSubcommand: Make.self)

    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes the pack of a call.",
            discussion: "Example: ledgerline dispute make --cdr 17 --data ./data --out cdr-17.json --html cdr-17.html")

        @OptionGroup var named: NamedCall
        @Option(help: "The data directory.") var data: String
        @Option(help: "File to write.") var out: String
        @Option(help: "Write a page for a person too.") var html: String?

        func run() async throws {
            let opened = try OpenedLog(data)
            let (name, key) = try opened.signer()
            let views = try opened.views()
            let id = try named.id(views)
            let pack: DisputePack
            let file: Data
            do throws(DisputeError) {
                let now = WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
                pack = try PackMaker(log: opened.log, views: views, origin: name, key: key).pack(call: id, at: now)
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
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks a pack, without a server and without trust in the operator.",
            discussion: """
                Says what is proven and what is not; exit status 1 with the first contradiction.

                Example: ledgerline dispute verify cdr-17.json --key log-signing.pub
                """)

        @Argument(help: "The pack.") var file: String
        @Option(help: "The log's public key, as the operator publishes it (keys/log-signing.pub). Without it, the pack's own is taken.") var key: String?
        @Option(help: "Write a page for a person too.") var html: String?
        @Flag(help: "Print one JSON object.") var json = false

        func run() async throws {
            guard let bytes = FileManager.default.contents(atPath: file) else { throw fail(.noInput, "\(file) cannot be read") }
            let given = try key.map { try readVerifier($0) }
            let pack: DisputePack
            do throws(DisputeError) {
                pack = try DisputePack(bytes)
            } catch {
                throw fail(.data, "\(file): \(error)")
            }
            let outcome: Result<Verdict, Contradiction>
            do throws(Contradiction) {
                outcome = .success(try pack.verified(with: given))
            } catch {
                outcome = .failure(error)
            }
            if let html { try write(Data(pack.page(outcome).utf8), to: html) }
            switch outcome {
            case .success(let verdict): try tell(verdict, isKeyGiven: given != nil)
            case .failure(let contradiction):
                if json { try printJSON(["holds": false, "contradiction": contradiction.description]) }
                throw fail(.checkFailed, "\(file) does not hold: \(contradiction)")
            }
        }

        private func tell(_ verdict: Verdict, isKeyGiven: Bool) throws {
            var notProven = verdict.notProven
            if !isKeyGiven { notProven.insert("whose log it is: the key was taken from the pack itself, give --key", at: 0) }
            if json {
                return try printJSON(["holds": true, "log": verdict.log, "size": verdict.size, "proven": verdict.proven, "not_proven": notProven])
            }
            print("the pack holds: nothing in it contradicts the log \(verdict.log) of \(verdict.size) events")
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

import ArgumentParser
import ControlAPI
import ControlPlane
import Foundation
import Ledger
import Primitives
import Projections

struct AsOf: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "as-of", abstract: "Answers a question as it would have been answered at an earlier time.",
        discussion: """
            MOMENT is a time (RFC 3339) or a sequence of the log. Reads the data directory, beside a running control
            plane or without one; nothing in it is changed. Prints what the API answers.

              balance CUSTOMER               what the customer's account stood at
              price DECK NUMBER              what a minute to the number cost
              route SUBSCRIBER DIALLED       what a call would have done
              permission SUBSCRIBER [NUMBER] whether it was allowed to register, and to call the number
              show KIND [ID]                 an entity, or a list: customers, tenants, subscribers, numbers, carriers ...
              history ID                     who had set it until then, and when
              get PATH [NAME=VALUE ...]      any GET of the API

            Example: ledgerline as-of 2026-10-31T23:59:59Z balance 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --data ./data
            Example: ledgerline as-of 41000000 get /v1/cdrs limit=5 --data ./data
            """)

    enum Question: String, ExpressibleByArgument, CaseIterable {
        case balance, price, route, permission, show, history, get
    }

    @Argument(help: "A time or a sequence.") var moment: String
    @Argument(help: "What is asked.") var question: Question
    @Argument(help: "What it is asked about.") var subjects: [String] = []
    @Option(help: "The data directory.") var data: String
    @Flag(help: "Print one line of JSON.") var json = false

    func run() async throws {
        guard let moment = Moment(moment) else {
            throw ValidationError("\(moment) is neither a time, such as 2026-10-31T23:59:59Z, nor a sequence")
        }
        let request = try request()
        let opened = try OpenedLog(data)
        let views = try opened.views()
        let answer: PastAPI.Answer
        let sequence: UInt64
        do {
            sequence = try moment.sequence(in: opened.log, now: .current)
            let store = SnapshotStore(directory: opened.directory.snapshots, keys: views.keys)
            let work = FileManager.default.temporaryDirectory.appendingPathComponent("ledgerline-as-of-\(UUID().uuidString)").path
            defer { try? FileManager.default.removeItem(atPath: work) }
            var progress = Progress("as-of")
            let states = try store.states(asOf: sequence, log: opened.log, work: work) { progress.tell($0, of: $1) }
            progress.end()
            for (sequence, fault) in store.faults.sorted(by: { $0.key < $1.key }) {
                note("the snapshot at \(sequence) is ignored (\(fault.rawValue)); `ledgerline snapshot` writes a new one")
            }
            answer = try await PastAPI(states, at: moment, views: views, log: opened.log)
                .ask(request.path, request.query, body: request.body)
        } catch let error as PastError {
            throw fail(.data, AsOf.reason(error))
        } catch let error as ViewsError {
            throw fail(.inputOutput, "the past cannot be read: \(error)")
        }
        note("as of sequence \(sequence)")
        if json {
            print(answer.text)
        } else {
            let value = try JSONSerialization.jsonObject(with: Data(answer.text.utf8), options: .fragmentsAllowed)
            let data = try JSONSerialization.data(
                withJSONObject: value, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes, .fragmentsAllowed])
            print(String(decoding: data, as: UTF8.self))
        }
        if answer.status >= 400 { throw ExitCode(ExitStatus.checkFailed.rawValue) }
    }

    /// The question as the API takes it.
    private func request() throws -> (path: String, query: [(name: String, value: String)], body: String?) {
        func subject(_ index: Int, _ what: String) throws -> String {
            guard index < subjects.count else { throw ValidationError("\(question.rawValue) needs \(what)") }
            return subjects[index]
        }
        switch question {
        case .balance: return ("/v1/customers/\(try subject(0, "a customer's id"))/balance", [], nil)
        case .price:
            let number = try subject(1, "a number")
            return ("/v1/rate-decks/\(try subject(0, "a rate deck's id"))/price", [("number", number)], nil)
        case .route:
            let body = try JSONSerialization.data(withJSONObject: ["dialled": try subject(1, "what is dialled")])
            let path = "/v1/subscribers/\(try subject(0, "a subscriber's id"))/route"
            return (path, [], String(decoding: body, as: UTF8.self))
        case .permission:
            let query = subjects.count > 1 ? [(name: "number", value: subjects[1])] : []
            return ("/v1/subscribers/\(try subject(0, "a subscriber's id"))/permission", query, nil)
        case .show:
            let kind = try subject(0, "a kind: \(PastAPI.kinds.joined(separator: ", "))")
            guard PastAPI.kinds.contains(kind) else {
                throw ValidationError("\(kind) is no kind; there are \(PastAPI.kinds.joined(separator: ", "))")
            }
            return ("/v1/\(kind)" + (subjects.count > 1 ? "/\(subjects[1])" : ""), [], nil)
        case .history: return ("/v1/entities/\(try subject(0, "an id"))/history", [], nil)
        case .get:
            let query = subjects.dropFirst().map { pair in
                let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (name: String(sides[0]), value: sides.count == 2 ? String(sides[1]) : "")
            }
            return (try subject(0, "a path, such as /v1/cdrs"), query, nil)
        }
    }

    static func reason(_ error: PastError) -> String {
        switch error {
        case .beyondHead(let asked, let head): "sequence \(asked) is not in the log; its last is \(head)"
        case .inTheFuture(let time): "\(time.rfc3339) has not come yet"
        case .busy: "too many questions at once; ask again in a moment"
        case .views(let error): "the past cannot be read: \(error)"
        }
    }
}

/// A line on standard error.
func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

extension WallTime {
    /// The machine's clock.
    static var current: WallTime { WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }
}

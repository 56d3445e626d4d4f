import ArgumentParser
import Foundation
import Ledger
import Model
import Primitives
import Projections
import Subjects
import SwiftProtobuf

struct LogTail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Prints events as they are recorded.",
        discussion: "Example: ledgerline log tail --data ./data --last 20 --follow")

    @Option(help: "The data directory.") var data: String
    @Option(help: "First sequence to print.") var from: UInt64?
    @Option(help: "How many of the newest to print.") var last: UInt64 = 10
    @Flag(help: "Go on as events come.") var follow = false
    @Flag(help: "One JSON object a line, with the payload.") var json = false

    func run() async throws {
        let opened = try OpenedLog(data)
        // What belongs to natural persons is shown to whoever may read the keys.
        let keys = json ? try opened.subjectKeys() : nil
        let head = opened.log.head
        var next = from ?? (head >= last ? head - last + 1 : 1)
        while true {
            do throws(LedgerError) {
                try opened.log.read(from: next) { envelope in
                    show(envelope, keys)
                    next = envelope.sequence + 1
                    return true
                }
            } catch {
                throw fail(.inputOutput, "\(error)")
            }
            flushOutput()
            guard follow else { return }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func show(_ envelope: Envelope, _ keys: SubjectKeys?) {
        let origin = (try? keys?.open(origin: envelope.origin, cause: envelope.cause)) ?? Origin()
        guard json else {
            return print("\(envelope.sequence)  \(envelope.time.rfc3339)  \(envelope.type)  \(envelope.stream) v\(envelope.version)  by \(envelope.actor)"
                    + (origin.address.isEmpty ? "" : " from \(origin.address)"))
        }
        var line: [String: Any] = [
            "sequence": envelope.sequence, "time": envelope.time.rfc3339, "type": envelope.type, "stream": "\(envelope.stream)",
            "version": envelope.version, "actor": envelope.actor, "cause": envelope.cause, "commit": envelope.commit,
            "address": origin.address, "on_behalf_of": origin.onBehalfOf, "acting_for": origin.actingFor,
        ]
        if let event = try? Event(opening: envelope, keys),
            let text = try? event.message.jsonUTF8Data(), let payload = try? JSONSerialization.jsonObject(with: text)
        {
            line["payload"] = payload
        }
        try? printJSON(line)
    }
}

import Foundation
import Tables

extension DisputePack {
    /// The pack as a page for a person.
    ///
    /// - Parameter outcome: of a check; nil: it was not checked.
    package func page(_ outcome: Result<Verdict, Contradiction>?) -> String {
        let call = explanation
        var page = HTMLPage(title: "Call record \(call.record)")
        page.heading("Call record \(call.record)", level: 1)
        let called = call.called.isEmpty ? stated.called : call.called
        let caller = call.caller.isEmpty ? stated.caller : call.caller
        page.paragraph(
            "From \(caller.isEmpty ? "an unknown number" : caller) to \(called.isEmpty ? "an unknown number" : called), \(call.startedAt): "
                + (call.answeredAt.isEmpty ? "not answered, \(words(call.cause))." : "\(seconds(call.milliseconds)) s from answer to end, \(words(call.cause))."))
        for charge in call.charges { page.paragraph("\(charge.edge.prefix(1).uppercased() + charge.edge.dropFirst()): \(charge.amount) \(charge.currency) for \(charge.billedSeconds) s.") }
        switch outcome {
        case .success(let verdict)?:
            page.paragraph("Checked: nothing in this pack contradicts the signed log.", kind: "good")
            page.heading("What is proven")
            for line in verdict.proven { page.paragraph(sentence(line)) }
            page.heading("What is not proven")
            for line in verdict.notProven { page.paragraph(sentence(line)) }
        case .failure(let contradiction)?:
            page.paragraph("This pack does not hold: \(contradiction).", kind: "bad")
        case nil:
            page.paragraph("Not checked here. ledgerline dispute verify checks the file that this page was made from, without a server.")
        }
        page.heading("The call")
        page.facts([
            ("Call", call.call), ("Direction", words(call.direction)), ("Caller", caller), ("Dialled", call.dialled.isEmpty ? stated.dialled : call.dialled), ("Called", called),
            ("Made by the rule", call.dialRule.isEmpty ? "none" : call.dialRule), ("Started", call.startedAt), ("Answered", call.answeredAt.isEmpty ? "never" : call.answeredAt),
            ("Ended", call.endedAt), ("Ended because", "\(words(call.cause)), SIP \(call.sipStatus)"),
        ])
        page.heading("What happened")
        page.table(["At", "What", "Event", "Recorded"], call.milestones.map { [$0.at, named($0.what, withID: false), "\($0.sequence)", $0.recordedAt] }, figures: [2])
        if !call.attempts.isEmpty {
            page.heading("Route tried")
            page.table(
                ["Target", "Gateway or subscriber", "Started", "Rang", "Ended", "SIP", "Reason"],
                call.attempts.map {
                    [
                        $0.target, named($0.gateway, withID: false), clock($0.startedAt), $0.ringingAt.isEmpty ? "never" : clock($0.ringingAt), clock($0.endedAt),
                        "\($0.status)", $0.reason,
                    ]
                }, figures: [5])
        }
        if !call.media.isEmpty {
            page.heading("Media")
            page.table(
                ["Side", "Packets heard", "Bytes heard", "Packets sent", "Bytes sent", "Dropped", "Last packet"],
                call.media.map { [$0.leg, "\($0.packetsIn)", "\($0.bytesIn)", "\($0.packetsOut)", "\($0.bytesOut)", "\($0.dropped)", $0.lastPacketAt.isEmpty ? "none" : $0.lastPacketAt] },
                figures: [1, 2, 3, 4, 5])
            for leg in call.media { page.paragraph(sentence(leg.words)) }
        }
        for charge in call.charges {
            page.heading("Charge: \(charge.edge)")
            page.facts([
                ("Deck", "\(named(charge.deck)), version \(charge.version)"), ("Row", row(charge.chosen)), ("From", named(charge.payer)), ("To", named(charge.payee)),
            ])
            if charge.candidates.count > 1 {
                page.paragraph("Rows whose prefix the number begins with; the longest is taken:")
                page.table(
                    ["Prefix", "Destination", "Connection fee", "A minute", "Increments"],
                    charge.candidates.map { [$0.prefix, $0.destination, $0.connectionFee, $0.perMinute, $0.increments] }, figures: [2, 3, 4])
            }
            for (number, step) in charge.steps.enumerated() { page.paragraph("\(number + 1). \(step)") }
        }
        if !stated.balances.isEmpty {
            page.heading("Balances, as the operator states them")
            page.table(
                ["Account", "Owner", "Before", "Movement", "After", "", "Event"],
                stated.balances.map { [$0.account, $0.name, $0.before, $0.amount, $0.after, $0.currency, "\($0.sequence)"] }, figures: [2, 3, 4, 6])
        }
        page.heading("Corrections")
        if call.corrections.isEmpty { page.paragraph("None up to the signed head.") }
        for correction in call.corrections {
            page.paragraph("Event \(correction.sequence), recorded \(correction.recordedAt): \(correction.reason)")
            page.table(["Account", "Movement", ""], correction.movements.map { [$0.account, $0.amount, $0.currency] }, figures: [1])
        }
        page.heading("Events and the signed head")
        page.table(["Event", "Type", "Why it is here", "Bytes", "Hashes in its proof"], events.map { ["\($0.sequence)", $0.type, $0.role.rawValue, "\($0.envelope.utf8.count / 4 * 3)", "\($0.path.count)"] }, figures: [0, 3, 4])
        page.preformatted(checkpoint)
        page.paragraph("Made \(madeAt) from the log \(log). Verifier key in the pack: \(key)")
        return page.text
    }

    private func row(_ candidate: CallExplanation.Candidate) -> String {
        "\"\(candidate.prefix)\" \(candidate.destination): \(candidate.connectionFee) + \(candidate.perMinute) a minute, increments \(candidate.increments)"
    }

    /// Ids with the names that the operator states.
    private func named(_ text: String, withID: Bool = true) -> String {
        var text = text
        for name in stated.names {
            guard let range = text.range(of: name.id) else { continue }
            text.replaceSubrange(range, with: withID ? "\(name.name) (\(name.id))" : name.name)
        }
        return text
    }

    /// The time of day of a time, in UTC with milliseconds: the date is at the top of the page.
    private func clock(_ time: String) -> String { String(time.dropFirst(11).prefix(12)) }

    private func words(_ literal: String) -> String { literal.split(separator: "_").joined(separator: " ") }

    private func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }

    private func seconds(_ milliseconds: UInt64) -> String {
        "\(milliseconds / 1_000).\("\(1_000 + milliseconds % 1_000)".dropFirst())"
    }
}

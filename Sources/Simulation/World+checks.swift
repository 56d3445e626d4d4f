import ControlPlane
import Foundation
import Ledger
import MediaWorker
package import Model
import OpenSSL
import Primitives
import Projections
import SignalWorker

/// What must hold after every world, whatever happened in it.
package struct WorldFinding: Hashable, Sendable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

extension World {
    /// Empty: all is well.
    package func findings() throws -> [WorldFinding] {
        guard let control else { return [WorldFinding("the control plane is down")] }
        var findings: [WorldFinding] = []
        func check(_ holds: Bool, _ text: @autoclosure () -> String) {
            if !holds { findings.append(WorldFinding(text())) }
        }
        let facts = try readLog(control.log)
        for (call, started) in facts.started.sorted(by: { $0.key < $1.key }) {
            check(started == 1, "call \(call) was started \(started) times")
            check(facts.ended[call] == 1, "call \(call) has \(facts.ended[call] ?? 0) ends")
            check(facts.cdrs[call] == 1, "call \(call) has \(facts.cdrs[call] ?? 0) records")
        }
        for call in facts.ended.keys.sorted() where facts.started[call] == nil { check(false, "call \(call) ended without a start") }
        check(facts.numbers == Array(1...UInt64(max(1, facts.numbers.count))).prefix(facts.numbers.count).map { $0 }, "CDR numbers have a gap: \(facts.numbers)")
        for (call, answered) in facts.answered.sorted(by: { $0.key < $1.key }) {
            check(facts.answeredCDRs[call] == answered, "call \(call) was answered at \(answered), its record says \(facts.answeredCDRs[call] ?? 0)")
        }
        for position in acknowledged { check(position <= control.log.recorded.head, "position \(position) was acknowledged and is not there") }

        try control.views.read { (views: borrowing ViewSnapshot) throws(ViewsError) in
            for balance in try views.trialBalance() { check(balance.micros == 0, "accounts in \(balance.currency) sum to \(balance.micros)") }
            for state in try views.accounts(limit: 1_000) {
                check(state.heldMicros == 0, "account \(state.account) still holds \(state.heldMicros)")
                check(state.account.kind != .customer || state.balanceMicros >= 0, "a prepaid customer stands at \(state.balanceMicros)")
            }
            check(try views.liveCalls(limit: 10).isEmpty, "calls are still live")
        }
        let report = try LogVerifier(control.log).run()
        check(report.isIntact, "the log is not intact: \(String(describing: report.finding))")
        let replay = try control.views.check(against: control.log, replayingInto: directory + "/replay")
        check(replay.difference == nil, "views differ from a replay: \(String(describing: replay.difference))")

        for node in signals where node.machine != nil {
            check(node.machine?.callCount == 0, "\(node.name) still carries \(node.machine?.callCount ?? 0) calls")
            check(node.outbox.isEmpty, "\(node.name) has \(node.outbox.count) facts that were not acknowledged")
        }
        for node in medias { check(node.studio?.sessionCount ?? 0 == 0, "\(node.name) has \(node.studio?.sessionCount ?? 0) sessions open") }
        for phone in phones { check(phone.openCalls == 0, "phone \(phone.name) is still in a call: \(phone.openCallsText)") }
        return findings
    }

    /// The tree head: equal for two runs of one seed.
    package func rootHash() throws -> [UInt8] {
        guard let control else { return [] }
        return try control.log.rootHash(size: control.log.head).bytes
    }

    /// What a world did, for tests that expect something of it.
    package var summary: (calls: Int, answeredByPhones: Int, registered: Int) {
        let seen = phones.flatMap(\.sightings)
        return (seen.filter(\.isCaller).count, seen.filter { !$0.isCaller && $0.answeredAt != nil }.count, phones.filter(\.isRegistered).count)
    }

    package func records() throws -> [Cdr] {
        guard let control else { return [] }
        return try control.views.read { (views: borrowing ViewSnapshot) throws(ViewsError) in try views.cdrs(limit: 1_000) }
    }

    private struct Facts {
        var started: [CallID: Int] = [:]
        var answered: [CallID: Int64] = [:]
        var ended: [CallID: Int] = [:]
        var cdrs: [CallID: Int] = [:]
        var answeredCDRs: [CallID: Int64] = [:]
        var numbers: [UInt64] = []
    }

    private func readLog(_ log: LMDBEventLog) throws -> Facts {
        var facts = Facts()
        var undecodable: [UInt64] = []
        try log.read(from: 1) { envelope in
            guard let event = try? Model.Event(closed: envelope) else {
                undecodable.append(envelope.sequence)
                return true
            }
            switch event {
            case .callStarted(let fact): if let id = CallID(fact.callID) { facts.started[id, default: 0] += 1 }
            case .callAnswered(let fact): if let id = CallID(fact.callID) { facts.answered[id] = fact.answeredAt }
            case .callEnded(let fact): if let id = CallID(fact.callID) { facts.ended[id, default: 0] += 1 }
            case .cdrRecorded(let fact):
                facts.numbers.append(fact.cdr.number)
                guard let id = CallID(fact.cdr.callID) else { return true }
                facts.cdrs[id, default: 0] += 1
                facts.answeredCDRs[id] = fact.cdr.answeredAt
            default: break
            }
            return true
        }
        precondition(undecodable.isEmpty, "our own events can be read: \(undecodable)")
        return facts
    }
}

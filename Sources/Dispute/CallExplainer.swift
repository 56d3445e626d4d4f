import Foundation
package import Ledger
package import Model
import Primitives
package import Projections
import Rating

/// Finds the events of a call and says what follows from them: for packs, and for whoever asks how a charge came about.
package struct CallExplainer {
    private let log: any EventLog
    private let views: Views

    /// A deck's version that is larger is left out: the price that was agreed is in the call's first event.
    private static let deckBytesMax = 4 << 20
    private static let eventsMax = 10_000

    package init(log: any EventLog, views: Views) {
        self.log = log
        self.views = views
    }

    /// By what the log recorded. Of a price list that is not one event the rows that the number fits are looked up in the views.
    package func explanation(of call: CallID) throws(DisputeError) -> CallExplanation {
        let (cdr, entries) = try events(of: call, size: log.head)
        var explanation: CallExplanation
        let number = cdr.calledE164.isEmpty ? cdr.called.number : cdr.calledE164
        do throws(Contradiction) {
            explanation = try CallExplanation(try CallEvents(entries.map { ($0.envelope, $0.role) }), number: number)
        } catch {
            throw .storage("the events of call \(call) do not fit together: \(error)")
        }
        if explanation.caller.isEmpty { explanation.caller = cdr.caller.number }
        if explanation.called.isEmpty { explanation.called = number }
        if explanation.dialled.isEmpty { explanation.dialled = cdr.dialled }
        try name(&explanation)
        let patterns = RowPatterns()
        for index in explanation.charges.indices where explanation.charges[index].candidates.isEmpty {
            guard let deck = RateDeckID(explanation.charges[index].deck) else { continue }
            let digits = String(number.drop { $0 == "+" })
            let version = explanation.charges[index].version
            explanation.charges[index].candidates = try reading { views throws(ViewsError) in
                guard !digits.isEmpty, let rows = try views.deckRows(deck, version: version) else { return [] }
                let head = try views.deckVersion(deck, version)
                return try views.rateCandidates(in: rows, digits: digits, matches: { patterns.matches($0, digits: digits) })
                    .map { CallExplanation.Candidate($0, head) }
            }
        }
        return explanation
    }

    /// Puts in what carriers and gateways are called today.
    private func name(_ explanation: inout CallExplanation) throws(DisputeError) {
        var carriers = Set(explanation.route?.map(\.carrier) ?? [])
        let gateways = Set(explanation.attempts.map(\.gateway) + (explanation.route?.map(\.gateway) ?? []))
        let names = try reading { views throws(ViewsError) in
            var names: [String: String] = [:]
            for id in gateways {
                guard let gateway = GatewayID(id), let carrier = try views.carrier(gateway: gateway) else { continue }
                names[id] = carrier.gateways.first { $0.id == gateway.data }?.name
                if let id = UUIDv7(bytes: carrier.id) { carriers.insert(id.description) }
            }
            for id in carriers {
                if let carrier = CarrierID(id) { names[id] = try views.carrier(carrier)?.name }
            }
            return names
        }
        for index in explanation.attempts.indices { explanation.attempts[index].name = names[explanation.attempts[index].gateway] }
        explanation.route = explanation.route?.map { step in
            var step = step
            (step.carrierName, step.gatewayName) = (names[step.carrier], names[step.gateway])
            return step
        }
    }

    /// The record and the events that tell of it, in the order of the log.
    func events(
        of call: CallID, size: UInt64
    ) throws(DisputeError) -> (Cdr, [(bytes: [UInt8], envelope: Envelope, role: DisputePack.Role)]) {
        let (cdr, history) = try reading { views throws(ViewsError) in
            (try views.cdr(call: call), try views.history(of: call.value, limit: Self.eventsMax))
        }
        guard let cdr else { throw .noRecord("there is no record of call \(call): it is not known, or has not ended") }
        var found: [UInt64: (bytes: [UInt8], envelope: Envelope, role: DisputePack.Role)] = [:]
        for sequence in history where sequence <= size {
            guard let (bytes, envelope) = try event(sequence) else { continue }
            if envelope.stream == call.value {
                found[sequence] = (bytes, envelope, .call)
            } else if envelope.type == "journal.posted" {
                found[sequence] = (bytes, envelope, .correction)
            }
        }
        for charge in cdr.charges {
            guard let sequence = try deckSequence(charge), sequence <= size, let (bytes, envelope) = try event(sequence), bytes.count <= Self.deckBytesMax
            else { continue }
            found[sequence] = (bytes, envelope, .deck)
        }
        return (cdr, found.values.sorted { $0.envelope.sequence < $1.envelope.sequence })
    }

    private func event(_ sequence: UInt64) throws(DisputeError) -> ([UInt8], Envelope)? {
        do throws(LedgerError) {
            guard let bytes = try log.bytes(at: sequence), let envelope = unsafe Envelope(parsing: bytes.span.bytes) else { return nil }
            return (bytes, envelope)
        } catch {
            throw .storage("event \(sequence) cannot be read: \(error)")
        }
    }

    static func decoded(_ envelope: Envelope) -> Event? {
        try? Event(storedType: envelope.type, schemaVersion: envelope.schemaVersion, payload: envelope.payload)
    }

    /// The event by which a charge's deck version was published.
    private func deckSequence(_ charge: Charge) throws(DisputeError) -> UInt64? {
        guard let deck = RateDeckID(charge.deckID) else { return nil }
        var before: UInt64?
        do throws(LedgerError) {
            while true {
                let page = try log.history(of: deck.value, before: before, limit: 8)
                for envelope in page where envelope.type == "rate_deck.version_published" {
                    guard case .rateDeckVersionPublished(let event)? = Self.decoded(envelope) else { continue }
                    if event.version.version == charge.deckVersion { return envelope.sequence }
                }
                guard let last = page.last else { return nil }
                before = last.sequence
            }
        } catch {
            throw .storage("the history of deck \(deck) cannot be read: \(error)")
        }
    }

    func reading<R>(_ body: (borrowing ViewSnapshot) throws(ViewsError) -> R) throws(DisputeError) -> R {
        do throws(ViewsError) {
            return try views.read(body)
        } catch {
            throw .storage("the views cannot be read: \(error)")
        }
    }
}

import Foundation
package import Ledger
package import Model
package import OpenSSL
package import Primitives
package import Projections

/// Makes the pack of a call from the log and the views.
package struct PackMaker {
    private let log: any EventLog
    private let views: Views
    private let origin: String
    private let key: SigningKey

    package init(log: any EventLog, views: Views, origin: String, key: SigningKey) {
        self.log = log
        self.views = views
        self.origin = origin
        self.key = key
    }

    /// - Parameter time: when the pack is made.
    package func pack(call: CallID, at time: WallTime) throws(DisputeError) -> DisputePack {
        let explainer = CallExplainer(log: log, views: views)
        let size = log.head
        let (cdr, entries) = try explainer.events(of: call, size: size)
        var proven: [DisputePack.ProvenEvent] = []
        let checkpoint: String
        do throws(LedgerError) {
            for (bytes, envelope, role) in entries {
                let path = try log.inclusionProof(of: envelope.sequence, size: size)
                proven.append(
                    DisputePack.ProvenEvent(
                        sequence: envelope.sequence, role: role, type: envelope.type, envelope: Base64.encode(bytes), path: path.map { Base64.encode($0.bytes) }))
            }
            checkpoint = Checkpoint(origin: origin, size: size, root: try log.rootHash(size: size)).signed(with: key)
        } catch {
            throw .storage("the log cannot be read: \(error)")
        }
        let stated = try stated(cdr, entries.map(\.envelope))
        let explanation: CallExplanation
        do throws(Contradiction) {
            explanation = try CallExplanation(try CallEvents(entries.map { ($0.envelope, $0.role) }), number: stated.called)
        } catch {
            throw .storage("the events of call \(call) do not fit together: \(error)")
        }
        var pack = DisputePack(
            madeAt: time.rfc3339, log: origin, key: key.verifyingKey.noteKey(name: origin), checkpoint: checkpoint, events: proven, explanation: explanation, stated: stated)
        pack.signature = PackSignature.sign(try pack.signedBody(), name: origin, key)
        return pack
    }

    // MARK: - what is stated

    private func stated(_ cdr: Cdr, _ envelopes: [Envelope]) throws(DisputeError) -> StatedFacts {
        try reading { views throws(ViewsError) in
            var stated = StatedFacts()
            stated.caller = cdr.caller.number
            stated.called = cdr.calledE164.isEmpty ? cdr.called.number : cdr.calledE164
            stated.dialled = cdr.dialled
            for envelope in envelopes where envelope.type == "journal.posted" {
                guard case .journalPosted(let journal)? = CallExplainer.decoded(envelope) else { continue }
                var seen: [AccountRef] = []
                for posting in journal.postings where !seen.contains(posting.account) {
                    seen.append(posting.account)
                    let movements = try views.postings(of: posting.account, after: (envelope.sequence - 1, .max), limit: journal.postings.count)
                    for movement in movements where movement.sequence == envelope.sequence {
                        stated.balances.append(try balance(movement, posting.account, in: views))
                    }
                }
            }
            stated.names = try names(cdr, in: views)
            return stated
        }
    }

    private func balance(
        _ movement: AccountPosting, _ account: AccountRef, in views: borrowing ViewSnapshot
    ) throws(ViewsError) -> StatedFacts.Balance {
        func text(_ micros: Int64) -> String { CallExplanation.amount(micros, account.currency, withCode: false) }
        let owner =
            switch account.kind {
            case .customer: try CustomerID(account.ownerID).flatMap { id throws(ViewsError) in try views.customer(id)?.name }
            case .carrierPayable: try CarrierID(account.ownerID).flatMap { id throws(ViewsError) in try views.carrier(id)?.name }
            case .providerRevenue, .providerPayable, .carrierCost, .cash, .providerCost, .providerTax, .providerReceivable:
                try ProviderID(account.ownerID).flatMap { id throws(ViewsError) in try views.provider(id)?.name }
            case .platformRevenue, .UNRECOGNIZED: nil as String?
            }
        return StatedFacts.Balance(
            account: account.text, name: owner ?? "", sequence: movement.sequence, amount: text(movement.amountMicros),
            before: text(movement.balanceMicros - movement.amountMicros), after: text(movement.balanceMicros), currency: account.currency)
    }

    private func names(_ cdr: Cdr, in views: borrowing ViewSnapshot) throws(ViewsError) -> [StatedFacts.Name] {
        var names: [StatedFacts.Name] = []
        func add(_ id: Data, _ kind: String, _ name: String?) {
            let id = CallExplanation.id(id)
            guard !id.isEmpty, let name, !name.isEmpty, !names.contains(where: { $0.id == id }) else { return }
            names.append(StatedFacts.Name(id: id, kind: kind, name: name))
        }
        for party in [cdr.caller, cdr.called] {
            if let id = ProviderID(party.providerID) { add(party.providerID, "provider", try views.provider(id)?.name) }
            if let id = CustomerID(party.customerID) { add(party.customerID, "customer", try views.customer(id)?.name) }
            if let id = TenantID(party.tenantID) { add(party.tenantID, "tenant", try views.tenant(id)?.name) }
            if let id = SubscriberID(party.subscriberID) { add(party.subscriberID, "subscriber", try views.subscriber(id)?.username) }
            if let id = CarrierID(party.carrierID), let carrier = try views.carrier(id) {
                add(party.carrierID, "carrier", carrier.name)
                for gateway in carrier.gateways { add(gateway.id, "gateway", gateway.name) }
            }
        }
        for charge in cdr.charges {
            if let id = RateDeckID(charge.deckID) { add(charge.deckID, "rate deck", try views.rateDeck(id)?.name) }
        }
        return names
    }

    private func reading<R>(_ body: (borrowing ViewSnapshot) throws(ViewsError) -> R) throws(DisputeError) -> R {
        try CallExplainer(log: log, views: views).reading(body)
    }
}

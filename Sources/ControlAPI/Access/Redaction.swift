import ControlPlane
import Foundation
import Model
import Primitives
import Projections

/// What of a call's record a token may see. Both sides of a call see the call; nobody below the platform sees the other
/// side's ids, addresses or money, and nobody below a provider the number of a caller who does not show it.
struct Redaction {
    let reach: Reach
    /// Providers that the token reaches; empty for the platform, which sees everything.
    private let providers: Set<Data>

    init(_ reach: Reach, in views: borrowing ViewSnapshot) throws(ViewsError) {
        self.reach = reach
        switch reach {
        case .provider(let id): providers = Set(try views.subtree(of: id).map { Data($0.bytes) })
        case .platform, .customer, .tenant, .subscriber: providers = []
        }
    }

    func sees(_ party: CallParty) -> Bool {
        switch reach {
        case .platform: true
        case .provider: providers.contains(party.providerID)
        case .customer(let id): party.customerID == id.data
        case .tenant(let id): party.tenantID == id.data
        case .subscriber(let id): party.subscriberID == id.data
        }
    }

    /// nil: neither side is the token's.
    func seen(_ cdr: Cdr, in views: borrowing ViewSnapshot) throws(ViewsError) -> Cdr? {
        guard sees(cdr.caller) || sees(cdr.called) else { return nil }
        guard reach != .platform else { return cdr }
        var seen = cdr
        seen.caller = shown(cdr.caller, isWithheld: cdr.isAnonymous)
        seen.called = shown(cdr.called)
        seen.attempts = cdr.attempts.map { attempt in
            guard !isOurs(attempt, of: cdr) else { return attempt }
            var shown = attempt
            shown.target = ""
            shown.gatewayID = Data()
            shown.subscriberID = Data()
            return shown
        }
        if !sees(cdr.called) {
            seen.answeredGatewayID = Data()
            seen.answeredSubscriberID = Data()
        }
        seen.charges = []
        for charge in cdr.charges {
            let isPayer = try sees(charge.payer, in: views)
            let isPayee = try sees(charge.payee, in: views)
            if isPayer || isPayee { seen.charges.append(charge) }
        }
        if seen.charges.isEmpty { seen.journalID = Data() }
        if !isProvider {
            seen.worker = ""
            seen.media.mediaWorker = ""
        }
        return seen
    }

    /// nil: neither side is the token's.
    func seen(_ call: LiveCall) -> LiveCall? {
        guard sees(call.started.caller) || sees(call.started.called) else { return nil }
        guard reach != .platform else { return call }
        var seen = call
        seen.started.caller = shown(call.started.caller, isWithheld: call.started.isAnonymous)
        seen.started.called = shown(call.started.called)
        if !isProvider {
            seen.worker = ""
            seen.snapshot.mediaWorker = ""
        }
        if !sees(call.started.caller) { seen.hold = CreditHold() }
        return seen
    }

    func sees(_ account: AccountRef, in views: borrowing ViewSnapshot) throws(ViewsError) -> Bool {
        guard reach != .platform else { return true }
        guard let owner = UUIDv7(bytes: account.ownerID) else { return false }
        switch account.kind {
        case .customer: return try holds(.customer, owner, in: views)
        case .carrierPayable: return isProvider ? try holds(.carrier, owner, in: views) : false
        case .providerRevenue, .providerPayable, .carrierCost, .cash, .providerCost, .providerTax:
            return providers.contains(account.ownerID)
        // In the books of the one above.
        case .providerReceivable:
            guard isProvider, let parent = try views.provider(ProviderID(owner))?.parentID else { return false }
            return providers.contains(parent)
        case .platformRevenue, .UNRECOGNIZED: return false
        }
    }

    private func holds(_ kind: EntityKind, _ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> Bool {
        guard let place = try views.place(of: kind, id) else { return false }
        return reach.holds(place)
    }

    var isProvider: Bool {
        switch reach {
        case .platform, .provider: true
        case .customer, .tenant, .subscriber: false
        }
    }

    /// An empty id is the platform's.
    func holdsProvider(_ id: Data) -> Bool { reach == .platform || providers.contains(id) }

    private func shown(_ party: CallParty, isWithheld: Bool = false) -> CallParty {
        sees(party) ? party : party.shownToOthers(isWithheld: isWithheld && !isProvider)
    }

    /// An attempt to ring one of the token's own subscribers, or, for a provider, anything that its caller tried.
    private func isOurs(_ attempt: CallAttempt, of cdr: Cdr) -> Bool {
        if !attempt.subscriberID.isEmpty { return sees(cdr.called) }
        return isProvider && (sees(cdr.caller) || sees(cdr.called))
    }
}

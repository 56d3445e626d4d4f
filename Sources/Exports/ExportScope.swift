package import Foundation
package import Model
package import Primitives
package import Projections

/// Whose records an export holds, and what of them its reader may see: the same that the API would show a token of that reach.
/// Nobody below the platform sees the other side's ids, addresses or money, nobody below a provider the number of a caller who does not show it.
package enum ExportScope: Sendable, Equatable {
    case platform
    /// A provider and all below it.
    case provider(Set<Data>)
    case customer(Data)

    package init(_ export: CdrExport, in views: borrowing ViewSnapshot) throws(ViewsError) {
        try self.init(provider: export.providerID, customer: export.customerID, in: views)
    }

    /// Empty ids: no bound.
    package init(provider: Data, customer: Data, in views: borrowing ViewSnapshot) throws(ViewsError) {
        if !customer.isEmpty {
            self = .customer(customer)
        } else if let id = ProviderID(provider) {
            var found: Set<Data> = [provider]
            var open = [id]
            while let next = open.popLast() {
                for below in try views.providers(under: next, limit: .max) {
                    if let id = ProviderID(below.id), found.insert(below.id).inserted { open.append(id) }
                }
            }
            self = .provider(found)
        } else {
            self = .platform
        }
    }

    /// Under whose ids the records are found; nil: all records.
    package var parties: [UUIDv7]? {
        switch self {
        case .platform: nil
        case .provider(let ids): ids.compactMap { UUIDv7(bytes: $0) }.sorted()
        case .customer(let id): UUIDv7(bytes: id).map { [$0] } ?? []
        }
    }

    package func sees(_ party: CallParty) -> Bool {
        switch self {
        case .platform: true
        case .provider(let ids): ids.contains(party.providerID)
        case .customer(let id): party.customerID == id
        }
    }

    /// The record as the reader may see it; nil: neither side is its own.
    package func seen(_ cdr: Cdr, _ names: ExportNames) -> Cdr? {
        guard sees(cdr.caller) || sees(cdr.called) else { return nil }
        if self == .platform { return cdr }
        var seen = cdr
        seen.caller = shown(cdr.caller, isWithheld: cdr.isAnonymous)
        seen.called = shown(cdr.called)
        seen.charges = cdr.charges.filter { sees($0, of: cdr, names) }
        seen.attempts = cdr.attempts.map { attempt in
            let isOurs = attempt.subscriberID.isEmpty ? isProvider : sees(cdr.called)
            guard !isOurs else { return attempt }
            var shown = attempt
            shown.target = ""
            shown.gatewayID = Data()
            shown.subscriberID = Data()
            return shown
        }
        if !sees(cdr.called) {
            seen.answeredSubscriberID = Data()
            seen.answeredGatewayID = Data()
        }
        if seen.charges.isEmpty { seen.journalID = Data() }
        if !isProvider {
            seen.worker = ""
            seen.media.mediaWorker = ""
        }
        return seen
    }

    package func seen(_ correction: Correction, of cdr: Cdr, _ names: ExportNames) -> Correction? {
        var seen = correction
        seen.charges = correction.charges.filter { sees($0, of: cdr, names) }
        return seen.charges.isEmpty ? nil : seen
    }

    private func sees(_ charge: Charge, of cdr: Cdr, _ names: ExportNames) -> Bool {
        sees(charge.payer, of: cdr, names) || sees(charge.payee, of: cdr, names)
    }

    private func sees(_ account: AccountRef, of cdr: Cdr, _ names: ExportNames) -> Bool {
        switch (self, account.kind) {
        case (.platform, _): true
        case (.customer(let id), .customer): account.ownerID == id
        case (.customer, _): false
        case (.provider, .customer):
            [cdr.caller, cdr.called].contains { $0.customerID == account.ownerID && sees($0) }
        case (.provider(let ids), .carrierPayable): names.carriers[account.ownerID].map { ids.contains($0.providerID) } ?? false
        case (.provider(let ids), .providerRevenue), (.provider(let ids), .providerPayable), (.provider(let ids), .carrierCost),
            (.provider(let ids), .cash), (.provider(let ids), .providerCost), (.provider(let ids), .providerTax):
            ids.contains(account.ownerID)
        // Charges of calls name none.
        case (.provider, .platformRevenue), (.provider, .providerReceivable), (.provider, .UNRECOGNIZED): false
        }
    }

    private var isProvider: Bool {
        switch self {
        case .platform, .provider: true
        case .customer: false
        }
    }

    private func shown(_ party: CallParty, isWithheld: Bool = false) -> CallParty {
        sees(party) ? party : party.shownToOthers(isWithheld: isWithheld && !isProvider)
    }
}

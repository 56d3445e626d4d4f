import Foundation
import Model
import Primitives
import Projections

/// What one provider earns by a call, what it pays for it, and what it keeps. Null stands for the platform.
///
/// Shown to whoever sees both sides: the provider itself and those above it. Each currency by itself.
struct CallMargin: Sendable {
    let provider: Data
    let currency: String
    private(set) var earned: Int64 = 0
    private(set) var paid: Int64 = 0

    static func all(of cdr: Cdr, _ redaction: Redaction, in views: borrowing ViewSnapshot) throws(ViewsError) -> [CallMargin] {
        guard redaction.isProvider, !cdr.charges.isEmpty else { return [] }
        var amounts = cdr.charges.map(\.amountMicros)
        for correction in try views.corrections(ofRecord: cdr.number) {
            let index = Int(correction.chargeIndex)
            if amounts.indices.contains(index) { amounts[index] = amounts[index] &+ correction.differenceMicros }
        }
        var margins: [CallMargin] = []
        func add(_ provider: Data, _ currency: String, earned: Int64 = 0, paid: Int64 = 0) {
            let index = margins.firstIndex { $0.provider == provider && $0.currency == currency }
            if index == nil { margins.append(CallMargin(provider: provider, currency: currency)) }
            let place = index ?? margins.count - 1
            margins[place].earned = margins[place].earned &+ earned
            margins[place].paid = margins[place].paid &+ paid
        }
        for (charge, amount) in zip(cdr.charges, amounts) {
            switch charge.payee.kind {
            case .providerRevenue: add(charge.payee.ownerID, charge.currency, earned: amount)
            case .providerPayable:
                // Wholesale is booked with whoever pays it; the one above earns it.
                add(charge.payer.ownerID, charge.currency, paid: amount)
                let parent = try ProviderID(charge.payer.ownerID).flatMap { id throws(ViewsError) in try views.provider(id) }?.parentID
                add(parent ?? Data(), charge.currency, earned: amount)
            case .carrierPayable: add(charge.payer.ownerID, charge.currency, paid: amount)
            case .customer, .platformRevenue, .carrierCost, .cash, .providerCost, .providerTax, .providerReceivable, .UNRECOGNIZED: break
            }
        }
        return margins.filter { redaction.holdsProvider($0.provider) }
    }

    var json: JSON {
        let context = FieldContext(currency: Currency(currency))
        return [
            "provider_id": .id(provider), "earned": context.amount(micros: earned), "paid": context.amount(micros: paid),
            "margin": context.amount(micros: earned &- paid),
        ]
    }

    static let schema = Schema.object(
        [
            ("provider_id", Schema.orNull(Schema.uuid)), ("earned", Schema.money), ("paid", Schema.money), ("margin", Schema.money),
        ], required: ["provider_id", "earned", "paid", "margin"])
}

package import Model
package import Projections

package enum InvoiceError: Error, Equatable {
    case noDebtor(Debtor)
    case noInvoice
    /// No movement that belongs on a bill since the last one.
    case nothingToBill
    case cutIsBeforeLast(UInt64)
    case creditTooLarge(left: String)
    case overflow
    case template(TemplateError)
    /// What EN 16931 asks for and the invoice has not.
    case rules([InvoiceRule])
    /// EN 16931 knows two decimals.
    case decimals(String)
    case tool(String)
    case views(ViewsError)
    case refused(String)
}

extension InvoiceError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noDebtor(let debtor): "there is no such \(debtor.noun)"
        case .noInvoice: "there is no such invoice"
        case .nothingToBill: "nothing that belongs on an invoice has moved on the account since the last one"
        case .cutIsBeforeLast(let sequence): "the last invoice goes up to sequence \(sequence) of the log already"
        case .creditTooLarge(let left): "of the invoice \(left) are left to be credited"
        case .overflow: "the sums are larger than can be counted"
        case .template(let error): "the template cannot be used: \(error)"
        case .rules(let rules): rules.map(\.description).joined(separator: "; ")
        case .decimals(let currency): "amounts in \(currency) have three decimals, and an electronic invoice by EN 16931 has two at most"
        case .tool(let reason): reason
        case .views(let error): "the views cannot be read: \(error)"
        case .refused(let reason): reason
        }
    }
}

func onViews<R>(_ body: () throws(ViewsError) -> R) throws(InvoiceError) -> R {
    do throws(ViewsError) {
        return try body()
    } catch {
        throw .views(error)
    }
}

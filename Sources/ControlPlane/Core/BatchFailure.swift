package import Ledger
package import Projections

/// Why a batch came to nothing.
package enum BatchFailure: Error, Equatable {
    case views(ViewsError)
    case ledger(LedgerError)
    /// The views do not stand where the log stands; they catch up before the next batch.
    case behind
    case unexpected(String)
}

extension BatchFailure: ViewsFailure {
    package init(_ error: ViewsError) { self = .views(error) }
}

extension BatchFailure {
    /// Applying one command's facts failed; the others of the batch may well go through.
    var isOfOneCommand: Bool {
        switch self {
        case .views(let error): if case .broken = error { true } else { false }
        case .ledger, .behind: false
        case .unexpected: true
        }
    }

    var reason: String {
        switch self {
        case .views(let error): "the views cannot be written: \(error)"
        case .ledger(let error): "the log cannot be written: \(error)"
        case .behind: "the views have to catch up with the log"
        case .unexpected(let reason): reason
        }
    }
}

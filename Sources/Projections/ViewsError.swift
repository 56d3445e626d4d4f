public import LMDB
public import Ledger
public import Model
import Primitives
public import Subjects

/// Why a view cannot be read, written or brought up to date.
public enum ViewsError: Error, Equatable, Sendable {
    case storage(LMDBError)
    case log(LedgerError)
    /// The directory cannot be made, or its mark cannot be written; `code` is the system's error number.
    case file(path: String, code: Int32)
    /// Opened for reading, but they have to be built anew first: start a control plane on them.
    case untrusted(ViewsCondition)
    /// Asked for a call record or a posting, which stand in the log, before anybody said which log it is.
    case withoutLog
    /// Asked as of a sequence that the views have not taken in yet: ask again in a moment.
    case behind(asked: UInt64, have: UInt64)
    /// A stored value is not what its table holds: drop the views and build them anew.
    case unreadable(table: Table)
    /// An event of the log that this binary cannot read.
    case event(sequence: UInt64, EventDecodingError)
    /// An event came out of turn.
    case outOfOrder(expected: UInt64, actual: UInt64)
    /// Something personal cannot be read. What belongs to an erased person is no error, but empty.
    case personal(SubjectKeyError)
    /// An event that breaks a rule which everybody who appends has to keep.
    case broken(sequence: UInt64, Invariant)
}

/// What holds at every sequence number of every log.
public enum Invariant: Error, Equatable, Sendable {
    /// The postings of a journal sum to zero in each currency.
    case unbalanced(Imbalance)
    /// Balances and holds fit an Int64 of micro-units.
    case accountOverflow(kind: AccountKind)
    /// Records are numbered 1, 2, 3 … without a gap.
    case cdrNumber(expected: UInt64, actual: UInt64)
    /// Corrections of charges are numbered 1, 2, 3 … without a gap.
    case correctionNumber(expected: UInt64, actual: UInt64)
    /// One record for a call.
    case secondCDR(CallID)
    /// A stream's versions are 1, 2, 3 … without a gap.
    case streamVersion(expected: UInt64, actual: UInt64)
    /// The field is not an id, or is text too long for a key.
    case malformedField(String)

    /// Never broken by what people type in, only by a mistake in the program that appends.
    var isRuleOfTheBooks: Bool {
        switch self {
        case .unbalanced, .cdrNumber, .correctionNumber, .secondCDR, .streamVersion: true
        case .accountOverflow, .malformedField: false
        }
    }
}

/// The errors that a body of `Views.write` may throw: it has to be able to carry ours.
public protocol ViewsFailure: Error {
    init(_ error: ViewsError)
}

extension ViewsError: ViewsFailure {
    public init(_ error: ViewsError) { self = error }
}

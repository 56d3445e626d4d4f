/// What became of a line of the statement, or of a call of ours.
package enum LineClass: String, Hashable, Sendable, CaseIterable {
    /// Both say the same, within the tolerances.
    case agreed
    /// The carrier lists a call that we have no record of.
    case missingOurs = "missing_ours"
    /// We have a call that the carrier does not list.
    case missingTheirs = "missing_theirs"
    /// The same call, but longer or shorter.
    case duration
    /// The same call and duration at another price.
    case rate
    /// A difference that comes of rounding alone: of the amount, or of seconds within the tolerance.
    case rounding
    /// The same call listed a second time.
    case duplicate
}

extension LineClass {
    /// Whether the carrier asks for more than it should by our books, when the difference is above zero.
    package var isDisputable: Bool {
        switch self {
        case .missingOurs, .duration, .rate, .rounding, .duplicate: true
        case .agreed, .missingTheirs: false
        }
    }

    package var title: String {
        switch self {
        case .agreed: "agreed"
        case .missingOurs: "missing ours"
        case .missingTheirs: "missing theirs"
        case .duration: "duration"
        case .rate: "rate"
        case .rounding: "rounding"
        case .duplicate: "duplicate"
        }
    }
}

/// Why a charge cannot be computed. Nothing was rounded or wrapped on the way.
public enum RatingError: Error, Equatable, Sendable {
    /// The charge does not fit an Int64 of micro-units.
    case overflow(edge: String)
    /// A deck rounds to 0 to 6 decimals.
    case invalidDecimals(UInt32)
}

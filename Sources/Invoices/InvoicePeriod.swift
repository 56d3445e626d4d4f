package import Primitives

/// What is billed, and when.
package struct InvoicePeriod: Sendable {
    /// The newest event that is looked at.
    package var through: UInt64
    package var from: WallTime
    /// Not included.
    package var to: WallTime
    package var issuedAt: WallTime

    package init(through: UInt64, from: WallTime, to: WallTime, issuedAt: WallTime) {
        self.through = through
        self.from = from
        self.to = to
        self.issuedAt = issuedAt
    }
}

package import Primitives

/// The next calls of a correction. Which they are was found in a snapshot; what is posted for them is decided anew.
package struct RerateStep: Sendable {
    package var terms: RerateTerms
    /// The re-rating that this goes on with; nil: it begins one.
    package var id: UUIDv7?
    /// For people; it stands beside every correction.
    package var reason: String
    /// Numbers of call records, in the order of the calls' set-up.
    package var records: [UInt64]
    /// How many were looked at to find these.
    package var looked: UInt64
    /// Behind which the next step goes on; nil: this is the last.
    package var next: RerateScan.Cursor?

    package static let correctionsMax = RerateDecider.correctionsMax

    package init(
        _ terms: RerateTerms, id: UUIDv7?, reason: String, records: [UInt64], looked: UInt64, next: RerateScan.Cursor?
    ) {
        self.terms = terms
        self.id = id
        self.reason = reason
        self.records = records
        self.looked = looked
        self.next = next
    }
}

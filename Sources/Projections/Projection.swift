public import Model

/// Code that derives tables from events. Replay and live traffic run the same `evolve`.
///
/// A projection writes its own tables alone, reads no clock, and never goes over a dictionary or a set, so that
/// the same log makes the same bytes everywhere.
public protocol Projection: SendableMetatype {
    /// Never changes; stands in the mark of the views' directory.
    static var name: String { get }
    /// Raised with every change of what the tables hold: the views are then built anew at the next start.
    static var version: UInt32 { get }
    static var tables: [Table] { get }

    static func evolve(_ event: Event, _ context: EventContext, in views: inout ViewTransaction) throws(ViewsError)

    /// Takes in a fact of a call from its stored bytes; nothing is decoded if all projections do.
    ///
    /// - Returns: false if `evolve` with the decoded event is wanted instead.
    static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool

    /// Does what it has put off because `ViewTransaction.isTakingIn` was set.
    static func settle(in views: inout ViewTransaction) throws(ViewsError)
}

extension Projection {
    public static func settle(in views: inout ViewTransaction) throws(ViewsError) {}

    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool { false }
}

/// All of them, in the order in which an event reaches them.
public let projections: [any Projection.Type] = [
    DirectoryProjection.self, RatesProjection.self, LiveCallsProjection.self, CDRsProjection.self,
    AccountsProjection.self, SpendProjection.self, GatewayStartsProjection.self, GatewaysProjection.self, StatisticsProjection.self, AuditProjection.self, SubjectsProjection.self, ExportsProjection.self, RecordingsProjection.self, CorrectionsProjection.self,
    FeesProjection.self, AllowancesProjection.self,
    UsersProjection.self, BooksProjection.self,
]

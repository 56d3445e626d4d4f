import Foundation
public import Model
import Primitives

/// Call detail records, by number, by call, by the time at which the call came in, and by everyone whom they concern.
public enum CDRsProjection: Projection {
    public static let name = "cdrs"
    public static let version: UInt32 = 4
    public static let tables: [Table] = [.cdrs, .cdrsByCall, .cdrsByParty, .cdrsByStart]

    /// Records are facts of calls: see CDRsProjection+facts.swift.
    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {}
}

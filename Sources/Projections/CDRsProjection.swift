import Foundation
package import Model
import Primitives

/// Call detail records, by number, by call, by the time at which the call came in, and by everyone whom they concern.
package enum CDRsProjection: Projection {
    package static let name = "cdrs"
    package static let version: UInt32 = 4
    package static let tables: [Table] = [.cdrs, .cdrsByCall, .cdrsByParty, .cdrsByStart]

    /// Records are facts of calls: see CDRsProjection+facts.swift.
    package static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {}
}

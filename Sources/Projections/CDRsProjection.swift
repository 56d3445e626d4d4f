import Foundation
package import Model
import Primitives

/// Call detail records, by number, by call, and by everyone whom they concern.
package enum CDRsProjection: Projection {
    package static let name = "cdrs"
    package static let version: UInt32 = 2
    package static let tables: [Table] = [.cdrs, .cdrsByCall, .cdrsByParty]

    /// Records are facts of calls: see CDRsProjection+facts.swift.
    package static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {}
}

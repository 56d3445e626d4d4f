import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@Suite struct AuditTests {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    @Test func changesAreWhatIsNoFactOfACall() throws {
        var builder = Builder()
        let (contact, call, journal, reader) = (builder.id(), builder.id(), builder.id(), builder.id())
        let posted = { (kind: JournalKind) in
            Event.journalPosted(
                .with {
                    $0.id = journal.data
                    $0.kind = kind
                    $0.callID = kind == .call ? call.data : Data()
                })
        }
        let steps: History.Step = [
            (.contactCreated(.with { $0.contact.id = contact.data }), contact),
            (.callStarted(.with { $0.callID = call.data }), call),
            (posted(.call), journal),
            (posted(.topUp), journal),
            (.recordsRead(.with { $0.scopeID = contact.data; $0.ids = [call.data] }), reader),
            (posted(.adjustment), journal),
        ]
        // Once as the sequencer records them, once as a replay reads them.
        for step in steps { try fixture.record([step]) }
        try fixture.takeIn(steps.map { step in (step.event, step.stream) })
        let seen = try fixture.ask { views throws(ViewsError) in
            (
                try views.changes(limit: 100), try views.changes(after: 4, limit: 2), try views.history(of: contact, limit: 10),
                try views.history(of: call, limit: 10)
            )
        }
        #expect(seen.0 == [1, 4, 5, 6, 7, 10, 11, 12])
        #expect(seen.1 == [5, 6])
        #expect(seen.2 == [1, 5, 7, 11])
        #expect(seen.3.contains(5) && seen.3.contains(11))
    }
}

import Backup
import Ledger
import OpenSSL
import Primitives
import Projections
import Testing

/// The views of a restored copy are those that the original had at that event.
@Suite struct RestoredViewsTests {
    @Test(arguments: [3, 41, 97] as [UInt64])
    func theViewsOfARestoredLogAreThoseOfTheOriginalAtThatEvent(seed: UInt64) throws {
        let fixture = try Fixture()
        let key = SigningKey(seed: [UInt8](repeating: 7, count: 32))!
        var history = History(seed: seed)
        var random = RandomSource(seed: seed)
        var backup = Backup(of: fixture.log, origin: "test.example", key: key, to: fixture.path("backup"))
        backup.partEventsMax = 60
        for steps in [80, 40, 60] {
            try fixture.live(&history, steps: steps)
            _ = try backup.run()
        }
        let head = fixture.log.head
        let before = Checkpoint(origin: "test.example", size: 50, root: try fixture.log.rootHash(size: 50))
        // Ends of commits: the newest event, and some between the parts and within them.
        for asked in [head, head / 2 + random.next() % (head / 2), 60 + random.next() % 30] {
            let target = fixture.path("restored-\(asked)")
            let outcome = try Restore(from: fixture.path("backup")).run(into: target, target: .sequence(asked), signed: before)
            #expect(outcome.size <= asked && asked - outcome.size < 20, "seed \(seed), event \(asked)")
            let restored = try LMDBEventLog(directory: target + "/ledger")
            let ours = try Views(directory: target + "/views", bootID: "test", sizeMax: 1 << 28)
            try ours.catchUp(with: restored)
            let theirs = try Views(directory: fixture.path("then-\(asked)"), bootID: "test", sizeMax: 1 << 28)
            try theirs.catchUp(with: fixture.log, through: outcome.size)
            #expect(try Views.difference(ours, theirs) == nil, "seed \(seed), event \(asked)")
            if outcome.size == head { #expect(try Views.difference(ours, fixture.views) == nil, "seed \(seed)") }
        }
    }
}

import Bus
import ControlPlane
import Foundation
import LMDB
import Ledger
import MediaWorker
import Model
import Primitives
import Projections
import SignalWorker
import Subjects

/// A control process: the production core over its directories, which outlive it.
final class ControlNode {
    let log: LMDBEventLog
    let views: Views
    var core: ControlCore
    let disk: SimulatedDisk
    /// The last batch whose end is on the timeline.
    var awaited: UInt64 = 0
    var replies = ReplyCache()

    init(directory: String, seed: UInt64, now: Instant, wall: WallTime) throws {
        log = try LMDBEventLog(directory: directory + "/ledger", sizeMax: 1 << 30, durability: .none)
        let keys = try SubjectKeys(path: directory + "/subjects.keys", master: [UInt8](repeating: 9, count: 32))
        views = try Views(directory: directory + "/views", keys: keys, sizeMax: 1 << 30)
        var settings = ControlSettings()
        settings.callLease = .seconds(15)
        settings.earlyCallMax = .seconds(90)
        settings.creditLeaseSeconds = 10
        settings.viewsLag = .milliseconds(5)
        core = try ControlCore(
            log: log, views: views, vault: try Vault(key: [UInt8](repeating: 7, count: 32)), random: RandomSource(seed: seed),
            settings: settings, location: try LocationStore(directory: directory + "/location", keys: keys), now: now, wall: wall)
        disk = SimulatedDisk(Append(log: log, keys: keys))
        core.append(by: disk)
    }
}

/// A signalling process. The outbox is on its disk, so it outlives the machine.
struct SignalNode {
    let name: String
    let listener: SocketAddress
    var machine: SignalMachine?
    var outbox: [Fact] = []
    var colleagues: Set<String> = []
}

/// A media process, without packets: what it relays does not change who pays what.
struct MediaNode {
    let name: String
    let address: SocketAddress.Host
    var studio: StudioMachine?
    var desk: DeskMachine?
    var askers: [UInt64: (worker: String, id: RequestID)] = [:]
    var tickets: UInt64 = 0
    var openedAt: [MediaSessionID: Instant] = [:]
    var requests: UInt64 = 0
}

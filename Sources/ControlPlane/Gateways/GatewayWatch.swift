import Foundation
import Model
import OpenSSL
import Primitives
import Projections
import SwiftProtobuf

/// Which signal worker registers at which gateway and probes it, and what was heard of it.
///
/// Soft state of one control process. After a restart a gateway stays with the worker that the views name, if that one comes back
/// within its grace; a registration is kept by one worker at a time, and moves when that one is lost or drained.
struct GatewayWatch {
    private struct Entry {
        /// Without worker and state of service.
        var row: GatewayEntry
        var owner = ""
        var isOutOfService = false
        var status: GatewayStatus

        var isDuty: Bool { !row.registrationUser.isEmpty || row.probeSeconds > 0 }
    }

    private var entries: [GatewayID: Entry] = [:]
    /// What all workers were told last; nil: nothing yet.
    private(set) var published: GatewayBook?
    /// Carriers have changed: they are read again as soon as the views hold this sequence.
    private var staleSince: UInt64? = 0
    private let graceUntil: Instant
    /// The workers that there were when it was last looked who does what.
    private var seen: [RosterEntry]?
    private var wasInGrace = true

    init(graceUntil: Instant) { self.graceUntil = graceUntil }

    /// Whether carriers have to be read, or somebody has to do something about them.
    var isBusy: Bool { isStale || !entries.isEmpty }
    var isStale: Bool { staleSince != nil }

    mutating func directoryChanged(at sequence: UInt64) { staleSince = sequence }

    func owner(of gateway: GatewayID) -> String? { entries[gateway].map(\.owner) }

    /// In order of id.
    var statuses: [GatewayStatus] {
        entries.sorted { $0.key < $1.key }.filter(\.value.isDuty).map { entry in
            var status = entry.value.status
            status.worker = entry.value.owner
            return status
        }
    }

    mutating func heard(_ report: GatewayReport, of gateway: GatewayID) {
        switch report.kind {
        case .registration(let registration): entries[gateway]?.status.registration = registration
        case .probe(let probe):
            entries[gateway]?.status.probe = probe
            entries[gateway]?.isOutOfService = !probe.inService
        case nil: break
        }
    }

    // MARK: - the directory

    /// Reads the carriers if they have changed.
    mutating func read(_ views: borrowing ViewSnapshot) throws(ViewsError) {
        guard let staleSince, views.applied >= staleSince else { return }
        var fresh: [GatewayID: Entry] = [:]
        var after: CarrierID?
        while true {
            let page = try views.carriers(after: after, limit: 200)
            for carrier in page where try Self.isActive(carrier, in: views) {
                for gateway in carrier.gateways where !gateway.disabled {
                    guard let id = GatewayID(gateway.id), let row = Self.row(gateway, of: carrier) else { continue }
                    fresh[id] = try entry(id, row, of: carrier, in: views)
                }
            }
            guard page.count == 200, let last = page.last else { break }
            after = CarrierID(last.id)
        }
        entries = fresh
        seen = nil
        self.staleSince = nil
    }

    private func entry(
        _ id: GatewayID, _ row: GatewayEntry, of carrier: Carrier, in views: borrowing ViewSnapshot
    ) throws(ViewsError) -> Entry {
        if var known = entries[id] {
            known.row = row
            // That it is out of service stays known, as the log knows it: who probes it again has that to report when it answers.
            if row.probeSeconds == 0 { known.status.probe = nil }
            if row.registrationUser.isEmpty { known.status.registration = nil }
            return known
        }
        var entry = Entry(row: row, status: GatewayStatus(gateway: id, worker: ""))
        if let carrierID = CarrierID(carrier.id), let state = try views.gatewayState(id, of: carrierID) {
            entry.owner = row.registrationUser.isEmpty ? state.serviceWorker : state.registrationWorker
            entry.isOutOfService = state.outOfService
        }
        return entry
    }

    /// A carrier of somebody who is locked is silent.
    private static func isActive(_ carrier: Carrier, in views: borrowing ViewSnapshot) throws(ViewsError) -> Bool {
        var owner = carrier.providerID
        while let id = ProviderID(owner), let provider = try views.provider(id) {
            guard provider.status.allows(.register) else { return false }
            owner = provider.parentID
        }
        return true
    }

    /// nil: address and port say everything about it.
    private static func row(_ gateway: Gateway, of carrier: Carrier) -> GatewayEntry? {
        let isNamed = SocketAddress.Host(gateway.host) == nil
        guard isNamed || gateway.anyPort || gateway.transport != .udp || gateway.probeSeconds > 0 || !gateway.registrationUser.isEmpty else { return nil }
        return .with {
            $0.gatewayID = gateway.id
            $0.carrierID = carrier.id
            $0.providerID = carrier.providerID
            $0.host = gateway.host
            $0.port = gateway.port
            // A connection comes from whatever port the system gave it.
            $0.anyPort = gateway.anyPort || gateway.transport != .udp
            $0.transport = gateway.transport
            $0.profile = gateway.profile
            if gateway.profile == .teams { $0.ownName = gateway.sourceDomain }
            $0.registrationUser = gateway.registrationUser
            if !gateway.registrationUser.isEmpty {
                $0.registrar = gateway.registrar
                $0.registrationSeconds = gateway.registrationSeconds == 0 ? 3_600 : gateway.registrationSeconds
                $0.secretMark = Data(Hash.sha256(Array(gateway.authUsername.utf8) + [0] + Array(gateway.sealedPassword)).prefix(8))
            }
            $0.probeSeconds = gateway.probeSeconds
            $0.probeFailuresMax = gateway.probeFailuresMax == 0 ? 3 : gateway.probeFailuresMax
        }
    }

    // MARK: - who does it

    /// - Parameter workers: the living signal workers.
    /// - Returns: the book, if it is not what the workers were told last.
    mutating func assign(to workers: [RosterEntry], now: Instant) -> GatewayBook? {
        guard staleSince == nil else { return nil }
        let living = workers.map { worker in
            RosterEntry.with {
                $0.worker = worker.worker
                $0.draining = worker.draining
            }
        }
        let isInGrace = now < graceUntil
        guard living != seen || isInGrace != wasInGrace else { return nil }
        (seen, wasInGrace) = (living, isInGrace)
        var load: [String: Int] = [:]
        for entry in entries.values where entry.isDuty { load[entry.owner, default: 0] += 1 }
        let ready = workers.filter { !$0.draining }.map(\.worker)
        let names = (ready.isEmpty ? workers.map(\.worker) : ready).sorted()
        for id in entries.keys.sorted() {
            guard let entry = entries[id], entry.isDuty, !names.contains(entry.owner) else { continue }
            // It may be on its way back, with what it had registered.
            if !entry.owner.isEmpty, isInGrace, !workers.contains(where: { $0.worker == entry.owner }) { continue }
            let next = names.min { (load[$0] ?? 0, $0) < (load[$1] ?? 0, $1) } ?? ""
            load[next, default: 0] += 1
            entries[id]?.owner = next
            // What its predecessor said is no word of its own.
            entries[id]?.status = GatewayStatus(gateway: id, worker: "")
        }
        var book = GatewayBook()
        book.entries = entries.keys.sorted().compactMap { id in
            guard let entry = entries[id] else { return nil }
            var row = entry.row
            row.worker = entry.isDuty ? entry.owner : ""
            // How it is stays out of the comparison: that changes by what the workers say themselves.
            return row
        }
        let before = published ?? GatewayBook()
        published = book
        return book == before ? nil : told
    }

    /// The same with how each gateway was last: a worker that begins with it goes on from there.
    var told: GatewayBook? {
        guard var book = published else { return nil }
        for index in book.entries.indices {
            guard let id = GatewayID(book.entries[index].gatewayID) else { continue }
            book.entries[index].outOfService = entries[id]?.isOutOfService ?? false
        }
        return book
    }
}

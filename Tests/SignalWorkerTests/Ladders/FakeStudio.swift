import Foundation
import Model

/// A media worker of the ladders: gives ports, and counts nothing.
struct FakeStudio {
    enum Mood: String {
        case usual, silent, full
    }
    private let name: String
    var mood = Mood.usual
    private var sessions: Set<Data> = []
    /// Sessions of one call have the first half of their names in common: its streams.
    private var streams: [Data: [Data]] = [:]

    init(_ name: String) { self.name = name }

    private var base: UInt32 { name == "m1" ? 30_000 : 32_000 }

    /// nil: no answer.
    mutating func answer(_ request: StudioRequest) -> StudioReply? {
        guard mood != .silent else { return nil }
        var reply = StudioReply()
        switch request.kind {
        case .open(let open):
            guard mood == .usual else {
                reply.error.code = .noPorts
                return reply
            }
            sessions.insert(open.sessionID)
            if streams[open.sessionID.prefix(8)]?.contains(open.sessionID) != true { streams[open.sessionID.prefix(8), default: []].append(open.sessionID) }
            reply.opened = opened(open.sessionID)
        case .change(let change):
            if sessions.contains(change.sessionID) { reply.opened = opened(change.sessionID) } else { reply.error.code = .unknownSession }
        case .close(let close):
            if sessions.remove(close.sessionID) != nil {
                reply.closed.report.mediaWorker = name
                reply.closed.report.a.packetsIn = 50
            } else {
                reply.error.code = .unknownSession
            }
        case .play, .keys, .record: reply.playing.milliseconds = 4_000
        case .query, nil: reply.error.code = .malformed
        }
        return reply
    }

    /// The one session of a ladder.
    var session: Data { sessions.first ?? Data() }

    private func opened(_ session: Data) -> SessionOpened {
        let place = UInt32(streams[session.prefix(8)]?.firstIndex(of: session) ?? 0)
        var opened = SessionOpened()
        opened.address = "127.0.0.1"
        opened.portA = base + 4 * place
        opened.portB = base + 4 * place + 2
        return opened
    }
}

import Foundation
import Model
import Primitives
import SIP

/// What becomes of connections, and keep-alives of those who have none.
extension SignalMachine {
    /// RFC 5626 §3.5.1. Answered before anything else is looked at, within what the source may ask for.
    mutating func keepAlive(_ bytes: [UInt8], _ listener: SocketAddress, _ source: SocketAddress, _ effects: inout [Effect]) {
        guard !rates.isBanned(source, now: kit.now), rates.admits(source, now: kit.now) else { return }
        guard let answer = STUNBinding.answer(to: bytes, from: source) else { return }
        effects.append(.send(answer, listener: listener, to: source))
    }

    /// A connection by which a line has shown its password is that line's, also where a carrier calls from the same address.
    func isLine(_ hop: Hop) -> Bool { hop.transport != .udp && hop.relay == nil && lines.contains(hop.connection) }

    /// What was to go that way fails now: here, and at fellows who have used it.
    mutating func lost(_ hop: Hop, never: Bool) {
        if never, hop.transport == .tcp, hop.connection == 0 { kit.takesNoStreams(hop.remote) }
        kit.transactions.unreachable(hop, now: kit.now, into: &kit.layer)
        lines.remove(hop.connection)
        guard hop.connection != 0, let workers = borrowers.removeValue(forKey: hop.connection) else { return }
        var message = RelayMessage()
        message.unreachable.listener = hop.listener.description
        message.unreachable.remote = hop.remote.description
        message.unreachable.transport = hop.transport.name
        message.unreachable.connection = hop.connection
        for worker in workers.sorted() where kit.colleagues.isAlive(worker) {
            kit.effects.append(.relay(serialized(message), to: worker))
        }
    }
}

import Foundation
import Model
import Primitives
import SIP

/// A call that goes on as another: the call that rings, and where to.
struct Forwarded: Sendable {
    let call: CallID
    let target: ForwardTarget
    /// The one who called first does not show a number.
    let isAnonymous: Bool
}

extension Hop {
    /// From us to ourselves, or to a fellow worker: no socket is in between, and nobody outside can send on it.
    var isInternal: Bool { transport == .udp && listener == remote }
}

// A call that is forwarded is two calls, each with its own payer, record and credit. The first has the second as its called
// side, and both are carried as any call is: messages between them go through the same parsers and transactions as
// everybody's, so that whatever one of them can do (hold, failover, being taken over by another worker) needs no second
// way to be done here.
extension CallKit {
    var internalHop: Hop { Hop(listener: configuration.advertised, remote: configuration.advertised) }

    /// To the worker that the peer dialog was at, while it lives; who owns it now is found by the dialog's tag otherwise.
    func internalHop(_ listener: SocketAddress, of worker: String) -> Hop {
        guard worker != configuration.worker, colleagues.isAlive(worker) else { return internalHop }
        return Hop(listener: listener, remote: listener, relay: worker)
    }

    mutating func loopBack(_ bytes: [UInt8], _ hop: Hop) {
        guard let worker = hop.relay, worker != configuration.worker, colleagues.isAlive(worker) else {
            return loop.append((bytes, Hop(listener: hop.listener, remote: hop.remote)))
        }
        var message = RelayMessage()
        message.received.listener = configuration.advertised.description
        message.received.source = configuration.advertised.description
        message.received.message = Data(bytes)
        message.received.worker = configuration.worker
        effects.append(.relay(serialized(message), to: worker))
    }
}

extension SIPMessage {
    /// Whether the caller does not want to be named (RFC 3323 §4.1, RFC 3325 §7).
    var isAnonymous: Bool {
        if from.uri.host == "anonymous.invalid" || from.uri.user?.lowercased() == "anonymous" { return true }
        return headers.all(.privacy).contains { value in
            value.split(separator: ";").contains { ["id", "user", "header"].contains($0.trimmed.lowercased()) }
        }
    }
}

extension Substring {
    fileprivate var trimmed: Substring { drop { $0 == " " }.prefix { $0 != " " } }
}

import Hummingbird
import NIOCore

/// What goes with a request from its arrival to its answer.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    var requestID = ""
    /// Address of the peer, without its port; empty if there is none, as in memory.
    let peer: String

    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        let address = source.channel.remoteAddress?.ipAddress ?? ""
        // A socket for both families names IPv4 peers so.
        peer = address.hasPrefix("::ffff:") && address.contains(".") ? String(address.dropFirst(7)) : address
    }
}

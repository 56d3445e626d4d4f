import NIOCore

/// Counts what is not HTTP at all. Hummingbird answers it with 400 before it is a request that anybody else sees.
final class MalformedRequestCounter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let counters: RequestCounters
    /// A connection ends with the first, though the parser may complain again about the rest.
    private var isCounted = false

    init(_ counters: RequestCounters) { self.counters = counters }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A connection that breaks is nobody's mistake.
        if !isCounted, !(error is IOError) { counters.count(400) }
        isCounted = true
        context.fireErrorCaught(error)
    }
}

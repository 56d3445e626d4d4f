import NIOCore

/// Counts what is not HTTP at all. Hummingbird answers it with 400 before it is a request that anybody else sees.
final class MalformedRequestCounter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let counters: RequestCounters

    init(_ counters: RequestCounters) { self.counters = counters }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        counters.count(400)
        context.fireErrorCaught(error)
    }
}

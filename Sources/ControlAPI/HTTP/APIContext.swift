import Hummingbird

/// What goes with a request from its arrival to its answer.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    var requestID = ""

    init(source: Source) { coreContext = CoreRequestContextStorage(source: source) }
}

public import ArgumentParser
public import Primitives

/// `host:port` on the command line, for TCP.
struct Endpoint: ExpressibleByArgument {
    let host: String
    let port: Int

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"), let port = Int(argument[argument.index(after: colon)...]),
            (0...65_535).contains(port), colon > argument.startIndex
        else { return nil }
        host = String(argument[..<colon])
        self.port = port
    }

    /// As ZeroMQ writes it; port 0 takes a free one.
    var bus: String { "tcp://\(host):\(port == 0 ? "*" : String(port))" }
    var defaultValueDescription: String { "\(host):\(port)" }
}

extension SocketAddress: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension SocketAddress.Host: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

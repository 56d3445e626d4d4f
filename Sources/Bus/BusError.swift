internal import CZeroMQ
internal import Glibc

/// Why a bus socket could not be had, in words that tell an operator what to change.
public enum BusError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another program, or another socket of this one, has the port.
    case addressInUse(endpoint: String)
    /// The host part is not an address of this machine.
    case addressNotLocal(endpoint: String)
    /// A port below 1024 without the right to it, or a policy of the machine.
    case notPermitted(endpoint: String)
    /// Not of the form `tcp://host:port`.
    case malformedEndpoint(String)
    /// The limit of open files, or of ZeroMQ's sockets, is reached.
    case tooManySockets
    /// The installed libzmq was built without CURVE.
    case curveUnavailable
    /// Anything else, by the name of the call and the system's text.
    case failed(call: String, reason: String)

    init(call: String, endpoint: String?, code: Int32) {
        switch (code, endpoint) {
        case (EADDRINUSE, let endpoint?): self = .addressInUse(endpoint: endpoint)
        case (EADDRNOTAVAIL, let endpoint?), (ENODEV, let endpoint?): self = .addressNotLocal(endpoint: endpoint)
        case (EACCES, let endpoint?), (EPERM, let endpoint?): self = .notPermitted(endpoint: endpoint)
        case (EINVAL, let endpoint?), (EPROTONOSUPPORT, let endpoint?): self = .malformedEndpoint(endpoint)
        case (EMFILE, _), (ENFILE, _): self = .tooManySockets
        default: self = .failed(call: call, reason: unsafe String(cString: zmq_strerror(code)))
        }
    }

    public var description: String {
        switch self {
        case .addressInUse(let endpoint): "\(endpoint) is in use by another program: stop it or choose another port"
        case .addressNotLocal(let endpoint): "\(endpoint) is not an address of this machine"
        case .notPermitted(let endpoint): "not permitted to use \(endpoint): choose a port above 1023"
        case .malformedEndpoint(let text): "'\(text)' is not an endpoint: write tcp://host:port"
        case .tooManySockets: "too many open sockets: raise the limit of open files (ulimit -n)"
        case .curveUnavailable: "this libzmq was built without CURVE: install Debian's libzmq5"
        case .failed(let call, let reason): "\(call) failed: \(reason)"
        }
    }
}

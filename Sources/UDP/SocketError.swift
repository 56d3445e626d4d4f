internal import Glibc
package import Primitives

/// Why a socket could not be had, in words that tell an operator what to change.
package enum SocketError: Error, Equatable, CustomStringConvertible {
    /// Another process, or another socket of this one, has the address.
    case addressInUse(SocketAddress)
    /// The host part is not an address of this machine.
    case addressNotLocal(SocketAddress)
    /// A port below 1024 without the right to it, or a policy of the machine.
    case notPermitted(SocketAddress)
    /// The limit of open files is reached (`ulimit -n`).
    case tooManyOpenFiles
    /// Anything else, by the name of the call and the system's text.
    case failed(call: String, reason: String)

    init(call: String, address: SocketAddress?, code: Int32) {
        switch (code, address) {
        case (EADDRINUSE, let address?): self = .addressInUse(address)
        case (EADDRNOTAVAIL, let address?): self = .addressNotLocal(address)
        case (EACCES, let address?), (EPERM, let address?): self = .notPermitted(address)
        case (EMFILE, _), (ENFILE, _): self = .tooManyOpenFiles
        default: self = .failed(call: call, reason: unsafe String(cString: strerror(code)))
        }
    }

    package var description: String {
        switch self {
        case .addressInUse(let address): "\(address) is in use by another program: stop it or choose another port"
        case .addressNotLocal(let address): "\(address.host) is not an address of this machine"
        case .notPermitted(let address): "not permitted to use \(address): choose a port above 1023"
        case .tooManyOpenFiles: "too many open files: raise the limit (ulimit -n)"
        case .failed(let call, let reason): "\(call) failed: \(reason)"
        }
    }
}

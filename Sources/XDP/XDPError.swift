internal import Glibc

/// Why the kernel does not pass packets on by itself, in words that tell an operator what to change.
package enum XDPError: Error, Equatable, CustomStringConvertible {
    /// CAP_BPF and CAP_NET_ADMIN are missing, or the kernel is locked down.
    case notPermitted(call: String)
    /// The kernel was built without it, or is older than Linux 5.10.
    case notSupported(call: String, reason: String)
    /// Another program is on the interface.
    case interfaceTaken(String)
    case noInterface(String)
    /// What is tied to a local interface alone has no other to leave by.
    case notEthernet(String)
    /// Of the kernel's check of the program, the end of what it says.
    case refused(String)
    case failed(call: String, reason: String)

    init(call: String, code: Int32) {
        let reason = unsafe String(cString: strerror(code))
        switch code {
        case EPERM, EACCES: self = .notPermitted(call: call)
        case ENOSYS, EOPNOTSUPP, EINVAL: self = .notSupported(call: call, reason: reason)
        default: self = .failed(call: call, reason: reason)
        }
    }

    package var description: String {
        switch self {
        case .notPermitted(let call): "\(call) is not permitted: give the process CAP_BPF and CAP_NET_ADMIN"
        case .notSupported(let call, let reason): "the kernel does not support it (\(call): \(reason))"
        case .interfaceTaken(let name): "another XDP program is on \(name): take it off, or name other interfaces"
        case .noInterface(let name): "there is no interface \(name)"
        case .notEthernet(let name): "\(name) is not an Ethernet interface: name the interfaces by which packets come and go"
        case .refused(let reason): "the kernel's check refused the program: \(reason)"
        case .failed(let call, let reason): "\(call) failed: \(reason)"
        }
    }
}

/// A request method; names are case-sensitive (RFC 3261 §7.1).
package enum Method: Hashable, Sendable {
    case invite, ack, bye, cancel, register, options
    case prack, update, info, subscribe, notify, refer, message, publish
    case other(String)
}

extension Method: CustomStringConvertible {
    /// nil unless `name` is a token.
    package init?(_ name: String) {
        let bytes = Array(name.utf8)
        self.init(parsing: bytes, bytes.indices)
    }

    init?(parsing bytes: [UInt8], _ range: Range<Int>) {
        // What comes in every call first.
        if bytes.equals(range, "INVITE") { self = .invite; return }
        if bytes.equals(range, "ACK") { self = .ack; return }
        if bytes.equals(range, "BYE") { self = .bye; return }
        if bytes.equals(range, "REGISTER") { self = .register; return }
        guard bytes.isToken(range) else { return nil }
        switch bytes.text(range) {
        case "CANCEL": self = .cancel
        case "OPTIONS": self = .options
        case "PRACK": self = .prack
        case "UPDATE": self = .update
        case "INFO": self = .info
        case "SUBSCRIBE": self = .subscribe
        case "NOTIFY": self = .notify
        case "REFER": self = .refer
        case "MESSAGE": self = .message
        case "PUBLISH": self = .publish
        case let name: self = .other(name)
        }
    }

    package var description: String {
        switch self {
        case .invite: "INVITE"
        case .ack: "ACK"
        case .bye: "BYE"
        case .cancel: "CANCEL"
        case .register: "REGISTER"
        case .options: "OPTIONS"
        case .prack: "PRACK"
        case .update: "UPDATE"
        case .info: "INFO"
        case .subscribe: "SUBSCRIBE"
        case .notify: "NOTIFY"
        case .refer: "REFER"
        case .message: "MESSAGE"
        case .publish: "PUBLISH"
        case .other(let name): name
        }
    }
}

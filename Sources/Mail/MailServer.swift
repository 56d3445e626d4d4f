/// Where mail is handed over, and as whom.
package struct MailServer: Sendable {
    package enum Encryption: String, CaseIterable, Sendable {
        /// For a server on this machine alone.
        case none
        /// STARTTLS, or the message stays here.
        case starttls
        /// TLS from the first byte (port 465).
        case tls
    }

    package var host: String
    package var port: Int
    package var encryption: Encryption
    /// Empty: without logging in.
    package var user: String
    package var password: String
    /// A file of certificates to trust beside none; empty: the machine's.
    package var authorities = ""
    /// The address that mail comes from, and that bounces go to.
    package var from: String
    package var connectMilliseconds = 10_000
    package var totalMilliseconds = 60_000

    package init(host: String, port: Int, encryption: Encryption, from: String, user: String = "", password: String = "") {
        self.host = host
        self.port = port
        self.encryption = encryption
        self.from = from
        self.user = user
        self.password = password
    }

    var url: String {
        let host = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        return "\(encryption == .tls ? "smtps" : "smtp")://\(host):\(port)"
    }
}

extension MailServer: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(url) as \(user.isEmpty ? "nobody" : user)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// Why a message was not taken. Says nothing of whom it was for.
package enum MailError: Error, Equatable, Sendable {
    /// No server, or one that stopped in the middle.
    case unreachable(String)
    /// It answers with this code (RFC 5321 §4.2): from 500 on for good.
    case refused(code: Int)
    case noTLS(String)
    case noLogin

    /// Whether another attempt could end otherwise.
    package var isFinal: Bool {
        switch self {
        // The last four are about how the server is spoken to, which its operator can put right.
        case .refused(let code): code >= 500 && ![530, 534, 535, 538].contains(code)
        case .unreachable, .noTLS, .noLogin: false
        }
    }
}

extension MailError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreachable(let reason): "the mail server cannot be reached: \(reason)"
        case .refused(let code): "the mail server answers \(code)"
        case .noTLS(let reason): "no safe connection to the mail server: \(reason)"
        case .noLogin: "the mail server refuses the user name or the password"
        }
    }
}

/// What can be watched of a line (RFC 6665 §7).
enum EventPackage: String, CaseIterable {
    /// RFC 4235: whether it is in a call.
    case dialog
    /// RFC 3842: what waits in its voice mail.
    case messages = "message-summary"
    /// RFC 3856: whether it is there.
    case presence

    /// - Parameter header: the Event field, parameters and all.
    init?(header: String) {
        self.init(rawValue: header.prefix { $0 != ";" }.filter { $0 != " " }.lowercased())
    }

    var contentType: String {
        switch self {
        case .dialog: "application/dialog-info+xml"
        case .messages: "application/simple-message-summary"
        case .presence: "application/pidf+xml"
        }
    }
}

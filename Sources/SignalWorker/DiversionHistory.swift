import Model
import SIP

/// The places that a call came by: Diversion (RFC 5806) and History-Info (RFC 7044).
struct DiversionHistory {
    /// The newest first.
    private var diversions: [NameAddress] = []
    /// The oldest first.
    private var entries: [NameAddress] = []

    /// What a peer writes is passed on, but not without limit.
    private static let entriesMax = 20

    init() {}

    init(of invite: SIPMessage) {
        diversions = Array(invite.addresses(.diversion).prefix(Self.entriesMax))
        entries = Array(invite.addresses(.historyInfo).prefix(Self.entriesMax))
    }

    var fields: [(HeaderName, String)] {
        diversions.map { (.diversion, $0.description) } + entries.map { (.historyInfo, $0.description) }
    }

    /// Who has sent the call on.
    var users: Set<String> { Set(diversions.compactMap(\.uri.userDecoded)) }

    /// A line sends the call on.
    ///
    /// - Parameters:
    ///   - place: which of the places to which it does so, from 1 (RFC 7044 §10.3).
    ///   - isPrivate: the caller wants nobody outside to read of it.
    mutating func divert(_ line: URI, to target: URI, _ kind: ForwardKind, place: Int, isPrivate: Bool) {
        var diversion = NameAddress(uri: line)
        diversion.parameters.set("reason", kind.diversion)
        diversion.parameters.set("counter", "1")
        if isPrivate { diversion.parameters.set("privacy", "full") }
        diversions.insert(diversion, at: 0)

        // The last entry is the line, if who sent the call here wrote one for it.
        if entries.last?.uri.userDecoded != line.userDecoded || entries.isEmpty {
            var entry = NameAddress(uri: line)
            entry.parameters.set("index", entries.last.map { $0.index + ".1" } ?? "1")
            entries.append(entry)
        }
        let parent = entries[entries.count - 1].index
        let hides = isPrivate ? "&Privacy=history" : ""
        entries[entries.count - 1].uri.headers = "Reason=\("SIP;cause=\(kind.cause)".escapedForHeader)\(hides)"
        var entry = NameAddress(uri: target)
        if isPrivate { entry.uri.headers = "Privacy=history" }
        entry.parameters.set("index", "\(parent).\(place)")
        entry.parameters.set("mp", parent)
        entries.append(entry)
    }

    /// For those who are not trusted with it (RFC 5806 §5.1, RFC 7044 §10.1.2): that it happened, not to whom.
    mutating func hidePrivate() {
        for place in diversions.indices where ["full", "uri", "name"].contains(diversions[place].parameters["privacy"]?.lowercased()) {
            diversions[place].displayName = nil
            diversions[place].uri = CallMachine.anonymous.uri
        }
        for place in entries.indices where entries[place].uri.headers?.lowercased().contains("privacy=") == true {
            entries[place].displayName = nil
            entries[place].uri = CallMachine.anonymous.uri
        }
    }

    /// By the numbers that a carrier knows: the line that sent the call on last, and where it goes.
    ///
    /// - Parameter host: of names that are ours.
    mutating func rename(last line: URI, target: URI, of host: String) {
        guard let first = diversions.first, first.uri.host == host else { return }
        diversions[0].uri = line
        guard entries.count > 1, entries[entries.count - 1].uri.host == host, entries[entries.count - 2].uri.host == host else { return }
        for (place, uri) in [(entries.count - 2, line), (entries.count - 1, target)] {
            let headers = entries[place].uri.headers
            entries[place].uri = uri
            entries[place].uri.headers = headers
        }
    }
}

extension NameAddress {
    fileprivate var index: String { parameters["index"] ?? "1" }
}

extension SIPMessage {
    /// The caller wants the places that its call came by to stay unknown (RFC 7044 §10.1.2).
    var hidesHistory: Bool {
        headers.all(.privacy).contains { value in
            value.split(separator: ";").contains { ["history", "session", "header"].contains($0.filter { $0 != " " }.lowercased()) }
        }
    }
}

/// Whose pages may open a WebSocket (RFC 6455 §4.2.2, §10.2), as an operator names them: `https://phone.example.com`, or
/// `https://*.example.com` for all right below a name; for one of our own names alone with that before it, `sip.acme.example=https://…`.
package struct WebOrigins: Hashable, Sendable {
    private struct Entry: Hashable {
        /// Of ours, in lower case; nil: all of them.
        let host: String?
        let scheme: String
        /// With its port if it is not the scheme's own; after the star, if there is one.
        let name: String
        let isBelow: Bool
    }

    private var entries: [Entry] = []

    /// All may.
    package init() {}

    /// - Returns: nil: it is no origin.
    package mutating func add(_ text: String) -> Bool {
        let parts = text.asciiLowered.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let origin = parts.last, parts.count == 1 || !parts[0].isEmpty, let cut = WebOrigins.split(String(origin)) else { return false }
        let isBelow = cut.name.hasPrefix("*.")
        let name = isBelow ? String(cut.name.dropFirst()) : cut.name
        guard !name.contains("*"), name.count > 1, !name.contains("/"), !name.contains(" ") else { return false }
        entries.append(Entry(host: parts.count == 2 ? String(parts[0]) : nil, scheme: cut.scheme, name: name, isBelow: isBelow))
        return true
    }

    /// - Parameters:
    ///   - origin: as the browser says it, in lower case.
    ///   - host: which of ours it has opened, in lower case; a port behind it does not count.
    package func admit(_ origin: String, to host: String) -> Bool {
        guard !entries.isEmpty else { return true }
        let own = host.hasPrefix("[") ? host : String(host.prefix { $0 != ":" })
        let known = entries.filter { $0.host == nil || $0.host == own }
        guard let cut = WebOrigins.split(origin) else { return false }
        return known.contains { entry in
            guard entry.scheme == cut.scheme else { return false }
            guard entry.isBelow else { return entry.name == cut.name }
            return cut.name.hasSuffix(entry.name) && !cut.name.dropLast(entry.name.count).isEmpty && !cut.name.dropLast(entry.name.count).contains(".")
        }
    }

    private static func split(_ origin: String) -> (scheme: String, name: String)? {
        for scheme in ["https", "http"] where origin.hasPrefix(scheme + "://") {
            var name = String(origin.dropFirst(scheme.count + 3))
            // A browser leaves the scheme's own port out (RFC 6454 §6.1).
            let usual = scheme == "https" ? ":443" : ":80"
            if name.hasSuffix(usual) { name.removeLast(usual.count) }
            return name.isEmpty ? nil : (scheme, name)
        }
        return nil
    }
}

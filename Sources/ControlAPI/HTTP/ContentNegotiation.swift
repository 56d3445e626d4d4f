/// Just enough of media types to say 406 and 415 (RFC 9110 §8.3.1, §12.5.1).
enum ContentNegotiation {
    static let json = "application/json"
    static let mergePatch = "application/merge-patch+json"
    static let text = "text/plain"

    /// Whether a client that sent this Accept field takes `type`. No field: it takes anything.
    static func accepts(_ type: String, _ field: String?) -> Bool {
        guard let field, !field.trimmed.isEmpty else { return true }
        let family = type.prefix { $0 != "/" } + "/*"
        return field.split(separator: ",").contains { range in
            let (name, parameters) = parts(String(range))
            let isRefused = parameters.contains { $0.name == "q" && Double($0.value) == 0 }
            return !isRefused && (name == "*/*" || name == family || name == type)
        }
    }

    /// Whether a body of this Content-Type is one of `types`, in UTF-8.
    static func isOne(of types: [String], _ field: String?) -> Bool {
        guard let field else { return false }
        let (name, parameters) = parts(field)
        return types.contains(name) && parameters.allSatisfy { $0.name != "charset" || $0.value == "utf-8" }
    }

    private static func parts(_ text: String) -> (name: String, parameters: [(name: String, value: String)]) {
        let pieces = text.split(separator: ";").map { String($0).trimmed.lowercased() }
        let parameters = pieces.dropFirst().map { piece in
            let sides = piece.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            return (name: sides.first ?? "", value: (sides.dropFirst().first ?? "").filter { $0 != "\"" })
        }
        return (pieces.first ?? "", parameters)
    }
}

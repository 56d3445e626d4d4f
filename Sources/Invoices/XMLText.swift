/// Writes XML element by element, so that nothing that somebody typed in becomes markup.
struct XMLText {
    private(set) var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    private var open: [String] = []

    mutating func begin(_ name: String, _ attributes: KeyValuePairs<String, String> = [:]) {
        indent()
        text += "<" + name + Self.written(attributes) + ">\n"
        open.append(name)
    }

    mutating func end() {
        guard let name = open.popLast() else { return }
        indent()
        text += "</" + name + ">\n"
    }

    mutating func element(_ name: String, _ value: String, _ attributes: KeyValuePairs<String, String> = [:]) {
        indent()
        text += "<" + name + Self.written(attributes) + ">" + Self.escaped(value) + "</" + name + ">\n"
    }

    /// Left out when there is nothing to say: EN 16931 refuses empty elements.
    mutating func element(ifAny name: String, _ value: String, _ attributes: KeyValuePairs<String, String> = [:]) {
        if !value.isEmpty { element(name, value, attributes) }
    }

    private mutating func indent() { text += String(repeating: "  ", count: open.count) }

    private static func written(_ attributes: KeyValuePairs<String, String>) -> String {
        attributes.reduce("") { $0 + " " + $1.key + "=\"" + escaped($1.value) + "\"" }
    }

    /// Characters that XML 1.0 cannot hold are left out (§2.2).
    static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\t", "\n", "\r", "\u{20}"..."\u{D7FF}", "\u{E000}"..."\u{FFFD}", "\u{10000}"..."\u{10FFFF}": result.unicodeScalars.append(scalar)
            default: break
            }
        }
        return result
    }
}

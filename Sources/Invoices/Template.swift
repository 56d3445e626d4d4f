import Foundation

/// A page with gaps, in the part of Mustache that an invoice needs: `{{name}}` is text, always escaped; `{{#list}}…{{/list}}` goes once over
/// each item, or is left out when there is none; `{{^list}}…{{/list}}` stands when there is none; `{{! … }}` says something to whoever
/// reads the template. There is no way to put in text as it is: what a customer is called cannot become a part of the page.
package struct Template: Sendable {
    indirect enum Node: Sendable {
        case text(String)
        case value(String)
        case section(String, [Node], isInverted: Bool)
    }
    let nodes: [Node]

    package enum Value: Sendable {
        case text(String)
        case list([[String: Value]])
    }

    package init(_ source: String) throws(TemplateError) {
        var rest = Substring(source)
        var open: [(name: String, isInverted: Bool, nodes: [Node])] = []
        var nodes: [Node] = []
        while let start = rest.range(of: "{{") {
            nodes.append(.text(String(rest[..<start.lowerBound])))
            rest = rest[start.upperBound...]
            guard let end = rest.range(of: "}}") else { throw .notClosed(String(rest.prefix(20))) }
            let tag = rest[..<end.lowerBound].trimmed
            rest = rest[end.upperBound...]
            guard let mark = tag.first else { throw .badTag("") }
            let name = tag.dropFirst().trimmed
            switch mark {
            case "!": break
            case "#", "^":
                guard Self.isName(name) else { throw .badTag(tag) }
                guard open.count < 8 else { throw .tooDeep }
                open.append((name, mark == "^", nodes))
                nodes = []
            case "/":
                guard let last = open.popLast(), last.name == name else { throw .badEnd(name) }
                nodes = last.nodes + [.section(name, nodes, isInverted: last.isInverted)]
            default:
                guard Self.isName(tag) else { throw .badTag(tag) }
                nodes.append(.value(tag))
            }
        }
        if let last = open.last { throw .notClosed("#" + last.name) }
        nodes.append(.text(String(rest)))
        self.nodes = nodes
    }

    /// A name that is not there is empty, so that a template of a newer version does not fail on an older invoice.
    package func filled(with values: [String: Value]) -> String {
        var out = ""
        Self.write(nodes, [values], &out)
        return out
    }

    private static func write(_ nodes: [Node], _ scopes: [[String: Value]], _ out: inout String) {
        for node in nodes {
            switch node {
            case .text(let text): out += text
            case .value(let name): if case .text(let text)? = find(name, scopes) { out += escaped(text) }
            case .section(let name, let inner, let isInverted):
                let items: [[String: Value]] =
                    switch find(name, scopes) {
                    case .list(let items)?: items
                    case .text(let text)?: text.isEmpty ? [] : [[:]]
                    case nil: []
                    }
                if isInverted {
                    if items.isEmpty { write(inner, scopes, &out) }
                } else {
                    for item in items { write(inner, scopes + [item], &out) }
                }
            }
        }
    }

    private static func find(_ name: String, _ scopes: [[String: Value]]) -> Value? {
        for scope in scopes.reversed() { if let value = scope[name] { return value } }
        return nil
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F || $0 == 0x2E }
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

package enum TemplateError: Error, Equatable, CustomStringConvertible {
    case notClosed(String)
    case badTag(String)
    case badEnd(String)
    case tooDeep

    package var description: String {
        switch self {
        case .notClosed(let what): "{{\(what) is not closed"
        case .badTag(let tag): "{{\(tag)}} is no tag: names have small letters, digits, points and low lines"
        case .badEnd(let name): "{{/\(name)}} ends a section that is not open there"
        case .tooDeep: "sections stand more than 8 deep in one another"
        }
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

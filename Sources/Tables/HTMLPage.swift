/// A plain page for a person: headings, sentences and tables in one file, without scripts, that prints as it is shown.
public struct HTMLPage: Sendable {
    private let title: String
    private var body = ""

    public init(title: String) { self.title = title }

    public mutating func heading(_ text: String, level: Int = 2) {
        body += "<h\(level)>\(Self.escaped(text))</h\(level)>\n"
    }

    public mutating func paragraph(_ text: String, kind: String? = nil) {
        body += "<p\(kind.map { " class=\"\(Self.escaped($0))\"" } ?? "")>\(Self.escaped(text))</p>\n"
    }

    /// - Parameter figures: columns whose cells are figures, set to the right.
    public mutating func table(_ header: [String], _ rows: [[String]], figures: Set<Int> = [], total: [String]? = nil) {
        body += "<table>\n"
        if !header.isEmpty { body += "<thead>" + row(header, "th", figures) + "</thead>\n" }
        body += "<tbody>\n"
        for cells in rows { body += row(cells, "td", figures) + "\n" }
        body += "</tbody>\n"
        if let total { body += "<tfoot>" + row(total, "td", figures) + "</tfoot>\n" }
        body += "</table>\n"
    }

    /// Names and what they are, one pair a line.
    public mutating func facts(_ facts: [(String, String)]) {
        body += "<table class=\"facts\">\n"
        for (name, value) in facts { body += "<tr><th>\(Self.escaped(name))</th><td>\(Self.escaped(value))</td></tr>\n" }
        body += "</table>\n"
    }

    public mutating func preformatted(_ text: String) { body += "<pre>\(Self.escaped(text))</pre>\n" }

    private func row(_ cells: [String], _ tag: String, _ figures: Set<Int>) -> String {
        var text = "<tr>"
        for (index, cell) in cells.enumerated() {
            text += "<\(tag)\(figures.contains(index) ? " class=\"figure\"" : "")>\(Self.escaped(cell))</\(tag)>"
        }
        return text + "</tr>"
    }

    public var text: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(Self.escaped(title))</title>
        <style>
        body { font: 15px/1.5 "Liberation Sans", Arial, sans-serif; color: #1a1a1a; background: #fff; max-width: 62rem; margin: 2rem auto; padding: 0 1.25rem; }
        h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .75rem; }
        h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #bbb; padding-bottom: .2rem; }
        p { margin: .5rem 0; max-width: 46rem; }
        p.good { border-left: .3rem solid #2b7a3d; padding-left: .75rem; }
        p.bad { border-left: .3rem solid #b3261e; padding-left: .75rem; }
        table { border-collapse: collapse; margin: .5rem 0 1rem; font-size: .9rem; }
        th, td { text-align: left; vertical-align: top; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #e2e2e2; overflow-wrap: break-word; }
        thead th { border-bottom: 1px solid #666; font-weight: 600; overflow-wrap: normal; }
        tfoot td { border-top: 1px solid #666; border-bottom: none; font-weight: 600; }
        .facts th { font-weight: 600; min-width: 9rem; overflow-wrap: normal; }
        .figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        pre { font: .78rem/1.4 "Liberation Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
        @media print { body { margin: 0; max-width: none; font-size: 10pt; } h2 { break-after: avoid; } tr { break-inside: avoid; } thead { display: table-header-group; } }
        </style>
        </head>
        <body>
        \(body)</body>
        </html>

        """
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

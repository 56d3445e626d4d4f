import Foundation

/// Lists of the HTTP API as commands print them.
enum Listing {
    /// Every item of a list, page by page.
    static func items(_ client: APIClient, _ path: String) async throws -> [[String: Any]] {
        var found: [[String: Any]] = []
        var next: String? = ""
        while let after = next {
            let page = try await client.request("GET", "\(path)?limit=500" + (after.isEmpty ? "" : "&after=\(after)"))
            found += page["items"] as? [[String: Any]] ?? []
            next = page["next"] as? String
        }
        return found
    }

    /// Columns as wide as their widest cell.
    static func table(_ rows: [[String]]) -> String {
        guard let head = rows.first else { return "" }
        let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { $0 == row.count - 1 ? row[$0] : row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    static func text(_ value: Any?) -> String { value.map { $0 is NSNull ? "-" : "\($0)" } ?? "-" }

    /// `2.50 EUR`
    static func money(_ value: Any?) -> String {
        guard let money = value as? [String: Any] else { return "-" }
        return "\(text(money["amount"])) \(text(money["currency"]))"
    }

    /// The day and the minute.
    static func time(_ value: Any?) -> String {
        let text = text(value)
        return text.count > 16 ? String(text.prefix(16)).replacingOccurrences(of: "T", with: " ") : text
    }
}

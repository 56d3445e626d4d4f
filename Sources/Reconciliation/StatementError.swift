/// Why a statement cannot be read at all.
package enum StatementError: Error, Hashable, Sendable, CustomStringConvertible {
    case empty
    /// A part of the map that is not `role=column`.
    case unknownRole(String)
    case noSuchColumn(String, header: [String])
    /// Not given, and no column's name tells.
    case noColumn(ColumnMap.Role, header: [String])
    /// More lines than not are not calls; the first reason.
    case mostlyUnreadable(unreadable: Int, of: Int, first: String)

    package var description: String {
        switch self {
        case .empty: "the file holds no table"
        case .unknownRole(let part):
            "\"\(part)\" is not a part of a map: write role=column, the roles are \(ColumnMap.Role.allCases.map(\.rawValue).joined(separator: ", "))"
        case .noSuchColumn(let name, let header):
            "there is no column \"\(name)\": \(Self.columns(header))"
        case .noColumn(let role, let header):
            "which column is \"\(role.rawValue)\"? Say it with --map \(role.rawValue)=NAME or =NUMBER: \(Self.columns(header))"
        case .mostlyUnreadable(let unreadable, let total, let first):
            "\(unreadable) of \(total) lines cannot be read, so the map must be wrong; the first: \(first)"
        }
    }

    private static func columns(_ header: [String]) -> String {
        header.isEmpty ? "the file has no header, count the columns from 1" : "the file has \(header.map { "\"\($0)\"" }.joined(separator: ", "))"
    }
}

import Model

extension Right {
    /// The roles that hold it, for people: `read_only, billing or support`.
    var holders: String {
        let words = rule.duties.map(\.word)
        guard let last = words.last, words.count > 1 else { return words.first ?? "nothing" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}

extension Duty {
    var word: String {
        switch self {
        case .administer: "an administrator's role"
        case .read: "read_only"
        case .bill: "billing"
        case .support: "support"
        case .use: "user"
        }
    }
}

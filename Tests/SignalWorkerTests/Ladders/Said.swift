/// Something that a worker said, with the words that a promise may use of it.
struct Said: CustomStringConvertible {
    let milliseconds: Int
    let from: String
    let to: String
    /// The first word is what it is: a method, a status, the name of a bus message.
    let kind: String
    /// All that is true of it: `sdp`, `port=30002`, `busy` …
    let facts: Set<String>

    /// Whether it is of that kind and all further words are true of it; `-word`: not true.
    func matches(_ words: [String]) -> Bool {
        words.first == kind
            && words.dropFirst().allSatisfy { $0.hasPrefix("-") ? !facts.contains(String($0.dropFirst())) : facts.contains($0) }
    }

    var description: String { "\(milliseconds) ms \(from) -> \(to) \(kind) \(facts.sorted().joined(separator: " "))" }
}

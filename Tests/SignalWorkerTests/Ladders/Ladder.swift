/// A call told as a ladder. First the setting, one line for each thing that differs from the usual; then steps:
///
///     0 ms   alice -> w1     INVITE 1001
///            w1    -> alice  100
///            w1    -> desk   StartCall
///
/// A step of a worker is a promise, and nothing else may come; a step of anybody else is what happens to it. A time is
/// counted from the start; a promise with a time is kept exactly then. `#` starts a comment.
struct Ladder {
    struct Step {
        let line: Int
        /// Milliseconds from the start; nil: at the time of the step before.
        let time: Int?
        let from: String
        let to: String
        let words: [String]
    }

    struct SyntaxError: Error {
        let line: Int
        let text: String
    }

    private(set) var settings: [[String]] = []
    private(set) var steps: [Step] = []

    init(_ text: String) throws {
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var words = raw.prefix { $0 != "#" }.split(separator: " ").map(String.init)
            guard !words.isEmpty else { continue }
            var time: Int?
            if words.count > 2, let number = Int(words[0]), let unit = ["ms": 1, "s": 1_000][words[1]] {
                time = number * unit
                words.removeFirst(2)
            }
            if words.count > 3, words[1] == "->" {
                steps.append(Step(line: index + 1, time: time, from: words[0], to: words[2], words: Array(words[3...])))
            } else if words.count == 2, words[0] == "kill" {
                steps.append(Step(line: index + 1, time: time, from: "kill", to: words[1], words: []))
            } else if steps.isEmpty, time == nil {
                settings.append(words)
            } else {
                throw SyntaxError(line: index + 1, text: String(raw))
            }
        }
    }

    /// The words after the first of the setting line that starts so; nil when there is none.
    func setting(_ name: String) -> [String]? { settings.first { $0[0] == name }.map { Array($0.dropFirst()) } }
}

import ArgumentParser

/// A length of time on the command line: `5s`, `500ms`, `2m`.
struct TimeSpan: ExpressibleByArgument {
    let milliseconds: Int64

    init(milliseconds: Int64) { self.milliseconds = milliseconds }

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        guard let value = Int64(digits), value < 1_000_000_000 else { return nil }
        switch argument.dropFirst(digits.count) {
        case "ms": milliseconds = value
        case "s", "": milliseconds = value * 1_000
        case "m", "min": milliseconds = value * 60_000
        default: return nil
        }
    }

    var defaultValueDescription: String { milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000)s" : "\(milliseconds)ms" }
}

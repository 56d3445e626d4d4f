import Foundation
import Primitives

/// A line on a terminal that tells how far a long command is, from the third second on.
struct Progress {
    private let what: String
    private let unit: String
    private let began = Date()
    private var last = Date()
    private let isTerminal = isatty(2) == 1

    init(_ what: String, unit: String = "events") {
        self.what = what
        self.unit = unit
    }

    mutating func tell(_ done: UInt64, of total: UInt64) {
        let now = Date()
        guard isTerminal, now.timeIntervalSince(began) > 2, now.timeIntervalSince(last) > 0.5 else { return }
        last = now
        let rate = Double(done) / now.timeIntervalSince(began)
        let left = rate > 0 ? Int(Double(total - min(total, done)) / rate) : 0
        let line = "\r\(what): \(done) of \(total) \(unit), \(Int(rate))/s, \(left) s left   "
        FileHandle.standardError.write(Data(line.utf8))
    }

    func end() {
        if isTerminal, last > began { FileHandle.standardError.write(Data("\n".utf8)) }
    }
}

import Foundation
import LMDB
import Ledger
import Projections

/// Rebuilds, swaps and swaps back the views of DIR for ever, until somebody kills it. Says "swapped" after each.
let directory = CommandLine.arguments.dropFirst().first ?? "."
do {
    let log = try LMDBEventLog(directory: directory + "/ledger", sizeMax: 1 << 28, durability: .none)
    let opening = try Views.open(
        directory: directory + "/views", next: directory + "/views.next", former: directory + "/views.former", log: log)
    FileHandle.standardOutput.write(Data("opened \(opening.condition) \(opening.events)\n".utf8))
    let names: [[String]?] = [nil, ["accounts"], ["live_calls", "cdrs"]]
    var round = 0
    while true {
        let next = try opening.views.rebuildBeside(directory + "/views.next", names[round % 3], from: log) { _, _ in true }
        guard let next else { exit(70) }
        let former = try opening.views.swap(with: next, from: log, keepingFormerIn: directory + "/views.former")
        if round % 2 == 0 {
            _ = try opening.views.swap(with: former, from: log, keepingFormerIn: directory + "/views.former")
        }
        FileHandle.standardOutput.write(Data("swapped\n".utf8))
        round += 1
    }
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(70)
}

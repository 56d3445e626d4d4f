import Foundation
import Primitives
import Testing

@testable import Ledger

/// Pages of the last commit, or its root, are torn in the file that a killed writer left: the log opens at a commit
/// boundary or is refused with words; it never shows half a commit.
@Suite struct TornFileTests {
    private static let pageBytes = 4_096

    private enum Damage: CaseIterable {
        case zeroed
        /// What was there before.
        case stale
        /// The second half is what was there before.
        case firstHalfWritten
        case secondHalfWritten
        case garbage
    }

    /// The file before and after its last commit, of three events, by a writer that was killed.
    private func files() throws -> (before: [UInt8], after: [UInt8], heads: [UInt64]) {
        let directory = try TemporaryDirectory()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try program())
        process.arguments = ["append", directory.path, "7"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        var lines = 0
        while lines < 40 { lines += pipe.fileHandleForReading.availableData.count { $0 == 0x0A } }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        _ = pipe.fileHandleForReading.readDataToEndOfFile()

        let path = directory.path + "/data.mdb"
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        var heads: [UInt64] = []
        do {
            let log = try LMDBEventLog(directory: directory.path)
            heads.append(log.head)
            // A cause of 2 has three events: the check of the writer counts them.
            var last = commit([event(1, size: 1_500), event(2, on: 2, size: 1_500), event(3, on: 3, size: 1_500)])
            last.cause = "2"
            _ = try log.append([last])
            heads.append(log.head)
        }
        return (Array(before), Array(try Data(contentsOf: URL(fileURLWithPath: path))), heads)
    }

    /// What a process says that opens such a file, goes on with it and reads it again.
    private func opened(_ file: some Collection<UInt8>) throws -> String {
        let directory = try TemporaryDirectory()
        try Data(file).write(to: URL(fileURLWithPath: directory.path + "/data.mdb"))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try program())
        process.arguments = ["check", directory.path]
        process.environment = ["SWIFT_BACKTRACE": "enable=no"]
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile() + errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let end = process.terminationReason == .exit ? "\(process.terminationStatus)" : "signal \(process.terminationStatus)"
        return end + " " + String(decoding: said, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func isSound(_ said: String, _ heads: [UInt64]) -> Bool {
        heads.contains { said == "0 open \($0) true true" } || said.hasPrefix("70 the log's file is damaged")
            || said.hasPrefix("70 event ") || said.hasPrefix("70 the tree lacks tile")
    }

    /// Each page that the last commit wrote, in each way of being torn, beginning with the root in `file`.
    private func tear(
        _ file: [UInt8], _ before: [UInt8], _ after: [UInt8], _ body: (Damage, [UInt8], Comment) throws -> Void
    ) throws {
        var random = RandomSource(seed: 11)
        for page in 2..<(after.count / Self.pageBytes) {
            let range = (page * Self.pageBytes)..<((page + 1) * Self.pageBytes)
            let old = range.upperBound <= before.count ? Array(before[range]) : [UInt8](repeating: 0, count: Self.pageBytes)
            guard old != Array(after[range]) else { continue }
            let half = range.lowerBound + Self.pageBytes / 2
            for damage in Damage.allCases {
                var file = file
                switch damage {
                case .zeroed: file.replaceSubrange(range, with: [UInt8](repeating: 0, count: Self.pageBytes))
                case .stale: file.replaceSubrange(range, with: old)
                case .firstHalfWritten: file.replaceSubrange(half..<range.upperBound, with: old[(Self.pageBytes / 2)...])
                case .secondHalfWritten: file.replaceSubrange(range.lowerBound..<half, with: old[..<(Self.pageBytes / 2)])
                case .garbage: file.replaceSubrange(range, with: random.bytes(Self.pageBytes))
                }
                try body(damage, file, "page \(page), \(damage)")
            }
        }
    }

    /// Power fails while pages are written: the root comes after all of them, so it is still the one before.
    @Test func whateverIsTornBeforeTheRootIsWrittenTheLogOpensAtTheCommitBefore() throws {
        let (before, after, heads) = try files()
        #expect(try opened(after) == "0 open \(heads[1]) true true")
        let unfinished = Array(before[..<(2 * Self.pageBytes)]) + after[(2 * Self.pageBytes)...]
        var tried = 0
        try tear(unfinished, before, after) { _, file, comment in
            let said = try opened(file)
            #expect(said == "0 open \(heads[0]) true true", comment)
            tried += 1
        }
        #expect(tried >= 20)
    }

    /// A disk that said it had flushed a page and had not. LMDB's pages have no checksums, so a page of half old and half new
    /// content may be found by verification alone, or end the process; a page that was lost whole is refused.
    @Test func aPageThatTheDiskLostIsRefusedAndNoTornOneIsTakenForIntact() throws {
        let (before, after, heads) = try files()
        try tear(after, before, after) { damage, file, comment in
            let said = try opened(file)
            switch damage {
            case .zeroed: #expect(isSound(said, heads), comment)
            case .stale, .firstHalfWritten, .secondHalfWritten, .garbage:
                let isTakenForIntact = said.hasPrefix("0 open") && said.split(separator: " ").dropFirst(3).first == "true"
                #expect(isSound(said, heads) || !isTakenForIntact, comment)
            }
        }
    }

    /// The root is 120 bytes in one sector; a disk writes a sector whole, so a cut inside it is more than a disk does.
    @Test func aTornRootOpensAtTheCommitBeforeOrIsRefused() throws {
        let (before, after, heads) = try files()
        // Two roots are written in turn; the newer one differs.
        let roots = [0, Self.pageBytes]
        let newer = try #require(roots.first { before[$0..<($0 + 256)] != after[$0..<($0 + 256)] })
        for cut in stride(from: 0, through: 152, by: 8) {
            var file = after
            file.replaceSubrange((newer + cut)..<(newer + Self.pageBytes), with: before[(newer + cut)..<(newer + Self.pageBytes)])
            let said = try opened(file)
            #expect(isSound(said, heads), "cut at \(cut): \(said)")
        }
        var file = after
        file.replaceSubrange(newer..<(newer + Self.pageBytes), with: [UInt8](repeating: 0, count: Self.pageBytes))
        #expect(try opened(file) == "70 the log's file is damaged: it is left as it is, restore a backup or copy it from another machine")
    }

    @Test func aFileThatLostItsEndIsRefused() throws {
        let (_, after, heads) = try files()
        for lost in [1, Self.pageBytes, 3 * Self.pageBytes, after.count / 2] {
            let said = try opened(after.dropLast(lost))
            #expect(said.hasPrefix("70 the log's file is damaged") || isSound(said, heads), "\(lost) bytes lost: \(said)")
        }
    }
}

import Foundation
import Ledger
import Primitives

/// A writer for the ledger's tests of what a process cannot do to itself.
///
///     crash-writer append DIR SEED   appends for ever and prints the last sequence of each acknowledged commit
///     crash-writer record DIR SEED   the same; most of it by way of the journal, published now and then by another thread
///     crash-writer fill DIR          appends until the files may not grow any more, then once more when they may
///     crash-writer fill DIR BALLAST  the same on a small file system: room is made by removing the file BALLAST
///     crash-writer hold DIR          opens the log for writing and keeps it until its input ends
///     crash-writer check DIR         opens, verifies, appends once more, verifies again
let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
    FileHandle.standardError.write(Data("usage: crash-writer append|record DIR SEED | fill DIR [BALLAST] | hold DIR | check DIR\n".utf8))
    exit(64)
}

func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

func commit(_ number: UInt64, _ random: inout RandomSource, size: Int) -> Commit {
    let events = (0..<(1 + number % 3)).map { index in
        NewEvent(
            stream: UUIDv7(high: 0x0190_0000_0000_7000, low: 1 << 63 | (number + index) % 16), type: "test.happened",
            schemaVersion: 1, payload: random.bytes(size))
    }
    return Commit(events: events, actor: "crash-writer", cause: "\(number)", time: WallTime(microseconds: Int64(number)))
}

/// Whether the commit of the last event is there from its first event to its last.
func endsWhole(_ log: LMDBEventLog) throws -> Bool {
    guard let last = try log.event(at: log.head) else { return log.head == 0 }
    return log.head - last.commit == (UInt64(last.cause) ?? 0) % 3
}

do {
    let log = try LMDBEventLog(directory: arguments[2])
    var random = RandomSource(seed: arguments.count > 3 ? UInt64(arguments[3]) ?? 0 : 0)
    switch arguments[1] {
    case "append":
        var number = log.head
        while true {
            let batch = (0..<(1 + random.next() % 4)).map { commit(number + $0, &random, size: Int(random.next() % 500)) }
            guard case .appended(let range)? = try log.append(batch).last else { exit(70) }
            number = range.upperBound
            say("\(number)")
        }
    case "record":
        var number = log.head
        let publisher = LogPublisher(log)
        while true {
            let batch = (0..<(1 + random.next() % 4)).map { commit(number + $0, &random, size: Int(random.next() % 5_000)) }
            let isRecorded = random.next() % 8 != 0
            guard case .appended(let range)? = try (isRecorded ? log.record(batch) : log.append(batch)).last else { exit(70) }
            number = range.upperBound
            say("\(number)")
            publisher.recorded()
            if random.next() % 50 == 0 { try log.publish() }
        }
    case "fill":
        // The kernel refuses to grow any file of this process beyond the limit, as a full disk would.
        signal(SIGXFSZ, SIG_IGN)
        let ballast = arguments.count > 3 ? arguments[3] : nil
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        let most = limit.rlim_max
        limit.rlim_cur = 512 * 1_024
        if ballast == nil { setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) }
        var number: UInt64 = 0
        do {
            while number < 10_000 {
                let next = commit(number, &random, size: 4_000)
                _ = try number % 2 == 0 ? log.record([next]) : log.append([next])
                number += 1
            }
        } catch {
            say("refused \(error)")
        }
        let kept = log.recorded.head
        say("kept \(kept) \(try LogVerifier(log).run().isIntact && endsWhole(log))")
        if let ballast { unlink(ballast) }
        limit.rlim_cur = most
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        let outcome = try log.append([commit(0, &random, size: 4_000)])
        say("then \(outcome == [.appended(kept + 1...kept + 1)]) \(try LogVerifier(log).run().isIntact)")
    case "hold":
        say("open")
        _ = FileHandle.standardInput.readDataToEndOfFile()
        exit(log.head == 0 ? 0 : 1)
    case "check":
        let head = log.head
        let isIntact = try LogVerifier(log).run().isIntact && endsWhole(log)
        let outcome = try log.append([commit(0, &random, size: 300)])
        say("open \(head) \(isIntact) \(try outcome == [.appended(head + 1...head + 1)] && LogVerifier(log).run().isIntact)")
    default: exit(64)
    }
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(70)
}

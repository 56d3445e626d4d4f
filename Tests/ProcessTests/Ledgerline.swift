import Foundation
import Testing

/// The command under test, run as a person would.
struct Ledgerline {
    static let binary: URL = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("ledgerline")
    }()

    /// Runs to the end; everything that it printed.
    static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = binary
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = readToEnd(of: pipe)
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}

/// A server that a test started, and that ends with it, and with it whatever it has started itself.
final class Server: Sendable {
    private let process: Child
    private let log: URL
    var pid: Int32 { process.pid }
    var isRunning: Bool { process.status == nil }

    init(_ arguments: [String], log: String, program: String? = nil) throws {
        self.log = URL(fileURLWithPath: log)
        try Data().write(to: self.log)
        process = try Child(program ?? Ledgerline.binary.path, arguments, output: log)
    }

    var text: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    /// What follows `marker` on its line, as soon as it is printed.
    func wait(for marker: String, seconds: Double = 60) throws -> String {
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline {
            if let range = text.range(of: marker) {
                return String(text[range.upperBound...].prefix { $0 != "\n" })
            }
            if !isRunning { break }
            usleep(20_000)
        }
        throw ServerFailure(description: "no \"\(marker)\" within \(seconds) s; printed: \(text.suffix(1_500)); threads: \(threads)")
    }

    /// What each thread of the process does, as the kernel sees it: name, state, where it waits, ticks of the clock it has had.
    private var threads: String {
        let tasks = "/proc/\(pid)/task"
        func read(_ task: String, _ file: String) -> String {
            ((try? String(contentsOfFile: "\(tasks)/\(task)/\(file)", encoding: .utf8)) ?? "?").trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let all = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return all.sorted().map { task in
            let fields = read(task, "stat").components(separatedBy: ") ").last?.split(separator: " ") ?? []
            let (state, ticks) = fields.count > 12 ? (fields[0], "\(fields[11])+\(fields[12])") : ("?", "?")
            return "\(read(task, "comm")) \(state) \(read(task, "wchan")) \(ticks)"
        }.joined(separator: "; ")
    }

    func stop() -> Int32 {
        kill(pid, SIGTERM)
        return process.waitUntilExit()
    }

    func end() -> Int32 { process.waitUntilExit() }

    func kill9() {
        kill(pid, SIGKILL)
        _ = process.waitUntilExit()
    }
}

struct ServerFailure: Error, CustomStringConvertible { let description: String }

/// A directory that is removed with the test.
final class Scratch {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("ledgerline-process-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

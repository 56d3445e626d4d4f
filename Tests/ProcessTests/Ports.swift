import Foundation
import Synchronization

/// Ports for the servers of tests. They are taken in blocks that belong to one run of the tests at a time, and each port is tried
/// before it is handed out, so that neither another run nor another program is disturbed.
enum Ports {
    /// Below those that the system gives to clients, and those that the phones of the tests take for their sound (`tools/lib/phone.py`).
    private static let all = 10_000..<20_000
    private static let blockSize = 1_000
    private static let state = Mutex(State())

    private struct State {
        /// What is left of the block that is in use.
        var rest = 0..<0
        /// Sockets by which the blocks are held, until the process ends.
        var locks: [Int32] = []
        var firsts: [Int] = []
    }

    /// The first of `count` ports in a row that are free for UDP and TCP, handed out once.
    static func take(_ count: Int = 1) -> Int {
        state.withLock { state in
            while true {
                let run = state.rest.prefix(count)
                guard run.count == count else {
                    state.rest = nextBlock(&state)
                    continue
                }
                guard let taken = run.last(where: { !isFree($0) }) else {
                    state.rest.removeFirst(count)
                    return run.startIndex
                }
                state.rest = (taken + 1)..<state.rest.upperBound
            }
        }
    }

    /// One that no other run holds; if there is none any more, the first of our own once more.
    private static func nextBlock(_ state: inout State) -> Range<Int> {
        for first in stride(from: all.lowerBound, to: all.upperBound, by: blockSize) where !state.firsts.contains(first) {
            guard let lock = hold("ledgerline-tests-ports-\(first)") else { continue }
            state.locks.append(lock)
            state.firsts.append(first)
            return first..<(first + blockSize)
        }
        precondition(!state.firsts.isEmpty, "ten runs of the tests hold all ports")
        state.firsts.append(state.firsts.removeFirst())
        return state.firsts[state.firsts.count - 1]..<(state.firsts[state.firsts.count - 1] + blockSize)
    }

    /// A name in the kernel's own space (unix(7), abstract): whoever binds it first has it, and it goes with the process.
    private static func hold(_ name: String) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = [0] + Array(name.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let isHeld = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 }
        }
        if isHeld { return descriptor }
        close(descriptor)
        return nil
    }

    /// As `--ports` takes them.
    static func range(_ count: Int) -> String {
        let first = take(count)
        return "\(first)-\(first + count - 1)"
    }

    /// Whether somebody has the UDP port (or that of TCP, with `table` `tcp`) now, or takes it in so many seconds. Looked up and not tried, which would be in the way
    /// of whoever takes it.
    static func isTaken(_ port: Int, in table: String = "udp", within seconds: Double) async throws -> Bool {
        let deadline = Date().addingTimeInterval(seconds)
        let digits = String(port, radix: 16, uppercase: true)
        let local = ":" + String(repeating: "0", count: 4 - digits.count) + digits + " "
        while !sockets(table).contains(local) {
            guard Date() < deadline else { return false }
            try await Task.sleep(for: .milliseconds(10))
        }
        return true
    }

    /// How many connections there are to the port of TCP on loopback. The list of sockets gives number, local address, remote address, state; 01 is ESTABLISHED.
    static func connections(to port: Int) -> Int {
        let digits = String(port, radix: 16, uppercase: true)
        let remote = "0100007F:" + String(repeating: "0", count: 4 - digits.count) + digits
        return sockets("tcp").split(separator: "\n").filter { line in
            let fields = line.split(separator: " ")
            return fields.count > 3 && fields[2] == remote && fields[3] == "01"
        }.count
    }

    /// The kernel's list. Foundation takes a read that is short for the end of the file, and the kernel gives a page at a time.
    private static func sockets(_ table: String) -> String {
        let descriptor = open("/proc/net/" + table, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(descriptor, &part, part.count), count > 0 { text += part.prefix(count) }
        return String(decoding: text, as: UTF8.self)
    }

    /// A server that another test starts at that moment must not inherit what tries the port: it would hold it as long as it runs.
    private static func isFree(_ port: Int) -> Bool {
        [SOCK_DGRAM, SOCK_STREAM].allSatisfy { kind in
            let descriptor = socket(AF_INET, Int32(kind.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { return false }
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            return withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
            }
        }
    }
}

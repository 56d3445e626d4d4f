import Foundation
import Synchronization

/// Ports for the servers of tests. Two runs of the tests at once start at different places, and each port is tried before it is
/// handed out, so neither disturbs the other.
enum Ports {
    /// Below those that the system gives to clients.
    private static let all = 10_000..<32_000
    private static let next = Mutex(all.lowerBound + Int(getpid()) % 500 * 40)

    /// The first of `count` ports in a row that are free for UDP and TCP, handed out once.
    static func take(_ count: Int = 1) -> Int {
        next.withLock { next in
            while true {
                if next + count > all.upperBound { next = all.lowerBound }
                let run = next..<(next + count)
                guard let taken = run.last(where: { !isFree($0) }) else {
                    next = run.upperBound
                    return run.lowerBound
                }
                next = taken + 1
            }
        }
    }

    /// As `--ports` takes them.
    static func range(_ count: Int) -> String {
        let first = take(count)
        return "\(first)-\(first + count - 1)"
    }

    /// Whether somebody has the UDP port now, or takes it in so many seconds. Looked up and not tried, which would be in the way
    /// of whoever takes it.
    static func isTaken(_ port: Int, within seconds: Double) async throws -> Bool {
        let deadline = Date().addingTimeInterval(seconds)
        let digits = String(port, radix: 16, uppercase: true)
        let local = ":" + String(repeating: "0", count: 4 - digits.count) + digits + " "
        while try !String(contentsOfFile: "/proc/net/udp", encoding: .utf8).contains(local) {
            guard Date() < deadline else { return false }
            try await Task.sleep(for: .milliseconds(10))
        }
        return true
    }

    private static func isFree(_ port: Int) -> Bool {
        [SOCK_DGRAM, SOCK_STREAM].allSatisfy { kind in
            let descriptor = socket(AF_INET, Int32(kind.rawValue), 0)
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

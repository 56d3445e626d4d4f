import Foundation
import Synchronization

/// A process that a test started: leader of a group of its own, with no signal blocked, and with no descriptor but its three.
///
/// Foundation learns of the end of its processes by a socket that each inherits from it, and so do all that are started at that moment: a
/// server that lives on then keeps another's end from being seen. What is started here inherits none, and takes its children along
/// when it is killed.
final class Child: Sendable {
    let pid: Int32
    /// More than the tests have open at a time.
    private static let descriptorsMax: Int32 = 2_048
    private let ended = Mutex<Int32?>(nil)

    /// - Parameter output: a file; what the process prints is written behind what it holds.
    init(_ program: String, _ arguments: [String], output: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Swift does not see glibc's closefrom. What is not open need not be closed, and says nothing.
        for descriptor in 3..<Self.descriptorsMax { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var usual = sigset_t()
        sigemptyset(&none)
        sigemptyset(&usual)
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGPIPE] { sigaddset(&usual, signal) }
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &usual)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        words.append(nil)
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, program, &actions, &attributes, words, environ)
        guard failure == 0 else { throw ServerFailure(description: "\(program): \(String(cString: strerror(failure)))") }
        self.pid = pid
    }

    /// With all that it has started and that has stayed in its group.
    deinit {
        kill(-pid, SIGKILL)
        if status == nil { _ = waitUntilExit() }
    }

    /// As a shell would have it, or the number of the signal; nil: it runs.
    var status: Int32? {
        ended.withLock { ended in
            if ended != nil { return ended }
            var raw: Int32 = 0
            guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
            ended = raw & 0x7F == 0 ? raw >> 8 & 0xFF : raw & 0x7F
            return ended
        }
    }

    func waitUntilExit() -> Int32 {
        while true {
            if let status { return status }
            usleep(2_000)
        }
    }
}

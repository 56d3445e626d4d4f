internal import CCARES
internal import CShims
internal import Foundation
internal import Glibc
internal import Primitives
internal import Synchronization

/// Asks DNS for those who must not wait (c-ares), on a thread of its own. Nothing is kept here: an answer says for how long it may be.
package final class DNSClient: Sendable {
    package typealias OnAnswer = @Sendable (DNSQuestion, DNSAnswer) -> Void

    private struct Inbox {
        var questions: [DNSQuestion] = []
        var mustStop = false
    }

    /// An open channel of c-ares: touched by the thread alone once that runs.
    @safe private struct Channel: @unchecked Sendable {
        let raw: ares_channel
    }

    private let inbox = Mutex(Inbox())
    private let wake: Int32

    /// - Parameters:
    ///   - servers: `192.0.2.53:53`, several with commas; empty: those that the machine is set up with.
    ///   - onAnswer: called once for each question, on the client's thread; not after `stop`.
    package init(
        servers: String = "", timeoutMilliseconds: Int32 = 2_000, tries: Int32 = 2, onAnswer: @escaping OnAnswer
    ) throws(DNSError) {
        var options = unsafe ares_options()
        unsafe options.timeout = timeoutMilliseconds
        unsafe options.tries = tries
        var opened: ares_channel?
        let status = unsafe ares_init_options(&opened, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES)
        guard status == ARES_SUCCESS, let raw = unsafe opened else { throw .unreachable(DNSClient.reason(status)) }
        if !servers.isEmpty, unsafe ares_set_servers_ports_csv(raw, servers) != ARES_SUCCESS {
            unsafe ares_destroy(raw)
            throw .malformedServers(servers)
        }
        wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard wake >= 0 else {
            unsafe ares_destroy(raw)
            throw .unreachable("no eventfd")
        }
        let channel = unsafe Channel(raw: raw)
        let thread = Thread { [self] in
            nameThread("dns")
            run(channel, onAnswer)
        }
        thread.start()
    }

    package func ask(_ question: DNSQuestion) {
        inbox.withLock { $0.questions.append(question) }
        rouse()
    }

    /// Ends the thread; what was asked is answered no more.
    package func stop() {
        inbox.withLock { $0.mustStop = true }
        rouse()
    }

    private func rouse() {
        var one: UInt64 = 1
        _ = unsafe write(wake, &one, 8)
    }

    // MARK: - the thread

    /// What a query of c-ares comes back to.
    private final class Pending {
        let question: DNSQuestion
        let onAnswer: OnAnswer

        init(_ question: DNSQuestion, _ onAnswer: @escaping OnAnswer) {
            self.question = question
            self.onAnswer = onAnswer
        }

        func take(_ status: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
            switch status {
            case ARES_EDESTRUCTION, ARES_ECANCELLED: return
            // c-ares hands over what the server said also where that is "no such name".
            case ARES_SUCCESS where bytes.count > 12, ARES_ENODATA where bytes.count > 12, ARES_ENOTFOUND where bytes.count > 12:
                onAnswer(question, DNSMessage.answer(to: question.type, in: unsafe Array(bytes)))
            case ARES_ENODATA, ARES_ENOTFOUND: onAnswer(question, .absent(seconds: 30))
            default: onAnswer(question, .failed(reason: DNSClient.reason(status)))
            }
        }
    }

    private func run(_ channel: Channel, _ onAnswer: @escaping OnAnswer) {
        defer {
            unsafe ares_destroy(channel.raw)
            close(wake)
        }
        while true {
            let taken = inbox.withLock { inbox in
                defer { inbox.questions.removeAll() }
                return inbox
            }
            if taken.mustStop { return }
            for question in taken.questions { unsafe query(channel.raw, question, onAnswer) }
            unsafe wait(channel.raw)
        }
    }

    private func query(_ channel: ares_channel, _ question: DNSQuestion, _ onAnswer: @escaping OnAnswer) {
        // Released by the callback, which c-ares calls exactly once, at the latest when the channel is destroyed.
        let context = unsafe Unmanaged.passRetained(Pending(question, onAnswer)).toOpaque()
        unsafe ares_query(
            channel, question.name, 1, Int32(question.type.rawValue),
            { context, status, _, bytes, count in
                guard let context = unsafe context else { return }
                let pending = unsafe Unmanaged<Pending>.fromOpaque(context).takeRetainedValue()
                unsafe pending.take(status, UnsafeBufferPointer(start: bytes, count: Int(count)))
            }, context)
    }

    /// Until a server has answered, c-ares wants to try again, or something is asked.
    private func wait(_ channel: ares_channel) {
        var sockets = [ares_socket_t](repeating: -1, count: Int(ARES_GETSOCK_MAXNUM))
        let wanted = unsafe ares_getsock(channel, &sockets, ARES_GETSOCK_MAXNUM)
        var polled = [pollfd(fd: wake, events: Int16(POLLIN), revents: 0)]
        for (index, socket) in sockets.enumerated() {
            // Bit n: it is to be read; bit n + 16: written.
            let events = (wanted >> index & 1 == 1 ? POLLIN : 0) | (wanted >> (index + sockets.count) & 1 == 1 ? POLLOUT : 0)
            if events != 0 { polled.append(pollfd(fd: socket, events: Int16(events), revents: 0)) }
        }
        var milliseconds = -1
        if polled.count > 1 {
            var limit = timeval(tv_sec: 1, tv_usec: 0)
            var next = timeval()
            let left = unsafe ares_timeout(channel, &limit, &next)
            milliseconds = unsafe left.map { unsafe $0.pointee.tv_sec * 1_000 + $0.pointee.tv_usec / 1_000 + 1 } ?? 1_000
        }
        _ = unsafe poll(&polled, nfds_t(polled.count), Int32(milliseconds))
        if polled[0].revents != 0 {
            var count: UInt64 = 0
            _ = unsafe read(wake, &count, 8)
        }
        let none = ares_socket_t(-1)
        // Without a socket: c-ares looks at its timers alone.
        unsafe ares_process_fd(channel, none, none)
        for socket in polled.dropFirst() where socket.revents != 0 {
            let isReadable = Int32(socket.revents) & (POLLIN | POLLERR | POLLHUP) != 0
            unsafe ares_process_fd(channel, isReadable ? socket.fd : none, Int32(socket.revents) & POLLOUT != 0 ? socket.fd : none)
        }
    }

    private static func reason(_ status: Int32) -> String { unsafe String(cString: ares_strerror(status)) }
}

internal import CCARES
internal import Glibc

/// TXT records as DNS has them now (c-ares). Nothing is kept: whoever asks again after a change wants to know anew.
package struct TXTResolver: Sendable {
    /// `192.0.2.53:53`, several with commas; empty: those that the machine is set up with.
    package var servers: String
    /// For one server, at the first try; each further one waits longer.
    package var timeoutMilliseconds: Int32 = 2_000
    package var tries: Int32 = 2

    package init(servers: String = "") { self.servers = servers }

    /// Blocks until DNS has answered or has not: for a thread that may wait.
    /// - Returns: the text of each record, its pieces put together (RFC 7208 §3.3).
    package func records(of name: String) throws(DNSError) -> [String] {
        var options = unsafe ares_options()
        unsafe options.timeout = timeoutMilliseconds
        unsafe options.tries = tries
        var opened: ares_channel?
        let status = unsafe ares_init_options(&opened, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES)
        guard status == ARES_SUCCESS, let channel = unsafe opened else { throw .unreachable(Self.reason(status)) }
        defer { unsafe ares_destroy(channel) }
        if !servers.isEmpty {
            guard unsafe ares_set_servers_ports_csv(channel, servers) == ARES_SUCCESS else { throw .malformedServers(servers) }
        }
        let answer = Answer()
        // The answer outlives the query: this function waits for it.
        let context = unsafe Unmanaged.passUnretained(answer).toOpaque()
        unsafe ares_query(
            channel, name, Self.classInternet, Self.typeTXT,
            { context, status, _, bytes, count in
                guard let context = unsafe context else { return }
                let answer = unsafe Unmanaged<Answer>.fromOpaque(context).takeUnretainedValue()
                unsafe answer.take(status, UnsafeBufferPointer(start: bytes, count: Int(count)))
            }, context)
        while answer.status == nil { unsafe Self.wait(channel) }
        switch answer.status ?? ARES_ESERVFAIL {
        case ARES_SUCCESS: return answer.texts
        case ARES_ENOTFOUND: throw .noSuchName
        case ARES_ENODATA: throw .noRecords
        case let other: throw .unreachable(Self.reason(other))
        }
    }

    private static let classInternet: Int32 = 1
    private static let typeTXT: Int32 = 16

    private static func reason(_ status: Int32) -> String { unsafe String(cString: ares_strerror(status)) }

    /// Until a server has answered, or c-ares wants to try the next.
    private static func wait(_ channel: ares_channel) {
        var sockets = [ares_socket_t](repeating: -1, count: Int(ARES_GETSOCK_MAXNUM))
        let wanted = unsafe ares_getsock(channel, &sockets, ARES_GETSOCK_MAXNUM)
        var polled: [pollfd] = []
        for (index, socket) in sockets.enumerated() {
            // Bit n: it is to be read; bit n + 16: written.
            let events = (wanted >> index & 1 == 1 ? POLLIN : 0) | (wanted >> (index + sockets.count) & 1 == 1 ? POLLOUT : 0)
            if events != 0 { polled.append(pollfd(fd: socket, events: Int16(events), revents: 0)) }
        }
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        var next = timeval()
        let left = unsafe ares_timeout(channel, &limit, &next)
        let milliseconds = unsafe left.map { unsafe $0.pointee.tv_sec * 1_000 + $0.pointee.tv_usec / 1_000 + 1 } ?? 1_000
        _ = unsafe poll(&polled, nfds_t(polled.count), Int32(milliseconds))
        let none = ares_socket_t(-1)
        if polled.isEmpty || polled.allSatisfy({ $0.revents == 0 }) { return unsafe ares_process_fd(channel, none, none) }
        for socket in polled where socket.revents != 0 {
            let isReadable = Int32(socket.revents) & (POLLIN | POLLERR | POLLHUP) != 0
            unsafe ares_process_fd(
                channel, isReadable ? socket.fd : none, Int32(socket.revents) & POLLOUT != 0 ? socket.fd : none)
        }
    }

    /// What the callback leaves behind.
    private final class Answer {
        var status: Int32?
        var texts: [String] = []

        func take(_ status: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
            guard status == ARES_SUCCESS, let start = bytes.baseAddress else {
                self.status = status == ARES_SUCCESS ? ARES_EBADRESP : status
                return
            }
            var list: UnsafeMutablePointer<ares_txt_ext>?
            let parsed = unsafe ares_parse_txt_reply_ext(start, Int32(bytes.count), &list)
            defer { if let list = unsafe list { unsafe ares_free_data(list) } }
            var next = unsafe list
            while let piece = unsafe next {
                let text = unsafe String(decoding: UnsafeBufferPointer(start: piece.pointee.txt, count: piece.pointee.length), as: UTF8.self)
                if unsafe piece.pointee.record_start != 0 || texts.isEmpty { texts.append(text) } else { texts[texts.count - 1] += text }
                unsafe next = piece.pointee.next
            }
            self.status = parsed
        }
    }
}

/// Why DNS has no records for a name, or none that we could get.
package enum DNSError: Error, Equatable {
    /// The name does not exist.
    case noSuchName
    /// It exists, and has no TXT record.
    case noRecords
    /// No server answered, or none could.
    case unreachable(String)
    case malformedServers(String)
}

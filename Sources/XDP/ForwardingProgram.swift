internal import CXDP
internal import Glibc
internal import Primitives
internal import Synchronization

/// The program in the kernel that passes packets of known streams on by itself, and its tables.
///
/// The kernel takes it off the interfaces when this object goes, or its process, however that ends. From any thread.
@safe package final class ForwardingProgram: Sendable {
    package enum Mode: String, Sendable {
        /// In the driver, before the kernel has made anything of the frame.
        case native
        /// In the kernel's stack, at its lower edge; any interface can.
        case generic
    }

    /// How far packets of a stream have come.
    package struct Counts: Equatable, Sendable {
        package var packets: UInt64 = 0
        package var bytes: UInt64 = 0
        /// Nanoseconds of the monotonic clock.
        package var lastHeard: UInt64 = 0
        package var position = Position()

        package init() {}
    }

    /// What the program goes on with: the fields of RTP's statistics, in their units.
    package struct Position: Equatable, Sendable {
        package var heardAt: UInt64 = 0
        package var tick: Int64 = 0
        package var jitter: Int64 = 0
        package var jitterMax: Int64 = 0
        package var silence: Int64 = 0
        package var highestSequence: UInt32 = 0
        package var timestamp: UInt32 = 0

        package init() {}
    }

    /// Packets; as in the program, and in RTP's statistics (RFC 3550 A.1).
    private static let jump: Int16 = 3_000

    /// Descriptors, and the memory that is shared with the kernel: set once. Every word of that memory is read and written whole; who owns a
    /// place in it is what `free` says.
    private nonisolated(unsafe) let opened: ll_xdp_program
    private let free: Mutex<[UInt32]>
    private struct Attached: Sendable {
        var links: [Int32] = []
        var interfaces: [UInt32] = []
        var mode = Mode.generic
    }
    private let attached = Mutex(Attached())

    /// - Parameter flows: streams at a time.
    package init(flows: Int) throws(XDPError) {
        var reason = [CChar](repeating: 0, count: 1 << 16)
        var opened = unsafe ll_xdp_program()
        let code = unsafe ll_xdp_open(UInt32(flows), &opened, &reason, UInt32(reason.count))
        guard code == 0 else {
            let words = String(decoding: reason.prefix { $0 != 0 }.suffix(400).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw words.isEmpty ? XDPError(call: "bpf", code: -code) : .refused(words)
        }
        unsafe self.opened = opened
        // The first to come back is the last to be given out again.
        free = Mutex((0..<UInt32(flows)).reversed())
    }

    deinit {
        for link in attached.withLock({ $0.links }) { _ = Glibc.close(link) }
        var opened = unsafe opened
        unsafe ll_xdp_close(&opened)
    }

    package var mode: Mode { attached.withLock { $0.mode } }

    /// The driver of an interface that the program is not on may want no frames from others.
    package func canLeave(by interface: UInt32) -> Bool { attached.withLock { $0.mode == .generic || $0.interfaces.contains(interface) } }

    /// Puts the program on interfaces, on all in the same mode or, when it throws, on none.
    package func attach(to interfaces: [UInt32], _ mode: Mode) throws(XDPError) {
        var links: [Int32] = []
        for interface in interfaces {
            let link = unsafe withUnsafePointer(to: opened) { unsafe ll_xdp_attach($0, interface, mode == .native ? 1 : 0) }
            guard link >= 0 else {
                for link in links { _ = Glibc.close(link) }
                throw -link == EBUSY || -link == EEXIST ? .interfaceTaken(Routes.name(of: interface)) : XDPError(call: "bpf_link", code: -link)
            }
            links.append(link)
        }
        attached.withLock { $0 = Attached(links: $0.links + links, interfaces: $0.interfaces + interfaces, mode: mode) }
    }

    /// From now on the kernel passes the stream's packets on.
    /// - Returns: the number under which they are counted; nil: there is no room, or the kernel refused.
    package func add(_ flow: ForwardedFlow, by hop: NextHop, from position: Position) -> UInt32? {
        guard let slot = free.withLock({ $0.popLast() }) else { return nil }
        var counts = Counts()
        counts.position = position
        write(counts, at: slot)
        guard change(flow, by: hop, slot: slot) else {
            release(slot)
            return nil
        }
        return slot
    }

    /// The same stream by another way out.
    package func change(_ flow: ForwardedFlow, by hop: NextHop, slot: UInt32) -> Bool {
        var rule = ll_xdp_rule(flow, hop, slot: slot, keepsPartialChecksums: mode == .generic)
        return unsafe withUnsafePointer(to: opened) { opened in
            if flow.local.isV4 {
                var key = ll_xdp_key4(flow)
                return unsafe ll_xdp_put4(opened, &key, &rule) == 0
            }
            var key = ll_xdp_key6(flow)
            return unsafe ll_xdp_put6(opened, &key, &rule) == 0
        }
    }

    /// The next packet goes to the socket. One that is being looked at may still pass, and be counted.
    package func remove(_ flow: ForwardedFlow) {
        unsafe withUnsafePointer(to: opened) { opened in
            if flow.local.isV4 {
                var key = ll_xdp_key4(flow)
                _ = unsafe ll_xdp_remove4(opened, &key)
            } else {
                var key = ll_xdp_key6(flow)
                _ = unsafe ll_xdp_remove6(opened, &key)
            }
        }
    }

    package enum Verdict: Equatable, Sendable {
        /// To the sockets.
        case pass
        /// Back by the interface that it came by, or by another.
        case forward
    }

    /// Runs the program over a frame that it may change, as if it came by the loopback interface.
    package func run(_ frame: inout [UInt8]) throws(XDPError) -> Verdict {
        let count = UInt32(frame.count)
        let verdict = unsafe withUnsafePointer(to: opened) { unsafe ll_xdp_run($0, &frame, count) }
        guard verdict >= 0 else { throw XDPError(call: "bpf_prog_test_run", code: -verdict) }
        switch xdp_action(UInt32(verdict)) {
        case XDP_PASS: return .pass
        case XDP_TX, XDP_REDIRECT: return .forward
        default: throw .failed(call: "bpf_prog_test_run", reason: "the program said \(verdict)")
        }
    }

    /// The number may be given to another stream.
    package func release(_ slot: UInt32) { free.withLock { $0.insert(slot, at: 0) } }

    package func counts(_ slot: UInt32) -> Counts {
        precondition(unsafe slot < opened.flows)
        var read = ll_xdp_counts()
        unsafe ll_xdp_counts_read(opened.counts + Int(slot), &read)
        var counts = Counts()
        counts.packets = read.packets
        counts.bytes = read.bytes
        counts.lastHeard = read.last_heard
        counts.position.heardAt = read.heard_at
        counts.position.tick = read.tick
        counts.position.jitter = read.jitter
        counts.position.jitterMax = read.jitter_max
        counts.position.silence = read.silence
        counts.position.highestSequence = read.highest_sequence
        counts.position.timestamp = read.timestamp
        return counts
    }

    /// A packet of the stream that went another way has been heard. Nothing is changed when later ones have passed meanwhile.
    package func move(_ slot: UInt32, to position: Position) {
        precondition(unsafe slot < opened.flows)
        let step = unsafe Int16(truncatingIfNeeded: position.highestSequence &- opened.counts[Int(slot)].highest_sequence)
        // Further away than a stream may jump, it began anew, and the program leaves it to the sockets until it is told where.
        guard step > 0 || step <= -ForwardingProgram.jump else { return }
        write(position, at: slot)
    }

    private func write(_ counts: Counts, at slot: UInt32) {
        unsafe opened.counts[Int(slot)].packets = counts.packets
        unsafe opened.counts[Int(slot)].bytes = counts.bytes
        unsafe opened.counts[Int(slot)].last_heard = counts.lastHeard
        write(counts.position, at: slot)
    }

    private func write(_ position: Position, at slot: UInt32) {
        unsafe opened.counts[Int(slot)].heard_at = position.heardAt
        unsafe opened.counts[Int(slot)].tick = position.tick
        unsafe opened.counts[Int(slot)].jitter = position.jitter
        unsafe opened.counts[Int(slot)].jitter_max = position.jitterMax
        unsafe opened.counts[Int(slot)].silence = position.silence
        unsafe opened.counts[Int(slot)].highest_sequence = position.highestSequence
        unsafe opened.counts[Int(slot)].timestamp = position.timestamp
    }
}

package import Primitives
package import RTP

/// Packets of one side of a session that may be passed on without the worker, because it would change nothing but their addresses.
package struct ShortcutFlow: Equatable, Sendable {
    /// Ours, to which they come.
    package let port: UInt16
    package let source: SocketAddress
    /// Ours, from which they are sent on.
    package let outPort: UInt16
    package let destination: SocketAddress
    package let ssrc: UInt32
    package let payloadType: UInt8
}

/// What has passed since a shortcut was opened, and where its stream stands.
package struct ShortcutCounts: Equatable, Sendable {
    package var packets: UInt64
    /// Of UDP payloads.
    package var bytes: UInt64
    package var lastHeard: Instant
    package var position: StreamPosition

    package init(packets: UInt64, bytes: UInt64, lastHeard: Instant, position: StreamPosition) {
        self.packets = packets
        self.bytes = bytes
        self.lastHeard = lastHeard
        self.position = position
    }
}

/// What `RelayCore` wants of who passes the packets on. A flow is named by our port to which its packets come: there is one at a time.
package enum ShortcutOrder: Equatable, Sendable {
    /// To be answered with `shortcutOpened`.
    case open(ShortcutFlow, from: StreamPosition)
    /// No packet more; those that are being looked at may still be counted.
    case close(port: UInt16)
    /// The last counts are wanted, with `passed`, and then `shortcutEnded`.
    case end(port: UInt16)
    /// A packet of the stream was heard by the worker.
    case move(port: UInt16, to: StreamPosition)
}

package struct ShortcutRules: Equatable, Sendable {
    /// Packets of one stream in a row after which it is taken for settled.
    package var settled = 16
    /// How long a packet may take to be counted once its flow is closed.
    package var closing: Duration = .milliseconds(20)
    /// Who was refused asks again after this, then after twice as long, and so on.
    package var pause: Duration = .seconds(1)
    package var pauseMax: Duration = .seconds(60)

    package init() {}
}

/// Whoever passes the packets on: the kernel, or a test.
package protocol ShortcutTable: AnyObject {
    /// - Returns: the number under which its packets are counted; nil: it cannot be passed on, now.
    func open(_ flow: ShortcutFlow, from position: StreamPosition) -> UInt32?
    func close(_ number: UInt32)
    func counts(_ number: UInt32) -> ShortcutCounts
    func move(_ number: UInt32, to position: StreamPosition)
    func end(_ number: UInt32)
    /// When `check` wants to be called.
    var nextCheck: Instant? { get }
    /// Looks whether the ways are still what they were when the flows were opened.
    /// - Returns: ports of flows that cannot be passed on any more.
    func check(at now: Instant) -> [UInt16]
}

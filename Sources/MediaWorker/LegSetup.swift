package import Primitives
package import RTP

/// What signalling says of one side of a session, checked.
package struct LegSetup: Equatable, Sendable {
    package struct Protection: Equatable, Sendable {
        package var suite: SRTPSuite
        /// nil until signalling has brought it: packets that come are then dropped, not taken for plain RTP.
        package var receiveKey: SRTPMasterKey?
        /// nil until signalling has brought it: nothing is sent, least of all in clear.
        package var sendKey: SRTPMasterKey?

        package init(suite: SRTPSuite, receiveKey: SRTPMasterKey?, sendKey: SRTPMasterKey?) {
            self.suite = suite
            self.receiveKey = receiveKey
            self.sendKey = sendKey
        }
    }

    /// The address that the peer's session description gave for media.
    package var remote: SocketAddress?
    /// nil: plain RTP.
    package var protection: Protection?
    /// RTCP shares the media port (RFC 5761).
    package var sharesControlPort: Bool

    package init(remote: SocketAddress? = nil, protection: Protection? = nil, sharesControlPort: Bool = false) {
        self.remote = remote
        self.protection = protection
        self.sharesControlPort = sharesControlPort
    }
}

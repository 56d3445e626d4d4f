package import ICE
package import OpenSSL
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

    /// Keys that a handshake makes (RFC 5764).
    package struct Handshake: Equatable, Sendable {
        /// Of the certificate that the peer has to show.
        package var hash: FingerprintHash
        package var fingerprint: [UInt8]
        package var role: DTLSSession.Role

        package init(hash: FingerprintHash, fingerprint: [UInt8], role: DTLSSession.Role) {
            self.hash = hash
            self.fingerprint = fingerprint
            self.role = role
        }
    }

    /// The address that the peer's session description gave for media.
    package var remote: SocketAddress?
    /// nil: plain RTP.
    package var protection: Protection?
    /// RTCP shares the media port (RFC 5761).
    package var sharesControlPort: Bool
    /// nil: no DTLS.
    package var handshake: Handshake?
    /// nil: the peer is where `remote` says, or where its packets come from.
    package var checks: ICEAgent.Setup?
    package var formats: LegFormats
    /// Numbers that its packets may bear.
    package var payloadTypes: PayloadTypes
    /// The side is a conference: nothing of the rest is set.
    package var seat: ConferencePlace?
    /// Packets are passed on unread: fax by UDPTL, or SRTP under keys that the sides have from each other.
    package var isOpaque: Bool

    package init(
        remote: SocketAddress? = nil, protection: Protection? = nil, sharesControlPort: Bool = false, handshake: Handshake? = nil,
        checks: ICEAgent.Setup? = nil,
        formats: LegFormats = LegFormats(), payloadTypes: PayloadTypes = .any, isOpaque: Bool = false
    ) {
        self.remote = remote
        self.protection = protection
        self.sharesControlPort = sharesControlPort
        self.handshake = handshake
        self.checks = checks
        self.formats = formats
        self.payloadTypes = payloadTypes
        self.isOpaque = isOpaque
    }
}

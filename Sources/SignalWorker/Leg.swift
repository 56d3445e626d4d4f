import Foundation
import ICE
import Model
import Primitives
import SIP
import SwiftProtobuf

/// One side of a call: its dialog, the way to it, and what has been agreed about its media.
struct Leg: Sendable {
    var dialog: Dialog
    /// How the peer was last heard, which is how a phone is reached through its NAT.
    var hop: Hop
    /// A gateway is reached where it says itself: by its route, or its Contact (RFC 3261 §12.2.1.1).
    var isGateway = false
    /// Which one, if we have called it.
    var gateway: GatewayID?
    /// Whom a connection to the gateway must lead to.
    private let name: String?
    var media = LegMediaState()
    var timer: SessionTimer?
    /// The peer allows UPDATE (RFC 3311).
    var takesUpdate = false
    /// The peer allows INFO (RFC 6086), or has not said what it allows.
    var takesInfo = true
    /// The line on this side and its tenant; empty: an outside party, or another call of ours.
    var subscriber = Data()
    var tenant = Data()
    /// It has sent the other side on before, or tried to.
    var hasReferred = false
    /// When this side was last known to be there, as far as signalling tells.
    var heardAt = WallTime(microseconds: 0)

    init(dialog: Dialog, hop: Hop, isGateway: Bool, media: LegMediaState = LegMediaState()) {
        self.dialog = dialog
        self.hop = hop
        self.isGateway = isGateway
        name = hop.name
        self.media = media
    }

    /// A message of the peer's.
    mutating func heard(_ message: SIPMessage, at wall: WallTime) {
        heardAt = wall
        if let allowed = message.allows(.update) { takesUpdate = allowed }
        if let allowed = message.allows(.info) { takesInfo = allowed }
    }

    /// A 2xx to an INVITE or UPDATE of ours within the dialog: what it says of the session timer holds from now on.
    mutating func refreshed(by response: SIPMessage, _ kit: CallKit) {
        dialog.receive(response: response)
        heard(response, at: kit.wall)
        timer = SessionTimer(answered: response, wanted: timer?.seconds ?? kit.configuration.sessionSeconds, now: kit.now)
    }

    /// Our 2xx to an INVITE or UPDATE of the peer: what that said of the session timer holds with it, and not if we refuse (RFC 4028 §9).
    mutating func refreshed(by request: SIPMessage, answered ok: inout SIPMessage, _ kit: CallKit) {
        timer = (try? SessionTimer(answering: request, wanted: kit.configuration.sessionSeconds, now: kit.now)) ?? timer
        timer?.write(to: &ok, of: request)
    }

    /// Where our requests go. Names of hosts are not looked up: then it is where the peer was heard.
    var path: Hop {
        let next = dialog.nextHop
        guard isGateway, !hop.isInternal, next.isSIP, let host = SocketAddress.Host(next.host) else { return hop }
        var path = hop
        path.remote = SocketAddress(host, port: next.port ?? hop.transport.defaultPort)
        // Any connection to it will do: those that it began came from other ports of it.
        if hop.transport != .udp { (path.connection, path.name, path.relay) = (0, name, nil) }
        return path
    }

    var state: DialogState {
        let dialog = dialog.state
        var state = DialogState()
        state.callID = dialog.callID
        state.localTag = dialog.localTag
        state.remoteTag = dialog.remoteTag
        state.localUri = dialog.localURI
        state.remoteUri = dialog.remoteURI
        state.remoteTarget = dialog.remoteTarget
        state.routeSet = dialog.routeSet
        state.localCseq = dialog.localCSeq
        state.remoteCseq = dialog.remoteCSeq ?? 0
        state.terms = .with {
            $0.sessionSeconds = timer?.seconds ?? 0
            $0.refreshesHere = timer?.refresher == .us
            $0.subscriberID = subscriber
            $0.tenantID = tenant
            $0.takesUpdate = takesUpdate
            if let gateway { $0.gatewayID = gateway.data }
        }
        return state
    }
}

extension Leg {
    /// A leg that another worker had, with its media left out.
    init?(adopting state: DialogState, _ kit: CallKit) {
        guard let dialog = Dialog(adopting: state), let hop = kit.hop(state.flow) else { return nil }
        self.init(dialog: dialog, hop: hop, isGateway: state.flow.worker.isEmpty)
        subscriber = state.terms.subscriberID
        tenant = state.terms.tenantID
        takesUpdate = state.terms.takesUpdate
        gateway = GatewayID(state.terms.gatewayID)
        if state.terms.sessionSeconds > 0 {
            timer = SessionTimer(
                seconds: state.terms.sessionSeconds, refresher: state.terms.refreshesHere ? .us : .peer, now: kit.now)
        }
    }
}

extension Dialog {
    /// A dialog that another worker had. It may have sent requests that were not reported, so our numbers jump past
    /// them: they need to rise, not to be without gaps (RFC 3261 §12.2.1.1).
    init?(adopting state: DialogState) {
        self.init(
            restoring: State(
                callID: state.callID, localTag: state.localTag, remoteTag: state.remoteTag, localURI: state.localUri,
                remoteURI: state.remoteUri, remoteTarget: state.remoteTarget, routeSet: state.routeSet,
                localCSeq: state.localCseq + 100, remoteCSeq: state.remoteCseq == 0 ? nil : state.remoteCseq, isEarly: false))
    }
}

/// What one side and we have told each other about media.
struct LegMediaState: Sendable {
    /// The last description that the peer sent.
    var remote: SDP?
    /// The last one that we sent.
    var local: SDP?
    /// What we have said of our packets.
    var own = MediaTerms()
    /// The peer's key of SDES.
    var receiving: SDPCrypto?
    /// The port of the media worker for this side.
    var port: UInt16 = 0
    /// Which stream is relayed.
    var index = 0
    /// The other side shares no codec with this one: the media worker converts.
    var converts = false
    /// The side is a conference.
    var seat: ConferenceSeat?
    /// The other side is one: the media worker has to know what is spoken.
    var hasConference = false

    /// As the media worker is told.
    var spec: LegSpec {
        var spec = LegSpec()
        if let seat {
            spec.seat = seat
            return spec
        }
        if let address = remote?.remoteAddress(of: index) { spec.remote = address.description }
        switch own.protection {
        case .none: break
        case .sdes(let sending):
            if let sending, let receiving {
                spec.receiveKey = Data(receiving.key)
                spec.sendKey = Data(sending.key)
                spec.suite = receiving.suite.rawValue
            }
        case .dtls(let setup):
            if let fingerprint {
                spec.dtls.hash = fingerprint.hash
                spec.dtls.fingerprint = Data(fingerprint.bytes)
                spec.dtls.begins = setup == .active
            }
        }
        if let checks = own.checks, let fragment = remote?.iceFragment(of: index) {
            spec.ice.localFragment = checks.fragment
            spec.ice.localPassword = checks.password
            spec.ice.remoteFragment = fragment
        }
        spec.rtcpMux = own.sharesRTCP
        spec.opaque = isFax
        spec.formats = mediaFormats
        spec.payloadTypes = payloadTypes(ofStream: index)
        if converts {
            spec.converts = true
            spec.packetMs = packetMilliseconds
        }
        return spec
    }

    /// A stream that somebody has put on hold may be silent for as long as it takes, and so may a fax.
    var isHeld: Bool {
        isFax || [remote, local].contains { sdp in sdp.map { $0.direction(of: index) != .sendrecv } ?? false }
    }
}

extension SDP {
    /// For the log: which media was agreed, without the keys it is protected by.
    var withoutKeys: String {
        func isKey(_ line: Line) -> Bool { line.type == "a" && line.value.startsWith("crypto:") || line.type == "k" }
        // Most have none.
        guard lines.contains(where: isKey) || media.contains(where: { $0.attribute("crypto") != nil }) else { return description }
        var copy = self
        for index in copy.media.indices { copy.media[index].removeAttribute("crypto") }
        copy.lines.removeAll(where: isKey)
        return copy.description
    }
}

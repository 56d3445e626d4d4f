import Foundation
import Model
import Primitives
import SIP

/// One side of a call: its dialog, the way to it, and what has been agreed about its media.
struct Leg: Sendable {
    var dialog: Dialog
    var hop: Hop
    var media = LegMediaState()

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
        return state
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
    /// The key that we send with on this leg, and its tag; nil: plain RTP.
    var sending: SDPCrypto?
    var receiving: SDPCrypto?
    /// The port of the media worker for this side.
    var port: UInt16 = 0
    /// Which stream is relayed.
    var index = 0

    /// As the media worker is told.
    var spec: LegSpec {
        var spec = LegSpec()
        if let address = remote?.remoteAddress(of: index) { spec.remote = address.description }
        if let sending, let receiving {
            spec.receiveKey = Data(receiving.key)
            spec.sendKey = Data(sending.key)
            spec.suite = receiving.suite.rawValue
        }
        spec.rtcpMux = remote?.media.indices.contains(index) == true && remote?.media[index].multiplexesRTCP == true
        return spec
    }
}

extension SDP {
    /// For the log: which media was agreed, without the keys it is protected by.
    var withoutKeys: String {
        var copy = self
        for index in copy.media.indices { copy.media[index].cryptos = [] }
        copy.lines.removeAll { $0.type == "a" && $0.value.hasPrefix("crypto:") || $0.type == "k" }
        return copy.description
    }
}

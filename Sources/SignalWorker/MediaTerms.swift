import ICE
import Primitives
import SIP

/// What we have said of ourselves, in our last description for one side: how packets are protected, and how that side's address is checked.
struct MediaTerms: Equatable, Sendable {
    enum Protection: Equatable, Sendable {
        case none
        /// Our key; nil: it is not known here, of a call that was taken over.
        case sdes(SDPCrypto?)
        /// Our part in the handshake; `actpass`: the answer will say.
        case dtls(SDP.Setup)
    }

    /// What a phone is offered.
    enum Offered: Equatable, Sendable {
        case plain
        case sdes
        case dtls
        /// A browser knows nothing but DTLS-SRTP with ICE, RTCP feedback and one port for everything (RFC 8834, RFC 8835).
        case browser
    }

    var protection = Protection.none
    /// Our part of ICE; nil: the peer makes no checks.
    var checks: ICECredentials?
    var sharesRTCP = false
    /// RTP/AVPF and RTP/SAVPF.
    var hasFeedback = false

    init() {}

    init(offering kind: Offered, _ random: inout RandomSource) {
        switch kind {
        case .plain: break
        case .sdes: protection = .sdes(OfferAnswer.key(tag: 1, .aesCM128HMACSHA1_80, &random))
        case .dtls, .browser:
            protection = .dtls(.actpass)
            checks = ICECredentials(random: &random)
            sharesRTCP = true
            hasFeedback = kind == .browser
        }
    }

    var isDTLS: Bool {
        switch protection {
        case .dtls: true
        case .none, .sdes: false
        }
    }

    /// Of an offer of ours.
    var profile: SDP.Media.Profile {
        switch protection {
        case .none: hasFeedback ? .avpf : .avp
        case .sdes: hasFeedback ? .savpf : .savp
        case .dtls: hasFeedback ? .tlsSAVPF : .tlsSAVP
        }
    }
}

extension LegMediaState {
    /// Makes our part of the answer to what the peer has offered. What it has not changed stays: a key, so that packets on their way can be
    /// read; credentials of checks, since others are a restart (RFC 8839 §4.4.1.1.1); our part in the handshake (RFC 8842 §5.5).
    mutating func answerOffer(after previous: LegMediaState, _ random: inout RandomSource) {
        guard let remote, remote.media.indices.contains(index) else { return }
        let stream = remote.media[index]
        var terms = MediaTerms()
        terms.hasFeedback = stream.profile.hasFeedback
        terms.sharesRTCP = stream.multiplexesRTCP
        if let receiving {
            if case .sdes(.some(var key)) = previous.own.protection, previous.receiving?.key == receiving.key, key.suite == receiving.suite {
                key.tag = receiving.tag
                terms.protection = .sdes(key)
            } else {
                // RFC 4568 §5.1.2: the answer takes the offer's tag and suite, and brings a key of its own.
                terms.protection = .sdes(OfferAnswer.key(tag: receiving.tag, receiving.suite, &random))
            }
        } else if let fingerprint {
            if case .dtls(let held) = previous.own.protection, held != .actpass, previous.fingerprint == fingerprint {
                terms.protection = .dtls(held)
            } else {
                // The peer is to begin: it is who knows when its way to us is open.
                terms.protection = .dtls(remote.setup(of: index) == .passive ? .active : .passive)
            }
        }
        if let fragment = remote.iceFragment(of: index), let password = remote.icePassword(of: index) {
            let isRestart = previous.remote?.iceFragment(of: previous.index) != fragment || previous.remote?.icePassword(of: previous.index) != password
            terms.checks = isRestart ? nil : previous.own.checks
            if terms.checks == nil { terms.checks = ICECredentials(random: &random) }
        }
        own = terms
    }

    /// What the peer's description says of its certificate; nil: it does not speak DTLS.
    var fingerprint: SDP.Fingerprint? {
        guard receiving == nil, let remote, remote.media.indices.contains(index), remote.media[index].profile.isSecure else { return nil }
        return remote.fingerprint(of: index)
    }

    /// For an offer of ours: a key that is not known here has to be a new one.
    mutating func makeKey(_ random: inout RandomSource) {
        if own.protection == .sdes(nil) { own.protection = .sdes(OfferAnswer.key(tag: 1, .aesCM128HMACSHA1_80, &random)) }
    }

    /// Another media worker: what the old one has used must not be used again (RFC 3711 §9.1), and the new one has another certificate.
    mutating func renew(_ random: inout RandomSource) {
        switch own.protection {
        case .sdes(let key): own.protection = .sdes(OfferAnswer.key(tag: key?.tag ?? 1, key?.suite ?? .aesCM128HMACSHA1_80, &random))
        case .dtls: own.protection = .dtls(.actpass)
        case .none: break
        }
        if own.checks != nil { own.checks = ICECredentials(random: &random) }
    }

    /// What a call that was taken over had agreed, as far as the log knows.
    mutating func restoreTerms() {
        guard let local, local.media.indices.contains(index) else { return }
        let stream = local.media[index]
        own = MediaTerms()
        own.hasFeedback = stream.profile.hasFeedback
        own.sharesRTCP = stream.multiplexesRTCP && remote?.media.indices.contains(index) == true && remote?.media[index].multiplexesRTCP == true
        if local.fingerprint(of: index) != nil {
            switch local.setup(of: index) {
            case .active: own.protection = .dtls(.active)
            case .passive: own.protection = .dtls(.passive)
            case .actpass, .holdconn, nil: own.protection = .dtls(remote?.setup(of: index) == .passive ? .active : .passive)
            }
        } else if stream.profile.isSecure {
            own.protection = .sdes(nil)
        }
        if let fragment = local.iceFragment(of: index), let password = local.icePassword(of: index), remote?.iceFragment(of: index) != nil {
            own.checks = ICECredentials(fragment: fragment, password: password)
        }
    }
}

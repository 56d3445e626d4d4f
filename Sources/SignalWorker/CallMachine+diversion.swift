import Foundation
import Model
import Primitives
import SIP

/// Who has sent a call on (RFC 5806, RFC 7044), and phones that do so by themselves (3xx).
extension CallMachine {
    /// A call that was sent on more often goes in a circle (RFC 7044 §9.3 leaves the number open).
    static let diversionsMax = 5

    struct Address: Sendable {
        var uri: URI
        var hop: Hop
        var from: NameAddress
        var to: NameAddress
        var offered: MediaTerms.Offered
    }

    /// The caller as the called side is to see it.
    func callerAddress(_ host: String) -> NameAddress {
        NameAddress(
            displayName: plan.callerDisplay.isEmpty ? nil : plan.callerDisplay, uri: URI(plainUser: plan.callerNumber, host: host))
    }

    /// Who has diverted the call so far: as a trusted side tells, and the line that does so now (RFC 5806, RFC 7044).
    func diversions(for target: Target, of invite: SIPMessage, _ kit: CallKit) -> [(HeaderName, String)] {
        var fields: [(HeaderName, String)] = []
        if a.isGateway || a.hop.isInternal {
            for name in [HeaderName.diversion, .historyInfo] { fields += invite.headers.all(name).map { (name, $0) } }
        }
        guard case .forward(let forward) = target.kind else { return fields }
        // As it was called: by a number or by its name.
        let host = kit.configuration.advertised.host.description
        let line = URI(plainUser: invite.requestURI?.userDecoded ?? "", host: host)
        // The newest comes first (RFC 5806 §4.1), and last in the other header.
        fields.insert((.diversion, "<\(line)>;reason=\(forward.kind.diversion);counter=1"), at: 0)
        let index = fields.filter { $0.0 == .historyInfo }.count + 1
        fields.append((.historyInfo, "<\(line)?Reason=\("SIP;cause=\(forward.kind.cause)".escapedForHeader)>;index=\(index)"))
        fields.append((.historyInfo, "<\(URI(plainUser: forward.number, host: host))>;index=\(index).1;mp=\(index)"))
        return fields
    }

    /// How often the call was diverted, as far as its INVITE says.
    static func diversionCount(_ invite: SIPMessage) -> Int {
        invite.addresses(.diversion).reduce(0) { sum, entry in
            // What a peer writes is counted, but not believed to be without limit.
            sum + min(100, max(1, entry.parameters["counter"].flatMap { Int($0) } ?? 1))
        }
    }

    // MARK: Redirections (RFC 3261 §8.1.3.4)

    /// A phone that sends its calls elsewhere: as the line would dial it, within its own domain. A carrier's redirection is not followed: it
    /// would let a carrier choose whom we call at our cost.
    ///
    /// - Returns: false if it is not followed.
    mutating func follow(_ response: SIPMessage, of index: Int, _ kit: inout CallKit) -> Bool {
        guard stage == .ringing, attempts[index].isOpen, let invite, case .contact(let contact) = attempts[index].target.kind,
            let uri = response.contacts.first(where: { $0.uri.isSIP && $0.uri.user != nil })?.uri, let user = uri.userDecoded
        else { return false }
        let own = [invite.request.requestURI?.host, kit.configuration.advertised.host.description, contact.domain]
        guard own.contains(uri.host) else { return false }
        var target = Target()
        target.forward.subscriberID = contact.subscriberID
        target.forward.number = user
        target.forward.kind = .redirected
        target.timeoutSeconds = 600
        attempts[index].state = .failed(response.status)
        attempts[index].record.sipStatus = UInt32(response.status)
        attempts[index].record.reason = "redirected by the phone"
        attempts[index].record.endedAt = kit.wall.microseconds
        ring(target, &kit)
        goOn(response.status, &kit)
        return true
    }
}

extension ForwardKind {
    /// RFC 5806 §4.1.
    var diversion: String {
        switch self {
        case .always: "unconditional"
        case .busy: "user-busy"
        case .noAnswer: "no-answer"
        case .notRegistered: "unavailable"
        case .outsideHours: "time-of-day"
        case .redirected: "deflection"
        case .none, .transferred, .UNRECOGNIZED: "unknown"
        }
    }

    /// RFC 4458 §5.
    var cause: Int {
        switch self {
        case .none, .always, .outsideHours, .transferred, .UNRECOGNIZED: 302
        case .busy: 486
        case .noAnswer: 408
        case .notRegistered: 503
        case .redirected: 480
        }
    }
}

extension String {
    /// A value for a URI's header part (RFC 3261 §19.1.1).
    var escapedForHeader: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in utf8 {
            let isPlain =
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "-_.!~*'()".utf8.contains(byte)
                }
            if isPlain { bytes.append(byte) } else { bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 0x0F)]] }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

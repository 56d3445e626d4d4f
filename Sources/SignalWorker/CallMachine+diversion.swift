import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

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

    /// Who has diverted the call so far, as a trusted side tells, and the line that does so now (RFC 5806, RFC 7044), as this target may know it.
    func diversions(for target: Target, of invite: SIPMessage, _ kit: CallKit) -> [(HeaderName, String)] {
        var history = DiversionHistory()
        if a.isGateway || a.hop.isInternal { history = DiversionHistory(of: invite) }
        let host = kit.configuration.advertised.host.description
        switch target.kind {
        case .forward(let forward):
            // As it was called: by a number or by its name.
            let line = URI(plainUser: invite.requestURI?.userDecoded ?? "", host: host)
            let siblings = attempts.count { $0.isForward }
            history.divert(
                line, to: URI(plainUser: forward.number, host: host), forward.kind, place: siblings + 1, isPrivate: invite.hidesHistory)
        case .contact: history.hidePrivate()
        case .gateway(let gateway):
            // The numbers of our extensions mean nothing outside.
            if a.hop.isInternal, !gateway.fromUser.isEmpty {
                let domain = gateway.fromDomain.isEmpty ? gateway.host : gateway.fromDomain
                history.rename(
                    last: URI(plainUser: gateway.fromUser, host: domain), target: URI(plainUser: gateway.number, host: gateway.host), of: host)
            }
        case .pickup, .conference, nil: break
        }
        return history.fields
    }

    /// How often the call was diverted, as far as its INVITE says.
    static func diversionCount(_ invite: SIPMessage) -> Int {
        invite.addresses(.diversion).reduce(0) { sum, entry in
            // What a peer writes is counted, but not believed to be without limit.
            sum + min(100, max(1, entry.parameters["counter"].flatMap { Int($0) } ?? 1))
        }
    }

    // MARK: Redirections (RFC 3261 §8.1.3.4)

    /// Contacts of one redirection that are tried.
    static let redirectionsMax = 8

    /// A phone that sends its calls elsewhere: as the line would dial it, within its own domain, by `q` and those of one value together. A
    /// carrier's redirection is not followed: it would let a carrier choose whom we call at our cost.
    ///
    /// - Returns: false if nothing of it is followed.
    mutating func follow(_ response: SIPMessage, of index: Int, _ kit: inout CallKit) -> Bool {
        guard stage == .ringing, attempts[index].isOpen, let invite, case .contact(let contact) = attempts[index].target.kind else { return false }
        let own = [invite.request.requestURI?.host, kit.configuration.advertised.host.description, contact.domain]
        var tried = Set(attempts.compactMap(\.forwardedTo))
        for group in plan.groups[min(nextGroup, plan.groups.count)...] { for target in group.targets { if case .forward(let forward) = target.kind { tried.insert(forward.number) } } }
        let passed = DiversionHistory(of: invite.request).users
        // A call that was sent on before goes on to one place: else those who redirect to each other would multiply it.
        let limit = CallMachine.diversionCount(invite.request) == 0 ? CallMachine.redirectionsMax : 1
        var wanted: [(q: Int, target: Target)] = []
        for address in response.contacts {
            guard address.uri.isSIP, let user = address.uri.userDecoded, !user.isEmpty, own.contains(address.uri.host) else {
                refuse(address.uri, 403, "the phone redirects to outside of its line's domain", kit)
                continue
            }
            guard user != invite.request.requestURI?.userDecoded, !passed.contains(user) else {
                refuse(address.uri, 482, "the call has been there", kit)
                worstStatus = CallMachine.better(482, than: worstStatus)
                continue
            }
            guard tried.insert(user).inserted else { continue }
            guard wanted.count < limit else {
                refuse(address.uri, 403, "more contacts than are tried", kit)
                continue
            }
            var target = Target()
            target.forward.subscriberID = contact.subscriberID
            target.forward.number = user
            target.forward.kind = .redirected
            target.timeoutSeconds = 600
            wanted.append((address.qPermille, target))
        }
        guard !wanted.isEmpty else { return false }
        attempts[index].state = .failed(response.status)
        attempts[index].record.sipStatus = UInt32(response.status)
        attempts[index].record.reason = "redirected by the phone"
        attempts[index].record.endedAt = kit.wall.microseconds
        let groups = Set(wanted.map(\.q)).sorted(by: >).map { q in
            TargetGroup.with { $0.targets = wanted.filter { $0.q == q }.map(\.target) }
        }
        // Before whoever else would be rung after this phone.
        plan.groups.insert(contentsOf: groups.dropFirst(), at: min(nextGroup, plan.groups.count))
        for target in groups[0].targets { ring(target, &kit) }
        goOn(response.status, &kit)
        return true
    }

    /// An address that is not tried, for the record.
    private mutating func refuse(_ uri: URI, _ status: UInt32, _ reason: String, _ kit: CallKit) {
        guard settled.count < CallMachine.refusedMax else { return }
        var record = CallAttempt()
        record.target = uri.description
        record.startedAt = kit.wall.microseconds
        record.endedAt = record.startedAt
        record.sipStatus = status
        record.reason = reason
        settled.append(record)
    }

    /// What a phone names in thousands of Contacts would make a record of them.
    private static let refusedMax = 16
}

extension Attempt {
    var isForward: Bool { forwardedTo != nil }

    /// Where a line sends the call, as it dials it.
    var forwardedTo: String? {
        switch target.kind {
        case .forward(let forward): forward.number
        case .contact, .gateway, .pickup, .conference, nil: nil
        }
    }
}

extension NameAddress {
    /// How much an address is wanted beside others (RFC 3261 §20.10), in thousandths.
    var qPermille: Int { parameters["q"].flatMap { Double($0) }.flatMap { $0.isFinite ? Int(max(0, min(1, $0)) * 1_000) : nil } ?? 1_000 }
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

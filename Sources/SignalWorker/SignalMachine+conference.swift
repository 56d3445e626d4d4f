import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

/// A conference as a party of a call: it answers whatever is asked of it, and remembers nothing. What is heard there is the media worker's.
///
/// Between it and the call is a dialog inside of the platform, as between two calls, so that hold, failover and taking over need nothing new.
extension SignalMachine {
    private static let tag = "conference"

    /// - Returns: false: it is for somebody else.
    mutating func conference(_ request: SIPMessage, _ id: ServerTransactionID, on hop: Hop) -> Bool {
        guard hop.isInternal, let uri = request.requestURI, uri.host == CallMachine.conferenceHost else { return false }
        var ok = request.response(200, toTag: request.to.tag ?? Self.tag)
        ok.headers.append(.contact, NameAddress(uri: uri).description)
        ok.headers.append(.allow, CallMachine.allowed)
        switch request.method {
        case .invite, .update:
            if let offer = try? SDP(parsing: request.body) {
                guard let answer = Self.answer(to: offer) else {
                    kit.respond(request.response(488, toTag: request.to.tag ?? Self.tag), to: id, .noMedia)
                    return true
                }
                ok.setBody(Array(answer.utf8), type: "application/sdp")
            } else if request.method == .invite {
                ok.setBody(Array(Self.offer.utf8), type: "application/sdp")
            }
        case .bye, .options, .info, .message, .prack, .ack, .cancel: break
        case .register, .subscribe, .notify, .refer, .publish, .other, nil: ok = request.response(405, toTag: request.to.tag ?? Self.tag)
        }
        kit.respond(ok, to: id)
        return true
    }

    private static let head = "v=0\r\no=conference 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    private static let offer = head + "m=audio 9 RTP/AVP 8 0 9 101\r\na=rtpmap:101 telephone-event/8000\r\n"

    /// Nothing but sound. Nobody sends anything to its address: the media worker has the side for itself.
    private static func answer(to offer: SDP) -> String? {
        var text = head
        var hasSound = false
        for (index, stream) in offer.media.enumerated() {
            guard !hasSound, stream.kind == "audio", !stream.isRefused, let numbers = CodecChoice.taken(of: stream) else {
                let numbers = stream.formats.joined(separator: " ")
                text += "m=\(stream.kind) 0 \(stream.profile.text) \(numbers)\r\n"
                continue
            }
            hasSound = true
            let list = numbers.joined(separator: " ")
            text += "m=audio 9 \(stream.profile.text) \(list)\r\n"
            for line in stream.lines where line.type == "a" && numbers.contains(where: { line.value.hasPrefix("rtpmap:\($0) ") || line.value.hasPrefix("fmtp:\($0) ") }) {
                text += "a=\(line.value)\r\n"
            }
            text += "a=\(offer.direction(of: index).reversed.rawValue)\r\n"
        }
        return hasSound ? text : nil
    }
}

extension CallMachine {
    static let conferenceHost = "conference.invalid"

    func address(_ seat: ConferenceSeat, _ kit: CallKit) -> Address? {
        guard seat.roomID.count == 16 else { return nil }
        let uri = URI(plainUser: hex(Array(seat.roomID)), host: CallMachine.conferenceHost)
        let from = NameAddress(uri: URI(plainUser: plan.callerNumber, host: CallMachine.conferenceHost))
        return Address(uri: uri, hop: kit.internalHop, from: from, to: NameAddress(uri: uri), offered: .plain)
    }

    /// The conference that is called; nil: it is a call to somebody.
    var wantedSeat: ConferenceSeat? {
        if let seat = b?.media.seat ?? bMedia?.seat { return seat }
        guard case .conference(let seat)? = plan.groups.first?.targets.first?.kind else { return nil }
        return seat
    }

    /// Everybody of a conference meets at one media worker: that which the room's id makes of those there are.
    func nextMediaWorker(except lost: Set<String> = [], _ kit: CallKit) -> String? {
        guard let seat = wantedSeat else { return kit.colleagues.mediaWorker(except: lost) }
        return kit.colleagues.mediaWorker(ofRoom: Array(seat.roomID), except: lost)
    }

    /// What the log knows of a call says which conference it is in, and not its PIN: whoever was in stays in.
    mutating func restoreSeat() {
        guard let uri = b?.dialog.remoteTarget, uri.host == CallMachine.conferenceHost, let room = uri.user.flatMap({ bytes(hex: $0) }), room.count == 16 else { return }
        b?.media.seat = .with { $0.roomID = Data(room) }
        a.media.hasConference = true
    }
}

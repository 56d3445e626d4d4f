import Foundation
import Model
import Primitives
import SIP

/// Talk time of an answered call: a lease that is renewed, and its end.
///
/// At zero the call ends that has no lease left, and no other. Who pays for it is told in its last seconds, which are paid for like
/// those before: nothing is spoken on credit.
extension CallMachine {
    /// An announcement has so much time before the call ends; no prompt is longer.
    static let announcementTime: Duration = .seconds(5)
    /// The last question for more, a second before the announcement.
    private static let lastQuestion = announcementTime + .seconds(1)

    mutating func grant(_ seconds: UInt32, _ kit: CallKit) {
        guard let answeredAt else { return }
        let until = answeredAt + .seconds(Int64(seconds))
        setCredit(until: until, kit)
        announcement = nil
        // Asked for in good time: when a third is left, but not earlier than half a minute before the end, and not so late that
        // an announcement has no time.
        let left = until - kit.wall
        renewAt = kit.now + max(.zero, left - max(min(.seconds(30), left / 3), CallMachine.lastQuestion))
    }

    mutating func setCredit(until: WallTime, _ kit: CallKit) {
        creditUntil = until
        creditEnds = kit.now + max(.zero, until - kit.wall)
    }

    mutating func watchCredit(_ kit: inout CallKit) {
        guard stage == .talking, let answeredAt else { return }
        if let ends = creditEnds, kit.now >= ends {
            (creditEnds, renewAt, announcement) = (nil, nil, nil)
            return hangUp(.creditExhausted, &kit)
        }
        if let announcement, kit.now >= announcement.at {
            self.announcement = nil
            announce(announcement.of, &kit)
        }
        if let renewAt, kit.now >= renewAt {
            self.renewAt = nil
            var request = DeskRequest()
            request.renewCredit.callID = id.data
            request.renewCredit.usedSeconds = UInt32(clamping: (kit.wall - answeredAt).milliseconds / 1_000)
            kit.ask(request, .credit(id))
        }
    }

    /// More talk time, or the same: then the call ends when it is used up, unless the account is topped up until shortly before.
    mutating func granted(_ credit: CreditGranted, _ kit: CallKit) {
        guard stage == .talking, let answeredAt, let creditUntil, creditEnds != nil else { return }
        // What is known holds, and no longer: a call that was taken over goes on until it is known.
        setCredit(until: creditUntil, kit)
        guard let creditEnds else { return }
        if answeredAt + .seconds(Int64(credit.grantedSeconds)) > creditUntil {
            grant(credit.grantedSeconds, kit)
        } else if creditEnds - kit.now > CallMachine.lastQuestion + .seconds(1) {
            renewAt = creditEnds + (.zero - CallMachine.lastQuestion)
        } else if credit.hasAnnouncement {
            announcement = (credit.announcement, max(kit.now, creditEnds + (.zero - CallMachine.announcementTime)))
        }
    }

    /// No answer: asked again shortly, as long as there is time.
    mutating func creditUnanswered(_ kit: CallKit) {
        guard stage == .talking, creditEnds != nil else { return }
        renewAt = kit.now + .seconds(1)
    }

    private func announce(_ announcement: Announcement, _ kit: inout CallKit) {
        say(.creditUsedUp, to: announcement.toCalled ? .b : .a, language: announcement.language, &kit)
    }
}

extension LegMediaState {
    /// What may be sent to the peer besides the other side's packets: of its own description, and of ours (RFC 3264 §6.1).
    var promptEncoding: PromptEncoding? {
        guard let remote, let local, remote.media.indices.contains(index), local.media.indices.contains(index) else { return nil }
        for format in remote.media[index].formats where local.media[index].formats.contains(format) {
            // Payload types that never mean anything else (RFC 3551 §6).
            switch format {
            case "0": return .pcmu
            case "8": return .pcma
            default: continue
            }
        }
        return nil
    }
}

import Foundation
import Model
import OpenSSL
import Primitives
import SwiftProtobuf

extension Router {
    /// A call of a line, or of whomever it has sent there, to a conference of its tenant. It costs nothing by itself: what a caller from outside pays,
    /// and for the line that forwards, is the call before.
    func confer(_ room: ConferenceRoom, _ line: Line, _ started: CallStarted, shown: String) -> Routing {
        var started = started
        started.called = line.party(number: room.extension)
        started.called.subscriberID = Data()
        var plan = CallPlan()
        plan.direction = .onNet
        plan.callerNumber = shown
        plan.callerDisplay = line.subscriber.displayName
        plan.callerMediaSecurity = line.subscriber.mediaSecurity
        plan.logPosition = started.logPosition
        plan.setTreatment(line, nil)
        var target = Target()
        target.timeoutSeconds = 10
        target.conference.roomID = Self.id(of: room, line)
        target.conference.pin = room.pin
        target.conference.participantsMax = room.participantsMax
        target.conference.silent = room.silent
        target.conference.language = line.language
        plan.groups = [.with { $0.targets = [target] }]
        return Routing(started: started, outcome: .plan(plan))
    }

    /// The same for as long as tenant and extension are.
    private static func id(of room: ConferenceRoom, _ line: Line) -> Data {
        Data(Hash.sha256(Array("ledgerline conference\0".utf8) + line.tenantID.value.bytes + Array(room.extension.utf8)).prefix(16))
    }
}

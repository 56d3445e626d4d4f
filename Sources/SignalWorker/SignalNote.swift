package import Model
package import Primitives

/// What an operator may want to know; counted by name and logged by the driver.
package enum SignalNote: Hashable, Sendable {
    case malformed(source: SocketAddress, reason: String)
    case tooFast(source: SocketAddress)
    /// Refused without being looked at: the table of transactions is full, or the request came by two ways.
    case turnedAway(source: SocketAddress, status: Int)
    case banned(source: SocketAddress)
    case wrongPassword(source: SocketAddress, user: String)
    /// A packet of a call that nobody owns.
    case orphan(source: SocketAddress)
    case deskUnanswered
    case notEnrolled
    case factRefused(reason: String)
    case adopted(call: String)
    /// A call is not recorded that was to be.
    case recordingRefused(reason: String)
    case registered(user: String)
    case forwarded(ForwardKind)
    case tooManyContacts(source: SocketAddress)
    /// A server of a gateway did not answer, or could not.
    case serverPassedOver(gateway: SocketAddress, next: SocketAddress, status: Int)
    /// A flow of a device did not answer, or whoever holds it says that it is gone.
    case flowPassedOver(flow: SocketAddress, next: SocketAddress, status: Int)
    /// A connection is over, or never came to be.
    case connection(source: SocketAddress, ConnectionEnd)
    /// Certificates have changed, or should have.
    case certificates(String)
    /// A request was too large for a datagram, and went by TCP.
    case movedToStream(remote: SocketAddress)

    package var name: String {
        switch self {
        case .malformed: "malformed"
        case .tooFast: "too_fast"
        case .turnedAway(_, let status): status == 482 ? "merged" : "table_full"
        case .banned: "banned"
        case .wrongPassword: "wrong_password"
        case .orphan: "orphan"
        case .deskUnanswered: "desk_unanswered"
        case .notEnrolled: "not_enrolled"
        case .factRefused: "fact_refused"
        case .adopted: "adopted"
        case .recordingRefused: "recording_refused"
        case .registered: "registered"
        case .tooManyContacts: "too_many_contacts"
        case .forwarded(let kind): "forwarded_\(kind.literal)"
        case .serverPassedOver: "server_passed_over"
        case .flowPassedOver: "flow_passed_over"
        case .connection(_, let end): end.name
        case .certificates: "certificates"
        case .movedToStream: "moved_to_stream"
        }
    }
}

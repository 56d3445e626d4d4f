import Foundation
import Model

/// A line's state as event packages write it.
struct LineState: Equatable {
    /// `sip:bob@acme.example`
    let uri: String
    let isRegistered: Bool
    let isNotToBeDisturbed: Bool
    let messages: LineMessages
    /// The oldest first.
    let calls: [LineCalls.Seen]

    /// - Parameter version: of the document; counted by whoever sends it.
    func document(_ package: EventPackage, version: UInt32) -> String {
        switch package {
        case .dialog: dialogs(version)
        case .messages: summary
        case .presence: presence
        }
    }

    /// What a watcher of the package can tell apart.
    func isSame(as other: LineState?, for package: EventPackage) -> Bool {
        guard let other else { return false }
        return document(package, version: 0) == other.document(package, version: 0)
    }

    /// RFC 3842 §5.2.
    private var summary: String {
        let hasNew = messages.new > 0
        var text = "Messages-Waiting: \(hasNew ? "yes" : "no")\r\nMessage-Account: \(uri)\r\n"
        text += "Voice-Message: \(messages.new)/\(messages.old) (\(messages.urgentNew)/\(messages.urgentOld))\r\n"
        return text
    }

    /// RFC 4235 §4: always all of the line's calls, so a document that was lost is made good by the next.
    private func dialogs(_ version: UInt32) -> String {
        var text = #"<?xml version="1.0" encoding="UTF-8"?>"# + "\n"
        text += #"<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="\#(version)" state="full" entity="\#(uri.xmlEscaped)">"# + "\n"
        for call in calls {
            let state = call.isAnswered ? "confirmed" : call.isCaller ? "proceeding" : "early"
            text += #"  <dialog id="\#(call.id)" direction="\#(call.isCaller ? "initiator" : "recipient")">"# + "\n    <state>\(state)</state>\n"
            let other = call.other.xmlEscaped
            if call.isAnonymous {
                // RFC 3323 §4.1.1.3: a watcher learns no more than the phone that rings.
                text += #"    <remote><identity display="Anonymous">sip:anonymous@anonymous.invalid</identity></remote>"# + "\n"
            } else if !other.isEmpty {
                let domain = uri.drop { $0 != "@" }
                text += "    <remote><identity>sip:\(other)\(domain)</identity></remote>\n"
            }
            text += "  </dialog>\n"
        }
        return text + "</dialog-info>\n"
    }

    /// RFC 3863, with the activity of RFC 4480.
    private var presence: String {
        var text = #"<?xml version="1.0" encoding="UTF-8"?>"# + "\n"
        text += #"<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="\#(uri.xmlEscaped)">"# + "\n"
        text += #"  <tuple id="line"><status><basic>\#(isRegistered ? "open" : "closed")</basic></status></tuple>"# + "\n"
        let activity = calls.isEmpty ? (isNotToBeDisturbed ? "<rpid:busy/>" : "") : "<rpid:on-the-phone/>"
        if !activity.isEmpty { text += #"  <dm:person id="person"><rpid:activities>\#(activity)</rpid:activities></dm:person>"# + "\n" }
        return text + "</presence>\n"
    }
}

extension String {
    /// Without what no document may have (XML 1.0 §2.2), also escaped: controls, and the noncharacters U+FFFE and U+FFFF.
    fileprivate var xmlEscaped: String {
        unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "\u{20}"..."\u{FFFD}", "\u{10000}"...: text.unicodeScalars.append(scalar)
            default: break
            }
        }
    }
}

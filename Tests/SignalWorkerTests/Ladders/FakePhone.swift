import Foundation
import OpenSSL
import Primitives
import SIP

/// A phone or a gateway of the ladders: says exactly what it is told to say. Only challenges it answers by itself.
struct FakePhone {
    let name: String
    let address: SocketAddress
    /// Where its Contact points; its own address unless a ladder says otherwise.
    var contactAddress: SocketAddress
    var password: String
    private var invite: SIPMessage?
    private var lastRequest: SIPMessage?
    private var lastAnswer: SIPMessage?
    private var lastProvisional: SIPMessage?
    private var reliableNumber = 0
    private var dialog: Dialog?
    private var incoming: [(request: SIPMessage, listener: SocketAddress)] = []
    private var seen: Set<String> = []
    private var number: UInt32 = 0
    private var descriptionVersion: UInt64 = 1
    private var lastBytes: [UInt8] = []
    private var triedPassword = false

    init(_ name: String, _ address: SocketAddress) {
        self.name = name
        self.address = address
        contactAddress = address
        password = "secret of " + name
    }

    struct Mute: Error {
        let text: String
    }

    // MARK: what it hears

    /// Takes a message, and answers a challenge if it has not been answered: then the bytes to send are given back.
    mutating func hear(_ message: SIPMessage, by listener: SocketAddress, answersChallenges: Bool) -> [[UInt8]]? {
        guard message.isRequest else { return hear(response: message, answersChallenges: answersChallenges) }
        guard message.method != .ack, seen.insert("\(message.branch ?? "") \(message.cseq)").inserted else { return nil }
        if message.method == .invite, dialog == nil { invite = nil }
        incoming.append((message, listener))
        return nil
    }

    private mutating func hear(response: SIPMessage, answersChallenges: Bool) -> [[UInt8]]? {
        guard response.isFinal else {
            if response.status > 100 { lastProvisional = response }
            return nil
        }
        let isChallenge = response.status == 401 || response.status == 407
        if isChallenge, answersChallenges, !triedPassword, let request = lastRequest,
            let challenge = DigestChallenge.all(in: response).first
        {
            triedPassword = true
            let acks = response.status == 407 ? [request.acknowledgement(of: response).bytes] : []
            return acks + [authorised(request, challenge, response.status)]
        }
        lastAnswer = response
        if let invite, response.cseq == invite.cseq, dialog.map({ $0.isEarly && $0.remoteTag != response.to.tag }) ?? true {
            dialog = Dialog(calling: invite, response: response) ?? dialog
        }
        if dialog?.matches(response) == true { dialog?.receive(response: response) }
        return nil
    }

    private mutating func authorised(_ request: SIPMessage, _ challenge: DigestChallenge, _ status: Int) -> [UInt8] {
        guard let method = request.method, let uri = request.requestURI else { return [] }
        var request = request
        request.cseq.number += 1
        number = request.cseq.number
        request.vias = [via()]
        let ha1 = challenge.algorithm.ha1(username: name, realm: challenge.realm, password: password)
        let credentials = DigestCredentials(
            answering: challenge, username: name, ha1: ha1, method: method, uri: uri.description, cnonce: "c", nc: 1)
        request.headers.append(status == 401 ? .authorization : .proxyAuthorization, credentials.description)
        if method == .invite { invite = request }
        lastRequest = request
        return request.bytes
    }

    // MARK: what it says

    mutating func say(_ words: [String]) throws -> (bytes: [UInt8], listener: SocketAddress?) {
        if words.contains("again") { return (lastBytes, nil) }
        let said: (bytes: [UInt8], listener: SocketAddress?)
        if let status = Int(words[0]) {
            said = try answer(status, words)
        } else {
            said = (try request(words), nil)
        }
        lastBytes = said.bytes
        return said
    }

    private mutating func answer(_ status: Int, _ words: [String]) throws -> ([UInt8], SocketAddress?) {
        let method = words.dropFirst().compactMap { Method($0) }.first { $0.isNamedInLadders }
        guard let index = incoming.lastIndex(where: { method == nil || $0.request.method == method }) else {
            throw Mute(text: "\(name) has no request to answer with \(status)")
        }
        let (request, listener) = incoming[index]
        if status >= 200 { incoming.remove(at: index) }
        var response = request.response(status, toTag: "tag-of-" + name)
        if let place = words.first(where: { $0.hasPrefix("contact=") }) {
            // Several with their `q`: `contact=1003@pbx.example;q=0.9,1004@pbx.example`.
            for part in place.dropFirst(8).split(separator: ",") {
                let uri = part.prefix { $0 != ";" }
                response.headers.append(.contact, "<sip:\(uri)>\(part.dropFirst(uri.count))")
            }
        } else if !words.contains("contactless") {
            response.headers.append(.contact, contact.description)
        }
        if words.contains("reliable") {
            reliableNumber += 1
            if let number = words.first(where: { $0.hasPrefix("rseq=") }).flatMap({ Int($0.dropFirst(5)) }) { reliableNumber = number }
            response.headers.append(.require, "100rel")
            response.headers.append(.rseq, String(reliableNumber))
            if dialog == nil { dialog = Dialog(answering: request, localTag: "tag-of-" + name) }
        }
        extend(&response, words)
        if words.contains("challenge") {
            let isStale = words.contains("stale")
            let challenge = DigestChallenge(realm: "carrier.example", nonce: isStale ? "fresh" : "first", algorithm: words.contains("md5") ? .md5 : .sha256, isStale: isStale)
            response.headers.append(status == 401 ? .wwwAuthenticate : .proxyAuthenticate, challenge.description)
        }
        if request.method == .invite ? words.contains("sdp") || (status == 200 && !words.contains("empty")) : words.contains("sdp") {
            response.setBody(description(words, answering: request), type: "application/sdp")
        }
        if request.method == .invite, status == 200 {
            if dialog == nil {
                dialog = Dialog(answering: request, localTag: "tag-of-" + name, isEarly: false)
            } else {
                try? dialog?.receive(request)
            }
        }
        return (response.bytes, listener)
    }

    private mutating func request(_ words: [String]) throws -> [UInt8] {
        switch words[0] {
        case "garbage": return Array("INVITE sip:x SIP/2.0\r\nVia: nonsense\r\n\r\n".utf8)
        case "ACK":
            guard let lastAnswer, let lastRequest else { throw Mute(text: "\(name) has nothing to acknowledge") }
            if lastAnswer.isSuccess, let dialog {
                // Other requests may have been made since.
                var answered = lastRequest
                answered.cseq = lastAnswer.cseq
                var ack = dialog.acknowledgement(of: answered, via: via())
                if words.contains("sdp") { ack.setBody(description(words, answering: nil), type: "application/sdp") }
                return ack.bytes
            }
            return lastRequest.acknowledgement(of: lastAnswer).bytes
        case "CANCEL":
            guard let lastRequest else { throw Mute(text: "\(name) has nothing to cancel") }
            return lastRequest.cancellation().bytes
        case "INVITE" where dialog == nil: return new(.invite, to: words[1], words)
        case "PRACK":
            guard let invite, let lastProvisional else { throw Mute(text: "\(name) has nothing to confirm") }
            if dialog == nil { dialog = Dialog(calling: invite, response: lastProvisional) }
            guard var dialog else { throw Mute(text: "\(name) has no early dialog") }
            var request = dialog.request(.prack, via: via())
            self.dialog = dialog
            request.headers.append(.rack, "\(words.contains("wrong") ? "77" : lastProvisional.headers[.rseq] ?? "0") \(invite.cseq.number) INVITE")
            if words.contains("sdp") {
                descriptionVersion += 1
                request.setBody(description(words, answering: nil), type: "application/sdp")
            }
            return request.bytes
        case "REGISTER":
            var request = make(.register, URI(host: Addresses.domain), to: NameAddress(uri: own))
            request.headers.append(.expires, words.contains("leaving") ? "0" : words.contains("brief") ? "5" : "600")
            if words.contains("outbound") {
                // A flow of a device (RFC 5626), which wants a name by which it alone is called (RFC 5627).
                request.headers.append(.supported, "path, outbound, gruu")
                var contact = contact
                contact.parameters.set("+sip.instance", "\"<urn:uuid:1>\"")
                contact.parameters.set("reg-id", "1")
                request.headers[.contact] = contact.description
            }
            if words.contains("path") { request.headers.append(.path, "<sip:edge.example;lr>") }
            if let number = words.first(where: { $0.hasPrefix("contacts=") })?.dropFirst(9), let count = Int(number) {
                for index in 1..<count { request.headers.append(.contact, "<sip:bob\(index)@\(contactAddress)>") }
            }
            lastRequest = request
            return request.bytes
        case "SUBSCRIBE" where dialog == nil:
            let target = URI(user: words[1], host: Addresses.domain)
            var request = make(.subscribe, target, to: NameAddress(uri: target))
            request.headers.append(.event, words[2])
            request.headers.append(.expires, "300")
            lastRequest = request
            return request.bytes
        case "OPTIONS" where dialog == nil: return new(.options, to: "ping", words)
        case let name:
            guard let method = Method(name), var dialog else { throw Mute(text: "\(self.name) is in no call") }
            var request = dialog.request(method, via: via())
            self.dialog = dialog
            request.headers.append(.contact, contact.description)
            if method == .invite || method == .update, !words.contains("empty") {
                descriptionVersion += 1
                request.setBody(description(words, answering: nil), type: "application/sdp")
            }
            if method == .refer {
                let replaces = words.first { $0.hasPrefix("replaces=") }.map { "?Replaces=" + $0.dropFirst(9) } ?? ""
                request.headers.append(.referTo, "<sip:\(words[1])@\(Addresses.domain)\(replaces)>")
            }
            extend(&request, words)
            if method == .info, let wish = words.first(where: { $0.hasPrefix("record=") }) {
                request.headers.append("Record", String(wish.dropFirst(7)))
            } else if method == .info { request.setBody(Array("Signal=5\r\nDuration=160\r\n".utf8), type: "application/dtmf-relay") }
            lastRequest = request
            return request.bytes
        }
    }

    private mutating func new(_ method: Method, to user: String, _ words: [String]) -> [UInt8] {
        let target = URI(user: user, host: Addresses.domain)
        var request = make(method, target, to: NameAddress(uri: target))
        if method == .invite, !words.contains("empty") { request.setBody(description(words, answering: nil), type: "application/sdp") }
        if words.contains("from-tel") { request.from.uri = URI("tel:+1-209-555-0199") ?? own }
        if words.contains("last-hop") { request.headers[.maxForwards] = "0" }
        if words.contains("100rel") { request.headers.append(.require, "100rel") }
        if words.contains("strange") { request.headers.append(.require, "strange") }
        if let replaces = words.first(where: { $0.hasPrefix("replaces=") }) {
            request.headers.append(.replaces, String(replaces.dropFirst(9)).replacingOccurrences(of: "%3B", with: ";").replacingOccurrences(of: "%3D", with: "="))
        }
        extend(&request, words)
        if method == .invite { invite = request }
        lastRequest = request
        lastAnswer = nil
        return request.bytes
    }

    /// `se=1800`, `se=60;refresher=uas`, `minse=1200`, `rel`, `update`, `private`, `why=…`.
    private func extend(_ message: inout SIPMessage, _ words: [String]) {
        var supported: [String] = []
        if words.contains("rel") { supported.append("100rel") }
        if words.contains("timer") || words.contains(where: { $0.hasPrefix("se=") }) { supported.append("timer") }
        if !supported.isEmpty { message.headers.append(.supported, supported.joined(separator: ", ")) }
        if words.contains("update") { message.headers.append(.allow, "INVITE, ACK, BYE, CANCEL, UPDATE") }
        if words.contains("private") { message.headers.append(.privacy, "id") }
        if words.contains("history-private") { message.headers.append(.privacy, "history") }
        for word in words {
            if word.hasPrefix("se=") { message.headers.append(.sessionExpires, String(word.dropFirst(3))) }
            if word.hasPrefix("expires=") { message.headers.append(.expires, String(word.dropFirst(8))) }
            if word.hasPrefix("minse=") { message.headers.append(.minSE, String(word.dropFirst(6))) }
            if word.hasPrefix("because=") { message.headers.append(.reason, "Q.850;cause=" + word.dropFirst(8)) }
        }
    }

    /// The dialog that it is in, as a Replaces header names it, for a URI.
    var replaces: String {
        guard let dialog else { return "none" }
        return "\(dialog.callID)%3Bto-tag%3D\(dialog.remoteTag)%3Bfrom-tag%3D\(dialog.localTag)"
    }

    private mutating func make(_ method: Method, _ uri: URI, to: NameAddress) -> SIPMessage {
        number += 1
        triedPassword = false
        var request = SIPMessage(
            method, uri, via: via(), from: NameAddress(uri: own, tag: "tag-of-" + name), to: to, callID: "call-of-" + name,
            cseq: number)
        request.headers.append(.contact, contact.description)
        return request
    }

    private var own: URI { URI(user: name, host: Addresses.domain) }
    private var contact: NameAddress {
        NameAddress(uri: URI(user: name, host: contactAddress.host.description, port: contactAddress.port))
    }

    private var branches: UInt32 = 0
    private mutating func via() -> Via {
        branches += 1
        return Via(host: address.host.description, port: address.port, branch: "\(Via.magicCookie)\(name)\(branches)")
    }

    // MARK: what it says of its media

    /// `pcma`, `gsm`: those alone; `hold`, `srtp` (with the key of an offer's first line in mind), `avpf`; audio at its port plus 20 000. `picture`: video, too.
    /// `fax`: T.38 in the place of the sound; `fax-behind`: in a place of its own, the sound is refused.
    private func description(_ words: [String], answering offer: SIPMessage?) -> [UInt8] {
        let address = SDP.Address(isIPv6: false, host: "127.0.0.1")
        var stream = SDP.Media(
            port: self.address.port + 20_000, formats: ["0", "8", "101"],
            lines: [SDP.Line("a", "rtpmap:101 telephone-event/8000")])
        if words.contains("pcma") { stream.formats = ["8", "101"] }
        if words.contains("gsm") { (stream.formats, stream.lines) = (["3"], [SDP.Line("a", "rtpmap:3 GSM/8000")]) }
        if words.contains("video") { stream.kind = "video" }
        if words.contains("avpf") { stream.profile = .avpf }
        if words.contains("srtp") {
            stream.profile = .savp
            stream.cryptos = [SDPCrypto(tag: 1, suite: .aesCM128HMACSHA1_80, key: Array(repeating: 7, count: 30))]
        }
        if words.contains("hold") { stream.direction = .sendonly }
        if words.contains("held") { stream.direction = .recvonly }
        var media = [stream]
        if words.contains("picture") { media.append(SDP.Media(kind: "video", port: self.address.port + 20_100, formats: ["99"])) }
        if words.contains("fax") || words.contains("fax-behind") {
            let fax = SDP.Media(kind: "image", port: self.address.port + 20_200, profile: .other("udptl"), formats: ["t38"], lines: [SDP.Line("a", "T38FaxVersion:0")])
            media = words.contains("fax") ? [fax] : [SDP.Media(port: 0, formats: ["0"]), fax]
        }
        let sdp = SDP(origin: SDP.Origin(sessionID: 1, version: descriptionVersion, address: address), connection: address, media: media)
        return sdp.bytes
    }
}

extension Method {
    fileprivate var isNamedInLadders: Bool {
        switch self {
        case .other, .ack: false
        default: true
        }
    }
}

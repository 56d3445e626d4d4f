import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

/// How messages are told in a ladder.
enum Telling {
    // MARK: SIP

    static func kind(of message: SIPMessage) -> String { message.method?.description ?? String(message.status) }

    static func facts(of message: SIPMessage, by listener: SocketAddress) -> Set<String> {
        var facts: Set<String> = []
        let own = Addresses.workers.first { $0.value == listener }?.key
        facts.insert("by=\(own ?? "cluster")")
        if let user = message.requestURI?.user { facts.insert("to=\(user)") }
        if let user = message.from.uri.user, message.isRequest { facts.formUnion(["from=\(user)", "from=\(user)@\(message.from.uri.host)"]) }
        if let referrer = message.headers[.referredBy].flatMap({ NameAddress($0) })?.uri.user { facts.insert("referred=\(referrer)") }
        if let hops = message.maxForwards { facts.insert("hops=\(hops)") }
        facts.insert("cseq=\(message.cseq.number)")
        if let credentials = credentials(of: message) { facts.formUnion(["credentials", "credentials=\(credentials)"]) }
        if message.headers.contains(.assertedIdentity) { facts.insert("pai") }
        if let event = message.headers[.event] { facts.insert("event=\(event)") }
        if let state = message.headers[.subscriptionState] { facts.insert("state=\(state.prefix { $0 != ";" })") }
        if let expires = message.headers[.expires] { facts.insert("for=\(expires)") }
        if message.headers.contains(.path) { facts.insert("path") }
        if message.headers.contains(.route) { facts.insert("route") }
        if message.headers.list(.require).contains("outbound") { facts.insert("outbound") }
        if message.contacts.contains(where: { $0.parameters.contains("pub-gruu") }) { facts.insert("gruu") }
        if message.headers.contains(.reason) { facts.insert("reason") }
        if message.headers.contains(.retryAfter) { facts.insert("retry") }
        if let why = message.headers["X-Ledgerline-Reason"] { facts.insert("why=\(why)") }
        if message.required.contains("100rel") { facts.insert("rel=\(message.headers[.rseq] == nil ? "no" : "yes")") }
        if let rack = message.headers[.rack] { facts.insert("rack=\(rack.prefix { $0 != " " })") }
        if let timer = message.headers[.sessionExpires] { facts.insert("se=\(timer)") }
        if let least = message.headers[.minSE] { facts.insert("minse=\(least)") }
        if message.headers.contains(.replaces) { facts.insert("replaces") }
        if message.headers.contains(.referredBy) { facts.insert("referred") }
        if let diversion = message.addresses(.diversion).first { facts.insert("diverted=\(diversion.uri.user ?? "")") }
        if let reason = message.addresses(.diversion).first?.parameters["reason"] { facts.insert("because=\(reason)") }
        let history = message.addresses(.historyInfo)
        if !history.isEmpty {
            facts.insert("history")
            // `1002/1,1003/1.1`: who, and in which place.
            facts.insert("history=" + history.map { "\($0.uri.user ?? "")/\($0.parameters["index"] ?? "")" }.joined(separator: ","))
        }
        if message.headers.contains(.privacy) { facts.insert("private") }
        if message.headers.all(.reason).contains(where: { $0.contains("elsewhere") }) { facts.insert("elsewhere") }
        if message.headers.all(.reason).contains(where: { $0.hasPrefix("Q.850") }) { facts.insert("q850") }
        if message.contentType == "message/sipfrag" { facts.insert("sipfrag=\(String(decoding: message.body, as: UTF8.self).split(separator: " ")[1])") }
        if message.headers[.subscriptionState]?.hasPrefix("terminated") == true { facts.insert("terminated") }
        if let position = message.headers["X-Ledgerline-Position"] { facts.insert("position=\(position)") }
        for contact in message.contacts { if let expires = contact.expires { facts.insert("expires=\(expires)") } }
        if message.method == .info, !message.body.isEmpty { facts.insert("body") }
        if message.hasSDP, let sdp = try? SDP(parsing: message.body), let stream = sdp.media.first {
            facts.formUnion(["sdp", "port=\(stream.port)", "\(sdp.direction(of: 0))", "version=\(sdp.origin.version)", "speaks=\(stream.formats.first ?? "")"])
            facts.insert(stream.profile.text.split(separator: "/", maxSplits: 1).last?.lowercased() ?? "")
            facts.insert("ports=" + sdp.media.map { "\($0.port)" }.joined(separator: ","))
            for key in stream.cryptos { facts.insert("key=\(key.tag)") }
            facts.insert("streams=" + sdp.media.map { $0.isRefused ? "no" : $0.kind }.joined(separator: ","))
            facts.insert("session=\(sdp.origin.sessionID == 1 ? "own" : "ours")")
        }
        return facts
    }

    /// Whether a gateway's challenge is answered with the password that its ladder calls right.
    private static func credentials(of message: SIPMessage) -> String? {
        let values = message.headers.all(.authorization) + message.headers.all(.proxyAuthorization)
        guard message.isRequest, let said = values.compactMap({ DigestCredentials($0) }).first else { return nil }
        guard said.username == "trunk", let count = said.count else { return "strange" }
        let right = DigestCredentials(
            answering: DigestChallenge(realm: said.realm, nonce: said.nonce, algorithm: said.algorithm), username: "trunk",
            ha1: said.algorithm.ha1(username: "trunk", realm: "carrier.example", password: "tea"), method: message.method == .bye ? .bye : .invite, uri: said.uri, cnonce: count.cnonce,
            nc: UInt32(count.nc, radix: 16) ?? 0)
        return said.response == right.response ? "right" : "wrong"
    }

    // MARK: desk

    /// What a worker says to the desk whatever happens.
    static func isRoutine(_ request: DeskRequest) -> Bool {
        switch request.kind {
        case .hello, .heartbeat: true
        case .credential, .source, .bind, .bindBatch, .startCall, .callAnswered, .callUpdated, .callFinished, .renewCredit, .locateCall, .gatewayChallenged, .gatewayReport, .subscribe, .subscriptionLost, .recordCall, .recordingReport, nil:
            false
        }
    }

    /// What is the same in most ladders.
    static func isLookup(_ request: DeskRequest) -> Bool {
        switch request.kind {
        case .hello, .heartbeat, .credential, .source: true
        case .bind, .bindBatch, .startCall, .callAnswered, .callUpdated, .callFinished, .renewCredit, .locateCall, .gatewayChallenged, .gatewayReport, .subscribe, .subscriptionLost, .recordCall, .recordingReport, nil: false
        }
    }

    static func kind(of request: DeskRequest) -> String {
        switch request.kind {
        case .hello: "Hello"
        case .heartbeat: "Heartbeat"
        case .credential: "CredentialQuery"
        case .source: "SourceQuery"
        case .bind: "BindContacts"
        case .bindBatch: "BindBatch"
        case .startCall: "StartCall"
        case .callAnswered: "CallAnswered"
        case .callUpdated: "CallUpdated"
        case .callFinished: "CallFinished"
        case .renewCredit: "RenewCredit"
        case .locateCall: "LocateCall"
        case .gatewayChallenged: "GatewayChallenged"
        case .subscribe: "Subscribe"
        case .subscriptionLost: "SubscriptionLost"
        case .gatewayReport: "GatewayReport"
        case .recordCall: "RecordCall"
        case .recordingReport: "RecordingReport"
        case nil: "nothing"
        }
    }

    static func facts(of request: DeskRequest, wall: WallTime) -> Set<String> {
        switch request.kind {
        case .hello(let hello): ["calls=\(hello.calls.count)"]
        case .bind(let bind):
            bind.removeAll
                ? ["all"] : Set(["contacts=\(bind.bindings.count)"] + bind.bindings.flatMap { ["reached=\($0.flow.remote)", "flow=\($0.regID)"] + ($0.path.isEmpty ? [] : ["path"]) + ($0.isBehindNat ? ["nat"] : []) })
        case .bindBatch(let batch): Set(["lines=\(batch.binds.count)", "contacts=\(batch.binds.reduce(0) { $0 + $1.bindings.count })"])
        case .startCall(let start):
            Set(["dialled=\(start.dialled)", "caller=\(name(start.callerSubscriberID))", "gateway=\(name(start.gatewayID))", "forwarded=\(start.forwardKind)", "from=\(start.fromUser)"])
                .union(start.isAnonymous ? ["anonymous"] : [])
        case .callAnswered(let fact):
            secrets(fact.snapshot).union(fact.snapshot.mediaPath == .direct ? ["direct"] : []).union([
                "gateway=\(name(fact.gatewayID))", "subscriber=\(name(fact.subscriberID))", "media=\(fact.snapshot.mediaWorker)",
            ])
        case .callUpdated(let fact):
            secrets(fact.snapshot).union(["media=\(fact.snapshot.mediaWorker)"]).union(fact.snapshot.mediaPath == .direct ? ["direct"] : [])
        case .callFinished(let fact): facts(of: fact.ended, wall: wall)
        case .renewCredit(let renewal): ["used=\(renewal.usedSeconds)"]
        case .subscribe(let request):
            Set(["event=\(request.event)", "of=\(request.resource)", "by=\(name(request.subscriberID))", "expires=\(request.expiresSeconds)"])
                .union(request.isRefresh ? ["refresh"] : [])
        case .recordCall(let record): record.demanded ? ["demanded"] : ["ordered"]
        case .heartbeat, .credential, .source, .locateCall, .gatewayChallenged, .gatewayReport, .subscriptionLost, .recordingReport, nil: []
        }
    }

    private static func facts(of ended: CallEnded, wall: WallTime) -> Set<String> {
        var facts: Set<String> = ["\(ended.cause)", "status=\(ended.sipStatus)", "attempts=\(ended.attempts.count)"]
        if ended.hasMedia { facts.insert("media=\(ended.media.mediaWorker)") }
        if !ended.attempts.isEmpty { facts.insert("tried=" + ended.attempts.map { "\($0.sipStatus)" }.joined(separator: ",")) }
        facts.insert("ago=\((wall.microseconds - ended.endedAt) / 1_000_000)")
        return facts
    }

    /// Keys have no business in the ledger.
    private static func secrets(_ snapshot: CallSnapshot) -> Set<String> {
        let texts = [snapshot.sdpA, snapshot.sdpB, snapshot.remoteSdpA, snapshot.remoteSdpB]
        return texts.contains { $0.contains("inline:") } ? ["keys"] : []
    }

    private static func name(_ id: Data) -> String { String(decoding: id.filter { $0 != 0 }, as: UTF8.self) }

    // MARK: studio

    static func kind(of request: StudioRequest) -> String {
        switch request.kind {
        case .open: "Open"
        case .change: "Change"
        case .close: "Close"
        case .query: "Query"
        case .play: "Play"
        case .keys: "Keys"
        case .record: "Record"
        case nil: "nothing"
        }
    }

    static func facts(of request: StudioRequest) -> Set<String> {
        var facts: Set<String> = []
        func tell(_ side: String, _ leg: LegSpec) {
            facts.insert(side)
            if let port = leg.remote.split(separator: ":").last { facts.insert("\(side)=\(port)") }
            if leg.hasSeat { facts.formUnion(["\(side)-room", leg.seat.pin.isEmpty ? "\(side)-no-pin" : "\(side)-pin=\(leg.seat.pin)"]) }
            if leg.opaque { facts.insert("\(side)-unread") }
            if !leg.sendKey.isEmpty, !leg.receiveKey.isEmpty { facts.insert("\(side)-srtp") }
        }
        switch request.kind {
        case .open(let open):
            tell("a", open.a)
            if open.hasB { tell("b", open.b) }
        case .change(let change):
            if change.hasA { tell("a", change.a) }
            if change.hasB { tell("b", change.b) }
            if !change.owner.isEmpty { facts.insert("owner=\(change.owner)") }
        case .play(let play):
            facts = [play.toB ? "b" : "a", "\(play.prompt)", "\(play.encoding)", "in=\(play.language)"]
            if !play.sound.isEmpty { facts.insert("sound=\(play.sound)") }
            if play.rings { facts.insert("rings=\(play.countryCode)") }
            if play.ends { facts.insert("ends") }
        case .keys(let keys): facts = [keys.toB ? "b" : "a", keys.keys, "type=\(keys.payloadType)"]
        case .record(let record): facts = [record.ends ? "ends" : "begins"]
        case .close, .query, nil: break
        }
        return facts
    }

    // MARK: relay

    static func facts(of message: RelayMessage) -> Set<String> {
        switch message.kind {
        case .received(let received): ["received", inner(Array(received.message))]
        case .send(let send): ["send", inner(Array(send.message))]
        case .unreachable: ["unreachable"]
        case nil: []
        }
    }

    private static func inner(_ bytes: [UInt8]) -> String { (try? SIPMessage(parsing: bytes)).map(kind) ?? "garbage" }
}

import Foundation

/// A scenario for SIPp, written step by step: what a phone or a carrier says, and what it insists on hearing.
struct SIPpScript {
    /// Which end of the call the script is.
    enum Role {
        case caller(dials: String)
        case called
    }

    private let user: String
    private let domain: String
    private let role: Role
    /// `UDP`, or what stands in Via when somebody carries SIPp's bytes on: `TCP`, `TLS`.
    private let transport: String
    /// Its Contact, as host and port; nil: SIPp's own.
    private let contact: String?
    private var steps: [String] = []
    private var names: [String] = []
    private var inviteCSeq = 1
    private var cseq = 0
    /// Where its descriptions say that it takes media; nil: where SIPp itself does.
    var mediaPort: Int?
    /// What its descriptions say in the place of that one stream: whole sections, beginning with `m=`.
    var streams: String?

    init(_ user: String, _ domain: String, _ role: Role, by transport: String = "UDP", contact: String? = nil) {
        self.transport = transport
        self.contact = contact
        self.user = user
        self.domain = domain
        self.role = role
    }

    private var ownContact: String { "sip:\(user)@\(contact ?? "[local_ip]:[local_port]")" + (transport == "UDP" ? "" : ";transport=\(transport.lowercased())") }

    var xml: String {
        let references = names.isEmpty ? "" : #"<Reference variables="\#(names.joined(separator: ","))"/>"#
        return #"<?xml version="1.0" encoding="UTF-8"?><scenario name="\#(user)">\#(steps.joined(separator: "\n"))\#(references)</scenario>"#
    }

    // MARK: What it says

    /// - Parameter sdp: attribute lines of the stream, `a=sendonly`; nil: no description.
    /// - Parameter isEarly: of the called side, before it has answered.
    mutating func request(_ method: String, _ headers: [String] = [], sdp: String? = nil, isEarly: Bool = false, body: (type: String, text: String)? = nil) {
        if method != "ACK" { cseq += 1 }
        if method == "INVITE" { inviteCSeq = cseq }
        let number = method == "ACK" ? inviteCSeq : cseq
        let isNew = isCaller && (method == "INVITE" && number <= 2 || method == "OPTIONS")
        let (uri, from, to) =
            switch role {
            case .caller(let dialled):
                (isNew ? "sip:\(dialled)@\(domain)" : "[next_url]", "<sip:\(user)@\(domain)>;tag=[pid]C[call_number]", "<sip:\(dialled)@\(domain)>\(isNew ? "" : "[peer_tag_param]")")
            case .called: isEarly ? ("[$target]", "[$to];tag=[pid]T[call_number]", "[$from]") : ("[$target]", "[$me]", "[$peer]")
            }
        let lines =
            [
                "\(method) \(uri) SIP/2.0", "Via: SIP/2.0/\(transport) [local_ip]:[local_port];branch=[branch]", "Max-Forwards: 70", "From: \(from)", "To: \(to)",
                "Call-ID: [call_id]", "CSeq: \(number) \(method)", "Contact: <\(ownContact)>",
            ] + headers
        send(lines, sdp: sdp, body: body, repeats: method != "ACK")
    }

    /// Writes the dialog that the 200 has made where the test can read it.
    mutating func report() {
        names.append("far")
        let last = steps.count - 1
        let words = #"<ereg regexp="tag=.*" search_in="hdr" header="To:" assign_to="far"/><log message="[call_id] [$far] [pid]C[call_number]"/>"#
        steps[last] = steps[last].replacingOccurrences(of: "></recv>", with: "><action>\(words)</action></recv>")
    }

    /// Writes the port that the message which came last names for a stream where the test can read it, under its own port.
    mutating func reportPort(of kind: String) {
        names += ["m\(names.count)", "port\(names.count)"]
        let last = steps.count - 1
        let words = #"<ereg regexp="m=\#(kind) ([0-9]+)" search_in="msg" check_it="true" assign_to="\#(names[names.count - 2]),\#(names[names.count - 1])"/><log message="\#(kind) [$\#(names[names.count - 1])]"/>"#
        if steps[last].contains("</action>") {
            steps[last] = steps[last].replacingOccurrences(of: "</action>", with: words + "</action>")
        } else {
            steps[last] = steps[last].replacingOccurrences(of: "></recv>", with: "><action>\(words)</action></recv>")
        }
    }

    /// Confirms the provisional response that came last (RFC 3262).
    mutating func prack(sdp: String? = nil) {
        names.append("rseq")
        let last = steps.count - 1
        steps[last] = steps[last].replacingOccurrences(
            of: "</action>", with: #"<ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" assign_to="rseq"/></action>"#)
        request("PRACK", ["RAck: [$rseq] \(inviteCSeq) INVITE"], sdp: sdp)
    }

    /// The answer to the request that came last.
    ///
    /// - Parameter contact: of a redirection.
    mutating func reply(_ status: String, _ headers: [String] = [], sdp: String? = nil, isFirst: Bool = false, contact: String? = nil) {
        let tag = isFirst ? ";tag=[pid]T[call_number]" : ""
        let lines =
            ["SIP/2.0 \(status)", "[last_Via:]", "[last_Record-Route:]", "[last_From:]", "[last_To:]\(tag)", "[last_Call-ID:]", "[last_CSeq:]", "Contact: <\(contact ?? ownContact)>"]
            + headers
        send(lines, sdp: sdp, body: nil, repeats: false)
    }

    private mutating func send(_ lines: [String], sdp: String?, body: (type: String, text: String)?, repeats: Bool) {
        var text = lines.joined(separator: "\n")
        if let sdp {
            text += "\nContent-Type: application/sdp\nContent-Length: [len]\n\nv=0\no=\(user) 1 \(steps.count + 1) IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n"
            text += streams.map { $0 + "\n" } ?? ""
            if streams == nil { text += "m=audio \(mediaPort.map(String.init) ?? "[media_port]") RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\n" }
            text += (sdp.isEmpty ? "" : sdp + "\n")
        } else if let body {
            text += "\nContent-Type: \(body.type)\nContent-Length: [len]\n\n\(body.text)\n"
        } else {
            text += "\nContent-Length: 0\n"
        }
        steps.append("<send\(repeats && transport == "UDP" ? #" retrans="500""# : "")><![CDATA[\n\(text)\n]]></send>")
    }

    // MARK: What it hears

    /// - Parameter insisting: regular expressions that the message has to match.
    mutating func hear(_ status: Int, isOptional: Bool = false, insisting: [String] = []) {
        steps.append(#"<recv response="\#(status)"\#(isOptional ? #" optional="true""# : "") rrs="true">\#(checks(insisting))</recv>"#)
    }

    mutating func hear(_ method: String, insisting: [String] = []) {
        steps.append(#"<recv request="\#(method)">\#(checks(insisting))</recv>"#)
    }

    /// Either may come first: two independent things were set off.
    mutating func pause(_ milliseconds: Int) { steps.append(#"<pause milliseconds="\#(milliseconds)"/>"#) }

    private mutating func checks(_ expressions: [String]) -> String {
        guard !expressions.isEmpty else { return "" }
        let actions = expressions.map { expression -> String in
            names.append("c\(names.count)")
            let text = expression.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;").replacingOccurrences(of: "\"", with: "&quot;")
            return #"<ereg regexp="\#(text)" search_in="msg" check_it="true" assign_to="\#(names[names.count - 1])"/>"#
        }
        return "<action>\(actions.joined())</action>"
    }

    // MARK: What belongs together

    private var isCaller: Bool {
        if case .caller = role { true } else { false }
    }

    /// An INVITE that is asked for the password.
    mutating func call(_ headers: [String] = [], sdp: String? = "", password: String = "correct-horse") {
        request("INVITE", headers, sdp: sdp)
        hear(100, isOptional: true)
        steps.append(#"<recv response="407" auth="true"/>"#)
        steps.append(
            """
            <send><![CDATA[
            ACK sip:ack@\(domain) SIP/2.0
            [last_Via:]
            [last_From:]
            [last_To:]
            Call-ID: [call_id]
            CSeq: 1 ACK
            Max-Forwards: 70
            Content-Length: 0

            ]]></send>
            """)
        request("INVITE", headers + ["[authentication username=\(user) password=\(password)]"], sdp: sdp)
        hear(100, isOptional: true)
    }

    /// The ACK of a refusal.
    mutating func acknowledgeRefusal() {
        steps.append(
            """
            <send><![CDATA[
            ACK sip:ack@\(domain) SIP/2.0
            [last_Via:]
            [last_From:]
            [last_To:]
            Call-ID: [call_id]
            CSeq: \(inviteCSeq) ACK
            Max-Forwards: 70
            Content-Length: 0

            ]]></send>
            """)
    }

    /// The final answer to the INVITE, when another request came since.
    mutating func answerInvite() { respondToInvite("200 OK", sdp: "") }

    mutating func refuseInvite(_ status: String) { respondToInvite(status, sdp: nil) }

    private mutating func respondToInvite(_ status: String, sdp: String?) {
        let lines = [
            "SIP/2.0 \(status)", "Via: [$via]", "From: [$from]", "To: [$to];tag=[pid]T[call_number]", "Call-ID: [call_id]", "CSeq: [$invite]",
            "Contact: <\(ownContact)>",
        ]
        send(lines, sdp: sdp, body: nil, repeats: false)
    }

    /// The first INVITE, its Contact kept for requests of this side.
    mutating func beCalled(insisting: [String] = []) {
        names += ["target", "via", "from", "to", "invite"]
        let target =
            #"<ereg regexp="sip:[^>]+" search_in="hdr" header="Contact:" assign_to="target"/>"#
            + [("Via", "via"), ("From", "from"), ("To", "to"), ("CSeq", "invite")].map {
                #"<ereg regexp="[^ ].*" search_in="hdr" header="\#($0):" assign_to="\#($1)"/>"#
            }.joined()
        steps.append(#"<recv request="INVITE"><action>\#(target)</action>\#("")</recv>"#)
        if !insisting.isEmpty { steps[steps.count - 1] = #"<recv request="INVITE"><action>\#(target)\#(checks(insisting).replacingOccurrences(of: "<action>", with: "").replacingOccurrences(of: "</action>", with: ""))</action></recv>"# }
    }

    /// Rings and answers.
    mutating func answer(_ headers: [String] = [], sdp: String = "") {
        reply("180 Ringing", isFirst: true)
        reply("200 OK", headers, sdp: sdp, isFirst: true)
        names += ["me", "peer"]
        steps.append(
            #"<recv request="ACK"><action><ereg regexp="[^ ].*" search_in="hdr" header="To:" assign_to="me"/><ereg regexp="[^ ].*" search_in="hdr" header="From:" assign_to="peer"/></action></recv>"#
        )
    }

    mutating func hangUp() {
        request("BYE")
        hear(200)
    }

    mutating func beHungUp() {
        hear("BYE")
        reply("200 OK")
    }
}

/// SIPp with a script, on loopback.
struct SIPpPeer: Sendable {
    let port: Int
    private let media: Int
    private let folder: String

    init(in folder: String) {
        port = Ports.take()
        media = Ports.take(4)
        self.folder = folder
    }

    /// To its end; 0: everything went as the script says.
    /// - Parameter transport: `u1`, or `t1` for one connection by TCP.
    func play(_ script: SIPpScript, to server: Int? = nil, transport: String = "u1") async throws -> (status: Int32, output: String) {
        let file = "\(folder)/\(UUID().uuidString).xml"
        try script.xml.write(toFile: file, atomically: true, encoding: .utf8)
        // SIPp that waits for calls does not heed its own limit of time.
        return try await run(
            "timeout",
            [
                "--signal=KILL", "100", "sipp", "-sf", file, "-t", transport, "-i", "127.0.0.1", "-p", "\(port)", "-mp", "\(media)", "-nostdin", "-m", "1", "-timeout", "80", "-trace_err", "-error_file",
                file + ".errors", "-trace_logs", "-log_file", "\(folder)/\(port).log",
            ] + (server.map { ["127.0.0.1:\($0)"] } ?? []))
    }

    /// The dialog that a script has reported, as a Replaces header names it (RFC 3891).
    func reported(within seconds: Double = 20) async throws -> String {
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline {
            let text = (try? String(contentsOfFile: "\(folder)/\(port).log", encoding: .utf8)) ?? ""
            if text.hasSuffix("\n"), let words = text.split(separator: "\n").last?.split(separator: " "), words.count == 3 {
                return "\(words[0]);to-\(words[1]);from-tag=\(words[2])"
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw ServerFailure(description: "no dialog was reported at port \(port); \(errors())")
    }

    /// The ports that a script has reported for a kind of stream, in their order, once there are so many.
    func ports(of kind: String, count: Int = 1, within seconds: Double = 20) async throws -> [UInt16] {
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline {
            let text = (try? String(contentsOfFile: "\(folder)/\(port).log", encoding: .utf8)) ?? ""
            let ports = text.split(separator: "\n").compactMap { line -> UInt16? in
                let words = line.split(separator: " ")
                return words.count == 2 && words[0] == kind ? UInt16(words[1]) : nil
            }
            if text.hasSuffix("\n"), ports.count >= count { return ports }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw ServerFailure(description: "no port of \(kind) was reported at \(port); \(errors())")
    }

    func errors() -> String {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".errors") }.compactMap { try? String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) }.joined(separator: "\n")
    }

    /// Registers this port for a line.
    /// - Parameters:
    ///   - flow: an instance id and which of its flows it is (RFC 5626).
    ///   - host: that its Contact names; nil: its own.
    func register(_ user: String, at server: Int, domain: String, q: String = "1.0", flow: (instance: String, number: Int)? = nil, host: String? = nil, password: String = "correct-horse") async throws {
        let head = """
            REGISTER sip:\(domain) SIP/2.0
            Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
            Max-Forwards: 70
            From: <sip:\(user)@\(domain)>;tag=[pid]R[call_number]
            To: <sip:\(user)@\(domain)>
            Call-ID: [call_id]
            """
        let device = flow.map { ";+sip.instance=&quot;&lt;\($0.instance)&gt;&quot;;reg-id=\($0.number)".replacingOccurrences(of: "&quot;", with: "\"").replacingOccurrences(of: "&lt;", with: "<").replacingOccurrences(of: "&gt;", with: ">") } ?? ""
        let supported = flow == nil ? "" : "Supported: path, outbound\n"
        let tail = "Contact: <sip:\(user)@\(host ?? "[local_ip]"):[local_port]>;q=\(q)\(device)\n\(supported)Expires: 600\n"
        let xml = """
            <?xml version="1.0" encoding="UTF-8"?><scenario name="register">
            <send retrans="500"><![CDATA[
            \(head)
            CSeq: 1 REGISTER
            \(tail)Content-Length: 0

            ]]></send>
            <recv response="401" auth="true"/>
            <send retrans="500"><![CDATA[
            \(head)
            CSeq: 2 REGISTER
            [authentication username=\(user) password=\(password)]
            \(tail)Content-Length: 0

            ]]></send>
            <recv response="200"/></scenario>
            """
        let file = "\(folder)/\(UUID().uuidString).xml"
        try xml.write(toFile: file, atomically: true, encoding: .utf8)
        let done = try await run("sipp", ["-sf", file, "-i", "127.0.0.1", "-p", "\(port)", "-nostdin", "-m", "1", "-timeout", "30", "127.0.0.1:\(server)"])
        guard done.status == 0 else { throw ServerFailure(description: "\(user) is not registered: \(done.output.suffix(1_500))") }
    }
}

import ICE
import MediaWorker
import OpenSSL
import Primitives
import RTP
import SIP

/// Where bytes of strangers come in. Whatever they are, reading them ends in a value or an error, and what was read can be
/// written and read again. What must not be stops the program.
enum FuzzEntry: String, CaseIterable {
    case sip
    case stream
    case sdp
    case stun
    case websocket
    case check
    case relay
    case speech

    func run(_ bytes: [UInt8]) {
        switch self {
        case .sip: message(bytes)
        case .stream: stream(bytes)
        case .sdp: description(bytes)
        case .stun: binding(bytes)
        case .websocket: webSocket(bytes)
        case .check: check(bytes)
        case .relay: MediaFuzz.run(bytes)
        case .speech: MediaFuzz.speech(bytes)
        }
    }

    /// A connectivity check: read, and judged by an agent whose password it cannot know.
    private func check(_ bytes: [UInt8]) {
        if let message = STUNMessage(parsing: bytes) {
            _ = (message.mappedAddress, message.hasValidFingerprint, message.hasValidIntegrity(password: "x"), message.unknown(to: []))
        }
        let setup = ICEAgent.Setup(local: ICECredentials(fragment: "ours", password: "ourpasswordourpassword"), remoteFragment: "theirs")
        var agent = ICEAgent(setup)
        guard let source = SocketAddress("192.0.2.1:5060") else { return }
        let outcome = agent.receive(bytes, from: source, .media)
        if case .answer = outcome { preconditionFailure("an answer to who does not know the password") }
        precondition(!agent.isChecked(source, .media))
    }

    /// A datagram, by way of libosip2.
    private func message(_ bytes: [UInt8]) {
        let message: SIPMessage
        do throws(ParseError) {
            message = try SIPMessage(parsing: bytes)
        } catch {
            guard let answer = SIPMessage.rejection(of: bytes, for: error) else { return }
            // It repeats what the request said, as far as that can be repeated.
            precondition(answer.starts(with: "SIP/2.0 ".utf8) && answer.count < bytes.count + 512, "a refusal that is none, or that amplifies")
            return
        }
        do throws(ParseError) {
            let again = try SIPMessage(parsing: message.bytes, framing: .stream)
            precondition(again == message, "written and read again it is another message")
        } catch {
            switch error {
            case .refusedByParser where hasOddAddress(message): break
            // Compact names are written whole, and Content-Length is: that may be more than is read.
            case .tooManyHeaders, .lineTooLong, .tooLarge: break
            default: preconditionFailure("what was read is refused when it is written: \(error)")
            }
        }
        _ = (message.contacts, message.routes, message.recordRoutes, message.required)
        if message.method != nil { _ = Dialog(answering: message, localTag: "t")?.state }
        description(message.body)
    }

    /// libosip2 takes some addresses where they stand by themselves, and not always in brackets, in which addresses are written: a host or number of one
    /// or two characters, and what is no SIP URI with bytes beyond ASCII in it.
    private func hasOddAddress(_ message: SIPMessage) -> Bool {
        ([message.from, message.to] + message.contacts + message.routes + message.recordRoutes).contains {
            let opaque = ($0.uri.opaque ?? "").utf8
            return (1...2).contains($0.uri.host.utf8.count) || (1...2).contains(opaque.count) || opaque.contains { $0 >= 0x80 }
        }
    }

    /// What one write brings and what three do are the same messages.
    private func stream(_ bytes: [UInt8]) {
        var whole = StreamFramer()
        whole.append(bytes)
        let once = pieces(&whole)
        var parted = StreamFramer()
        var found: [StreamFramer.Piece] = []
        for part in [bytes.prefix(bytes.count / 3), bytes.dropFirst(bytes.count / 3).prefix(bytes.count / 2), bytes.dropFirst(bytes.count / 3 + bytes.count / 2)] {
            parted.append(part)
            let (more, isBroken) = pieces(&parted)
            found += more
            if isBroken { break }
        }
        precondition(found == once.pieces, "the same bytes in parts are other messages")
        for case .message(let bytes) in found { _ = try? SIPMessage(parsing: bytes, framing: .stream) }
    }

    private func pieces(_ framer: inout StreamFramer) -> (pieces: [StreamFramer.Piece], isBroken: Bool) {
        var pieces: [StreamFramer.Piece] = []
        do throws(ParseError) {
            while let piece = try framer.next() { pieces.append(piece) }
        } catch {
            precondition(framer.head.count <= StreamFramer.headMax, "more is held than may be")
            return (pieces, true)
        }
        return (pieces, false)
    }

    private func description(_ bytes: [UInt8]) {
        guard let sdp = try? SDP(parsing: bytes) else { return }
        // Bare line feeds are written with carriage returns, which may be more than is read.
        precondition(sdp.bytes.count > SDP.sizeMax || (try? SDP(parsing: sdp.bytes)) == sdp, "written and read again it is another description")
        for media in sdp.media { _ = (media.cryptos, media.rtcp?.port, media.mappings) }
    }

    private func binding(_ bytes: [UInt8]) {
        guard let source = SocketAddress("192.0.2.1:5060"), let answer = STUNBinding.answer(to: bytes, from: source) else { return }
        precondition(STUNBinding.isSTUN(answer) && answer.count <= 64, "an answer that amplifies, or that is none")
    }

    private func webSocket(_ bytes: [UInt8]) {
        var handshake = WebSocketHandshake()
        _ = handshake.receive(bytes)
        var origins = WebOrigins()
        if origins.add("https://*.example.com") {
            var strict = WebSocketHandshake(origins)
            if case .open = strict.receive(bytes) { precondition(!bytes.isEmpty) }
        }
        var framer = WebSocketFramer()
        framer.append(bytes)
        do throws(WebSocketFramer.Failure) {
            while let piece = try framer.next() {
                if case .message(let message) = piece { precondition(message.count <= WebSocketFramer.messageMax, "a message that is too long") }
            }
        } catch {
            precondition(!error.farewell.isEmpty)
        }
    }
}

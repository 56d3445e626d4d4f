extension SDP {
    /// Which way media flows, from the sender of the description (RFC 8866 §6.7).
    package enum Direction: String, Hashable, Sendable {
        case sendrecv, sendonly, recvonly, inactive

        /// What the other side calls it (RFC 3264 §6.1).
        package var reversed: Direction {
            switch self {
            case .sendrecv: .sendrecv
            case .sendonly: .recvonly
            case .recvonly: .sendonly
            case .inactive: .inactive
            }
        }
    }

    /// One `m=` section.
    package struct Media: Hashable, Sendable {
        package enum Profile: Hashable, Sendable {
            case avp, savp, avpf, savpf
            /// `UDP/TLS/RTP/SAVP` and `…F` (RFC 5764 §8).
            case tlsSAVP, tlsSAVPF
            /// As written: `udptl`, `TCP/MSRP` …
            case other(String)

            package init(_ text: String) {
                self =
                    switch text {
                    case "RTP/AVP": .avp
                    case "RTP/SAVP": .savp
                    case "RTP/AVPF": .avpf
                    case "RTP/SAVPF": .savpf
                    case "UDP/TLS/RTP/SAVP": .tlsSAVP
                    case "UDP/TLS/RTP/SAVPF": .tlsSAVPF
                    default: .other(text)
                    }
            }

            package var text: String {
                switch self {
                case .avp: "RTP/AVP"
                case .savp: "RTP/SAVP"
                case .avpf: "RTP/AVPF"
                case .savpf: "RTP/SAVPF"
                case .tlsSAVP: "UDP/TLS/RTP/SAVP"
                case .tlsSAVPF: "UDP/TLS/RTP/SAVPF"
                case .other(let text): text
                }
            }

            /// SRTP, keyed by `a=crypto` lines (RFC 4568) or by DTLS.
            package var isSecure: Bool { self == .savp || self == .savpf || isDTLS }
            package var isDTLS: Bool { self == .tlsSAVP || self == .tlsSAVPF }
            /// With the feedback of RFC 4585.
            package var hasFeedback: Bool { self == .avpf || self == .savpf || self == .tlsSAVPF }
        }

        /// `audio`, `video` …
        package var kind: String
        /// 0: refused or unused (RFC 3264 §6).
        package var port: UInt16
        /// After the slash: number of ports; nil when not written.
        package var portCount: UInt16?
        package var profile: Profile
        /// Payload types or other formats, at least one, most wanted first.
        package var formats: [String]
        package var connection: Address?
        /// All other lines of the section in order.
        package var lines: [Line]

        package init(
            kind: String = "audio", port: UInt16, profile: Profile = .avp, formats: [String], lines: [Line] = []
        ) {
            self.kind = kind
            self.port = port
            self.portCount = nil
            self.profile = profile
            self.formats = formats
            self.connection = nil
            self.lines = lines
        }
    }
}

extension SDP.Media {
    /// `a=rtpmap` (RFC 8866 §6.6).
    package struct Mapping: Hashable, Sendable {
        package let format: String
        package let encoding: String
        package let clockRate: UInt32

        /// `101 telephone-event/8000`, `111 opus/48000/2`.
        init?(parsing bytes: [UInt8]) {
            let whole = bytes.trim(bytes.indices)
            guard let blank = bytes.index(of: ASCII.space, in: whole) else { return nil }
            let rest = bytes.trim(blank..<whole.upperBound)
            guard let slash = bytes.index(of: ASCII.slash, in: rest), slash > rest.lowerBound else { return nil }
            let end = bytes.index(of: ASCII.slash, in: slash + 1..<rest.upperBound) ?? rest.upperBound
            guard let rate = bytes.decimal(slash + 1..<end, limit: UInt64(UInt32.max)) else { return nil }
            format = bytes.text(whole.lowerBound..<blank)
            encoding = bytes.text(rest.lowerBound..<slash)
            clockRate = UInt32(rate)
        }
    }

    package var isRefused: Bool { port == 0 }

    /// The value of the first `a=name:value`; empty for `a=name`.
    package func attribute(_ name: String) -> String? {
        for line in lines where line.isAttribute(name) { return line.attributeValue(name) }
        return nil
    }

    package func attributes(_ name: String) -> [String] {
        var values: [String] = []
        for line in lines where line.isAttribute(name) { values.append(line.attributeValue(name)) }
        return values
    }

    /// Replaces every attribute of that name; nil values remove them.
    package mutating func setAttribute(_ name: String, _ values: [String]) {
        guard let place = lines.firstIndex(where: { $0.isAttribute(name) }) else {
            for value in values { lines.append(SDP.Line(attribute: name, value)) }
            return
        }
        lines.removeAll { $0.isAttribute(name) }
        lines.insert(contentsOf: values.map { SDP.Line(attribute: name, $0) }, at: place)
    }

    package mutating func removeAttribute(_ name: String) {
        guard let place = lines.firstIndex(where: { $0.isAttribute(name) }) else { return }
        lines.remove(at: place)
        lines.removeAll { $0.isAttribute(name) }
    }

    /// Those of all the names, in one pass.
    package mutating func removeAttributes(_ names: SDP.AttributeNames) {
        guard lines.contains(where: { names.contain($0) }) else { return }
        lines.removeAll { names.contain($0) }
    }

    /// nil when the section says nothing: then the session's holds, see `SDP.direction(of:)`.
    package var direction: SDP.Direction? {
        get { lines.direction }
        set {
            lines.removeAll { $0.direction != nil }
            if let newValue { lines.append(SDP.Line("a", newValue.rawValue)) }
        }
    }

    /// RTP and RTCP on one port (RFC 5761).
    package var multiplexesRTCP: Bool {
        get { attribute("rtcp-mux") != nil }
        set { setAttribute("rtcp-mux", newValue ? [""] : []) }
    }

    /// `a=rtcp` (RFC 3605): the port, and the address if it is another.
    package var rtcp: (port: UInt16, address: SDP.Address?)? {
        guard let parts = attribute("rtcp")?.split(separator: " "), let port = parts.first.flatMap({ UInt16($0) })
        else {
            return nil
        }
        return (port, parts.count == 4 ? SDP.Address(parsing: parts[1...].joined(separator: " ")) : nil)
    }

    /// The keys offered, in the order of preference; lines that cannot be read are left out (RFC 4568 §5.1.2).
    package var cryptos: [SDPCrypto] {
        get { attributes("crypto").compactMap { SDPCrypto($0) } }
        set { setAttribute("crypto", newValue.map(\.description)) }
    }

    package var mappings: [Mapping] {
        attributes("rtpmap").compactMap { Mapping(parsing: Array($0.utf8)) }
    }
}

extension SDP.Line {
    fileprivate init(attribute name: String, _ value: String) { self.init("a", value.isEmpty ? name : "\(name):\(value)") }

    /// `a=name` or `a=name:value`. Compared as bytes: a description is looked through some dozen times on its way from one side to the other.
    package func isAttribute(_ name: String) -> Bool {
        type == "a" && value.startsWith(name, andThen: { $0 == nil || $0 == ASCII.colon })
    }

    /// What follows the colon; empty when there is none. Of a line that is of that name.
    fileprivate func attributeValue(_ name: String) -> String {
        value.utf8.count > name.utf8.count ? String(Substring(value.utf8.dropFirst(name.utf8.count + 1))) : ""
    }
}

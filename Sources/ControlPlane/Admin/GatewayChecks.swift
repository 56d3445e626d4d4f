import Model
import Primitives

/// Where a gateway is, where it registers, and how it is probed: what an operator may write.
enum GatewayChecks {
    static let registrationSeconds: ClosedRange<UInt32> = 60...86_400
    static let probeSeconds: ClosedRange<UInt32> = 5...3_600
    static let probeFailuresMax: UInt32 = 20

    /// An address has a port; a name may leave it to DNS (RFC 3263).
    static func address(_ gateway: inout Gateway, field: String) throws {
        guard gateway.port <= 65_535 else { throw AdminRejection.invalid(field + ".port", "at most 65535") }
        if let host = SocketAddress.Host(gateway.host) {
            gateway.host = host.description
            if gateway.port == 0 { gateway.port = gateway.transport == .tls ? 5_061 : 5_060 }
        } else {
            gateway.host = gateway.host.lowercased()
            guard isName(gateway.host) else {
                throw AdminRejection.invalid(field + ".host", "must be an IPv4 or IPv6 address, or the name of a host")
            }
        }
    }

    static func registration(_ gateway: Gateway, field: String) throws {
        try uriPart(gateway.registrationUser, field: field + ".registration_user")
        guard !gateway.registrationUser.isEmpty else {
            guard gateway.registrar.isEmpty else {
                throw AdminRejection.invalid(field + ".registrar", "is of no use without registration_user")
            }
            return
        }
        guard gateway.registrar.isEmpty || isHostAndPort(gateway.registrar) else {
            throw AdminRejection.invalid(field + ".registrar", "must be host or host:port, such as sip.carrier.example")
        }
        guard gateway.registrationSeconds == 0 || registrationSeconds.contains(gateway.registrationSeconds) else {
            throw AdminRejection.invalid(
                field + ".registration_seconds", "must be 0, or \(registrationSeconds.lowerBound) to \(registrationSeconds.upperBound)")
        }
    }

    /// Names of codecs that a gateway or a line may be offered.
    static func codecs(_ names: [String], field: String) throws {
        guard names.count <= known.count else { throw AdminRejection.invalid(field, "at most \(known.count)") }
        for (index, name) in names.enumerated() where !known.contains(name.lowercased()) {
            throw AdminRejection.invalid("\(field)[\(index)]", "must be one of \(known.joined(separator: ", "))")
        }
    }

    /// As session descriptions name them; speech in a wide band by Speex with its clock.
    private static let known = ["pcma", "pcmu", "g722", "opus", "g729", "gsm", "g726-32", "speex", "speex/16000"]

    static func probing(_ gateway: Gateway, field: String) throws {
        guard gateway.probeSeconds == 0 || probeSeconds.contains(gateway.probeSeconds) else {
            throw AdminRejection.invalid(field + ".probe_seconds", "must be 0, or \(probeSeconds.lowerBound) to \(probeSeconds.upperBound)")
        }
        guard gateway.probeFailuresMax <= probeFailuresMax else {
            throw AdminRejection.invalid(field + ".probe_failures_max", "at most \(probeFailuresMax)")
        }
    }

    /// What Teams Direct Routing insists on; it answers only whom it is asked by, so it is probed.
    static func profile(_ gateway: inout Gateway, field: String) throws {
        try Checks.recognised(gateway.profile.isRecognised, field: field + ".profile")
        guard gateway.profile == .teams else { return }
        guard gateway.transport == .tls else { throw AdminRejection.invalid(field + ".transport", "must be tls for the profile teams") }
        gateway.sourceDomain = gateway.sourceDomain.lowercased()
        guard isName(gateway.sourceDomain), gateway.sourceDomain.contains(".") else {
            throw AdminRejection.invalid(field + ".source_domain", "must be the full name that Teams knows this platform by, as in its certificate")
        }
        guard gateway.registrationUser.isEmpty else { throw AdminRejection.invalid(field + ".registration_user", "nobody registers at Teams") }
        if gateway.probeSeconds == 0 { gateway.probeSeconds = 60 }
    }

    /// Characters that stand in a URI without escapes (RFC 3261 §25.1).
    static func uriPart(_ text: String, field: String) throws {
        guard text.utf8.count <= 128,
            text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-._~:[]".contains($0)) })
        else { throw AdminRejection.invalid(field, "has characters that cannot stand in a SIP URI") }
    }

    private static func isHostAndPort(_ text: String) -> Bool {
        if SocketAddress.Host(text) != nil || SocketAddress(text) != nil { return true }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, isName(parts[0].lowercased()) else { return false }
        return parts.count == 1 || UInt16(parts[1]).map { $0 > 0 } == true
    }

    /// RFC 1123 §2.1, and underscores, which names in use have. All digits and dots would be a mistyped address.
    private static func isName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= 253 && labels.last?.contains(where: \.isLetter) == true
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
            }
    }
}

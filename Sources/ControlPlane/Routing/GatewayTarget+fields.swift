import Model

extension GatewayTarget {
    /// What a gateway wants to see, by its fields: strip first, then prefix.
    /// - Parameter caller: E.164 shown to the outside; nil: withheld.
    init(_ gateway: Gateway, of carrier: Carrier, e164: String, dialled: String, caller: String?, display: String) {
        self.init()
        gatewayID = gateway.id
        carrierID = carrier.id
        host = gateway.host
        port = gateway.port
        transport = gateway.transport
        profile = gateway.profile
        codecs = gateway.codecs
        let source =
            switch gateway.applyTo {
            case .e164, .UNRECOGNIZED: e164
            case .dialled: dialled.withoutSeparators
            }
        number = gateway.outboundPrefix + source.dropFirst(Int(gateway.outboundStrip))
        fromUser = gateway.sourceUser.isEmpty ? caller ?? "anonymous" : gateway.sourceUser
        fromDomain = gateway.sourceDomain.isEmpty ? gateway.host : gateway.sourceDomain
        fromDisplay = gateway.display.isEmpty ? display : gateway.display
        if gateway.addPai, let caller { assertedIdentity = "sip:\(caller)@\(fromDomain)" }
    }
}

extension String {
    /// A number without what only makes it easier to read (RFC 3966 §3); a name as it is.
    fileprivate var withoutSeparators: String {
        utf8.allSatisfy { (0x30...0x39).contains($0) || "+*#-.()".utf8.contains($0) } ? filter { !"-.()".contains($0) } : self
    }
}

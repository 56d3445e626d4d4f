internal import CZeroMQ

/// Who a process is on the bus: a CurveZMQ key pair (RFC 26).
public struct CurveKeyPair: Sendable {
    public let publicKey: CurvePublicKey
    /// 32 bytes; goes into a file of mode 0600 and nowhere else.
    let secretKey: [UInt8]

    /// A new pair from the system's randomness.
    public static func generate() throws(BusError) -> CurveKeyPair {
        var publicText = [CChar](repeating: 0, count: 41)
        var secretText = [CChar](repeating: 0, count: 41)
        guard unsafe zmq_curve_keypair(&publicText, &secretText) == 0,
            let pair = CurveKeyPair(secretText: text(secretText))
        else { throw .curveUnavailable }
        return pair
    }

    /// From the secret's Z85 text; the public key follows from it. nil for any other text.
    init?(secretText: String) {
        guard let secret = z85Decode(secretText) else { return nil }
        var publicText = [CChar](repeating: 0, count: 41)
        guard unsafe zmq_curve_public(&publicText, secretText) == 0,
            let publicKey = CurvePublicKey(text(publicText))
        else { return nil }
        self.publicKey = publicKey
        secretKey = secret
    }

    var secretText: String { z85Encode(secretKey) }
}

extension CurveKeyPair: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the secret, so that no log and no error text can hold it.
    public var description: String { "CurveKeyPair(public \(publicKey))" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }
}

/// A key's 40 characters, without the zero behind them.
private func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix(40).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

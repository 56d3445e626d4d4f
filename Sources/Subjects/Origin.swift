import Foundation
public import Primitives

/// From where something was asked, and for whom: what an auditor wants to know beside who asked and in which request.
public struct Origin: Hashable, Sendable {
    /// Address of the peer that the request came from, without a port: "192.0.2.7".
    public var address: String
    /// Who is behind the one that asked, as the asker says: a program's user. Not proven. No control characters.
    public var onBehalfOf: String

    /// The party that the one who asked acted for, and had the right to: "tenant/0190…". Empty: nobody.
    public var actingFor: String

    public init(address: String = "", onBehalfOf: String = "", actingFor: String = "") {
        self.address = address
        self.onBehalfOf = onBehalfOf
        self.actingFor = actingFor
    }

    public var isEmpty: Bool { address.isEmpty && onBehalfOf.isEmpty && actingFor.isEmpty }
}

/// In an envelope it is sealed under the platform's key: proofs and dispute packs show whole envelopes to customers and
/// carriers, and where an administrator sat is none of their business.
///
/// The plain text is address, a zero byte, on whose behalf; if somebody was acted for, another zero byte and whom.
extension SubjectKeys {
    /// Part of the associated data; never changes.
    private static var originMark: UInt8 { 10 }
    private static var platform: UUIDv7 { UUIDv7(high: 0, low: 0) }

    /// - Parameter cause: of the same envelope; the sealed part opens beside it alone.
    public func seal(_ origin: Origin, cause: String, _ random: inout RandomSource) throws(SubjectKeyError) -> [UInt8] {
        guard !origin.isEmpty else { return [] }
        var plain = Array(origin.address.utf8) + [0] + Array(origin.onBehalfOf.utf8)
        if !origin.actingFor.isEmpty { plain += [0] + Array(origin.actingFor.utf8) }
        return try seal(plain, mark: Self.originMark, subject: Self.platform, record: Data(cause.utf8), &random) ?? []
    }

    /// Empty if nothing was said, or if the key was destroyed.
    public func open(origin sealed: [UInt8], cause: String) throws(SubjectKeyError) -> Origin {
        guard !sealed.isEmpty, let plain = try open(sealed, mark: Self.originMark, record: Data(cause.utf8)) else {
            return Origin()
        }
        let parts = plain.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        guard (2...3).contains(parts.count) else { throw .malformed }
        return Origin(address: parts[0], onBehalfOf: parts[1], actingFor: parts.count == 3 ? parts[2] : "")
    }
}

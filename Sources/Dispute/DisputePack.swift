package import Foundation
import OpenSSL

/// Everything that is known about one call, in one file: the events as they stand in the log, each with the proof that it is in
/// the signed tree; what follows from them; and, apart from that, what the operator states beside.
///
/// The format is described in docs/dispute.md. It never changes under its name.
package struct DisputePack: Codable, Hashable, Sendable {
    package static let format = "ledgerline.dispute/1"

    /// Why an event is in the pack.
    package enum Role: String, Codable, Hashable, Sendable {
        /// Of the call itself.
        case call
        /// A version of a rate deck that the call was charged by.
        case deck
        /// A later movement of money that names the call.
        case correction
    }

    package struct ProvenEvent: Codable, Hashable, Sendable {
        package var sequence: UInt64
        package var role: Role
        package var type: String
        /// The event's bytes in the log, base64.
        package var envelope: String
        /// Sibling hashes from the leaf up, base64.
        package var path: [String]
    }

    package var format = DisputePack.format
    package var madeAt: String
    /// Names the log.
    package var log: String
    /// The log's verifier key, for convenience: whoever checks the pack compares it with the key that the operator publishes.
    package var key: String
    /// One signed tree head for all proofs (C2SP tlog-checkpoint).
    package var checkpoint: String
    /// In the order of their sequences.
    package var events: [ProvenEvent]
    /// What follows from the events, and is computed from them again when the pack is checked.
    package var explanation: CallExplanation
    /// What the operator says beside: signed, but not proven by the events.
    package var stated: StatedFacts
    /// A signed note over the pack without this field.
    package var signature = ""
}

/// What the operator's views say, which no event of the pack proves.
package struct StatedFacts: Codable, Hashable, Sendable {
    package struct Balance: Codable, Hashable, Sendable {
        package var account: String
        /// Of the account's owner.
        package var name: String
        package var sequence: UInt64
        package var amount: String
        package var before: String
        package var after: String
        package var currency: String
    }

    package struct Name: Codable, Hashable, Sendable {
        package var id: String
        package var kind: String
        package var name: String
    }

    /// Numbers as the platform knows them today; empty if they were erased.
    package var caller = ""
    package var called = ""
    package var dialled = ""
    package var balances: [Balance] = []
    /// Of what the events name by ids.
    package var names: [Name] = []

    package init() {}
}

extension DisputePack {
    /// The file: one JSON object, keys sorted, on many lines, so that people can read it too.
    package func encoded() throws(DisputeError) -> Data {
        do {
            return try Self.encoder(isPretty: true).encode(self) + Data([0x0A])
        } catch {
            throw .malformed("the pack cannot be written: \(error)")
        }
    }

    /// Reads a file; throws unless it is a pack of this format, with all of its fields and no others.
    package init(_ file: Data) throws(DisputeError) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(DisputePack.self, from: file)
        } catch {
            throw .malformed("this is not a dispute pack: \(Self.words(error))")
        }
        guard format == DisputePack.format else { throw .malformed("the format is \(format), and this program reads \(DisputePack.format)") }
        // A field that is not read could say anything to a person who looks at the file.
        guard let given = try? JSONSerialization.jsonObject(with: file) as? NSDictionary,
            let own = try? JSONSerialization.jsonObject(with: encoded()) as? NSDictionary, given == own
        else { throw .malformed("the file holds fields that are not part of the format") }
    }

    /// The body of the note that the pack is signed by. Its first line keeps it from being taken for anything else.
    func signedBody() throws(DisputeError) -> String {
        var unsigned = self
        unsigned.signature = ""
        do {
            // Sorted keys and no spaces: for what this format holds, the same as RFC 8785.
            let digest = Hash.sha256([UInt8](try Self.encoder(isPretty: false).encode(unsigned)))
            return "\(Self.format)\nsha256 \(Base64.encode(digest))\n"
        } catch {
            throw .malformed("the pack cannot be written: \(error)")
        }
    }

    private static func encoder(isPretty: Bool) -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = isPretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    static func words(_ error: any Error) -> String {
        func path(_ context: DecodingError.Context) -> String { context.codingPath.map(\.stringValue).joined(separator: ".") }
        switch error {
        case DecodingError.keyNotFound(let key, let context): return "\(path(context)) has no \"\(key.stringValue)\""
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context): return "\(path(context)) is of the wrong kind"
        case DecodingError.dataCorrupted(let context): return path(context).isEmpty ? "not JSON" : "\(path(context)) is not what it should be"
        default: return "\(error)"
        }
    }
}

package enum DisputeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not a pack at all.
    case malformed(String)
    /// There is no such call, or it has not ended.
    case noRecord(String)
    /// The views or the log could not be read.
    case storage(String)

    package var description: String {
        switch self {
        case .malformed(let words), .noRecord(let words), .storage(let words): words
        }
    }
}

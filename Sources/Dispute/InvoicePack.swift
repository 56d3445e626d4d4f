package import Foundation
import Invoices
package import Model
import OpenSSL

/// Everything that an invoice follows from, in one file: the events as they stand in the log, with one proof for all of them under one
/// signed head, and what the operator states beside.
///
/// JSON Lines, so that a file of ten thousand calls is read one line at a time: the head, an event a line in the order of the log, the
/// proof, the signature. Each line is written in one way alone (keys sorted, no spaces), so that nothing can stand beside what is
/// checked. The format is described in docs/dispute.md. It never changes under its name.
package struct InvoicePack: Sendable {
    package static let format = "ledgerline.dispute.invoice/1"
    /// Of invoices whose lines bear VAT of their own: the provider's rates are in it, too.
    package static let formatWithTaxedLines = "ledgerline.dispute.invoice/2"
    /// Of invoices to a provider, whichever lines: its record stands where a customer's does.
    package static let formatToProvider = "ledgerline.dispute.invoice/3"
    static let formats = [format, formatWithTaxedLines, formatToProvider]

    package static func format(of invoice: InvoiceIssued) -> String {
        switch invoice.debtor {
        case .provider?: formatToProvider
        case .customer?, nil: invoice.hasTaxedLines ? formatWithTaxedLines : format
        }
    }

    package struct Head: Codable, Hashable, Sendable {
        package var format: String
        package var madeAt: String
        /// The invoice's id, and where its event is in the log.
        package var invoice: String
        package var sequence: UInt64
        package var events: Int
        package var log: String
        package var key: String
        package var checkpoint: String
        /// Whom the invoice is for, as the operator knows it today; nil: it was erased.
        package var buyer: Buyer?
    }

    package struct Buyer: Codable, Hashable, Sendable {
        package var name: String
        package var company: String
        package var street: String
        package var postalCode: String
        package var city: String
        package var country: String
        package var vatNumber: String
        package var email: String
        package var externalID: String

        enum CodingKeys: String, CodingKey {
            case name, company, street, postalCode, city, country, vatNumber, email
            case externalID = "externalId"
        }
    }

    package struct ProvenEvent: Codable, Hashable, Sendable {
        package var sequence: UInt64
        package var type: String
        /// The event's bytes in the log, base64.
        package var envelope: String
        /// Of a call's record, the numbers as the operator knows them today; empty if they were erased.
        package var caller: String?
        package var called: String?
    }

    struct Proof: Codable {
        /// Of all events together (`BatchProof`), base64.
        var proof: [String]
    }

    struct Signature: Codable {
        var signature: String
    }

    /// The whole file, and where its lines are.
    package let file: Data
    package let head: Head
    let lines: [Range<Int>]
    let proof: [String]
    let signature: String
    /// What is signed.
    let body: String

    /// Reads a file's frame; its events are read when it is checked.
    package init(_ file: Data) throws(DisputeError) {
        var lines: [Range<Int>] = []
        var start = file.startIndex
        while start < file.endIndex {
            guard let end = file[start...].firstIndex(of: 0x0A) else { throw .malformed("the file's last line is cut off") }
            lines.append(start..<end)
            start = end + 1
        }
        guard let first = lines.first, lines.count >= 3 else { throw .malformed("this is not a dispute pack of an invoice") }
        head = try Self.decode(Head.self, file[first], line: 1)
        guard Self.formats.contains(head.format) else {
            throw .malformed("the format is \(head.format), and this program reads \(Self.formats.joined(separator: ", "))")
        }
        guard head.events == lines.count - 3 else {
            throw .malformed("the head speaks of \(head.events) events, and the file has \(lines.count - 3): it was cut off, or lines were added")
        }
        proof = try Self.decode(Proof.self, file[lines[lines.count - 2]], line: lines.count - 1).proof
        signature = try Self.decode(Signature.self, file[lines[lines.count - 1]], line: lines.count).signature
        body = Self.signedBody(file[file.startIndex..<lines[lines.count - 1].lowerBound], head.format)
        self.lines = Array(lines[1..<(lines.count - 2)])
        self.file = file
    }

    /// Whether a file begins like one of these.
    package static func isOne(_ file: Data) -> Bool {
        let head = file.prefix(1 << 16)
        guard let end = head.firstIndex(of: 0x0A) else { return false }
        return head[..<end].range(of: Data("\"format\":\"ledgerline.dispute.invoice/".utf8)) != nil
    }

    func event(_ index: Int) throws(DisputeError) -> ProvenEvent {
        try Self.decode(ProvenEvent.self, file[lines[index]], line: index + 2)
    }

    static func signedBody(_ bytes: Data, _ format: String) -> String { "\(format)\nsha256 \(Base64.encode(Hash.sha256([UInt8](bytes))))\n" }

    /// The file of these, signed by `sign`, which is given the note's text.
    static func file(_ head: Head, _ events: some Sequence<ProvenEvent>, proof: [String], sign: (String) -> String) throws(DisputeError) -> Data {
        let encoder = encoder()
        do {
            var file = try encoder.encode(head) + [0x0A]
            for event in events { file += try encoder.encode(event) + [0x0A] }
            file += try encoder.encode(Proof(proof: proof)) + [0x0A]
            return try file + encoder.encode(Signature(signature: sign(signedBody(file, head.format)))) + [0x0A]
        } catch {
            throw .malformed("the pack cannot be written: \(error)")
        }
    }

    private static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    private static func decode<Value: Codable>(_ type: Value.Type, _ line: Data, line number: Int) throws(DisputeError) -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let value: Value
        do {
            value = try decoder.decode(type, from: line)
        } catch {
            throw .malformed("line \(number) is not what it should be: \(DisputePack.words(error))")
        }
        guard let again = try? encoder().encode(value), again == line else {
            throw .malformed("line \(number) holds something that is not part of the format, or is written in another way")
        }
        return value
    }
}

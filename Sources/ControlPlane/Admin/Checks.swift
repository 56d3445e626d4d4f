import Foundation
import Model
import Primitives
import Projections

/// What several deciders check in the same way. Each names the field at fault.
enum Checks {
    static let nameCharactersMax = 128

    static func name(_ text: String, field: String = "name") throws {
        guard !text.isEmpty else { throw AdminRejection.invalid(field, "must not be empty") }
        try shortText(text, field: field)
    }

    /// May be empty; no control characters, so that it can stand in a header or a log line.
    static func shortText(_ text: String, field: String) throws {
        guard text.count <= nameCharactersMax else {
            throw AdminRejection.invalid(field, "at most \(nameCharactersMax) characters, it has \(text.count)")
        }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw AdminRejection.invalid(field, "must not contain control characters")
        }
    }

    /// A host name in lower case (RFC 1123 §2.1).
    static func domain(_ text: String, field: String) throws {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let valid = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        }
        guard valid, text.utf8.count <= 253, labels.last?.contains(where: { $0 >= "a" && $0 <= "z" }) == true else {
            throw AdminRejection.invalid(field, "must be a domain name in lower case, such as pbx.example.net")
        }
    }

    /// Of what is new. What is in the log may have another, and keeps it.
    static func currency(_ text: String, field: String = "currency") throws {
        if let fault = Currency.fault(in: text) { throw AdminRejection.invalid(field, fault) }
    }

    /// A time zone that this machine's tables know.
    static func timeZone(_ text: String, field: String = "time_zone") throws {
        guard text.utf8.count <= 64, text == "UTC" || text.contains("/"), TimeZone(identifier: text) != nil else {
            throw AdminRejection.invalid(field, "must be an IANA name, such as Europe/Vienna")
        }
    }

    static func language(_ text: String, field: String = "language") throws {
        guard text.isEmpty || LanguageTag.isWellFormed(text) else {
            throw AdminRejection.invalid(field, "must be a language tag by BCP 47, such as de-AT")
        }
    }

    /// In hundredths of a percent.
    static func vatRate(_ points: UInt32, field: String = "vat_rate") throws {
        guard points <= 10_000 else { throw AdminRejection.invalid(field, "at most 100 percent") }
    }

    /// Another entity of the kind with the same number in the other system, below the same provider.
    static func externalID<State: ViewQueries & ~Copyable>(
        _ text: String, _ kind: EntityKind, _ id: UUIDv7, below provider: Data, in state: borrowing State
    ) throws {
        guard !text.isEmpty else { return }
        try shortText(text, field: "external_id")
        for other in try state.entities(kind, externalID: text) where other != id {
            let owner = try state.place(of: kind, other)?.providers
            // A provider stands first in its own place, and is unique among those beside it.
            let above = (kind == .provider ? owner?.dropFirst().first : owner?.first)?.data ?? Data()
            if above == provider { throw AdminRejection.taken("external_id", text) }
        }
    }

    static func contact<State: ViewQueries & ~Copyable>(
        _ field: Data, of provider: Data, in state: borrowing State
    ) throws {
        guard !field.isEmpty else { return }
        let id = ContactID(try reference(field, field: "contact_id"))
        guard let contact = try state.contact(id), contact.providerID == provider else {
            throw AdminRejection.unknownReference("contact_id", id.description)
        }
    }

    static func digits(_ text: String, count: ClosedRange<Int>, field: String) throws {
        guard count.contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw AdminRejection.invalid(field, "must be \(count.lowerBound) to \(count.upperBound) digits")
        }
    }

    static func recognised(_ isRecognised: Bool, field: String) throws {
        guard isRecognised else { throw AdminRejection.invalid(field, "is not a value that this version knows") }
    }

    /// The id of a new entity: what the command brings, or a fresh one.
    static func newID(_ data: Data, _ decision: inout Decision) throws -> UUIDv7 {
        if data.isEmpty { return decision.newID() }
        guard let id = UUIDv7(bytes: data) else { throw AdminRejection.invalid("id", "must be 16 bytes") }
        return id
    }

    static func existingID(_ data: Data) throws -> UUIDv7 {
        guard let id = UUIDv7(bytes: data) else { throw AdminRejection.invalid("id", "must be 16 bytes") }
        return id
    }

    /// A field that must hold a reference.
    static func reference(_ data: Data, field: String) throws -> UUIDv7 {
        guard let id = UUIDv7(bytes: data) else { throw AdminRejection.invalid(field, "is required") }
        return id
    }

    static func unchanged<Value: Equatable>(_ now: Value, _ before: Value, field: String) throws {
        guard now == before else { throw AdminRejection.invalid(field, "cannot be changed") }
    }
}

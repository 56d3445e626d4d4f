import ControlPlane
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections
import Subjects

/// Persons whose data the log holds: what is known of them, legal holds, erasure.
enum SubjectEndpoints {
    private struct Reason: Blank {
        var text = ""
    }

    private static let shape = Shape<Reason>(
        "SubjectReason", [.text("reason", \.text, "For people: which request, which rule. Not personal.")])

    static let operations = [
        Operation(
            method: .get, path: "/v1/subjects", name: "listSubjects", tag: "subjects",
            summary: "Lists the persons that the log holds something of: contacts, customers and subscribers, removed ones too. "
                + "A page may be short, and is the last only if next is null.",
            access: .needs(.readSubjects), query: [.after, .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("SubjectPage")),
            handle: { try list($0) }),
        Operation(
            method: .get, path: "/v1/subjects/{subject_id}", name: "getSubject", tag: "subjects",
            summary: "What became of a person's data.", access: .needs(.readSubjects),
            success: .init(status: .ok, about: "The subject.", schema: Schema.reference("Subject")),
            handle: { exchange in
                try exchange.read { views in .ok(json(try visible(exchange, in: views), in: views)) }
            }),
        Operation(
            method: .post, path: "/v1/subjects/{subject_id}/erase", name: "eraseSubject", tag: "subjects",
            summary: "Destroys the person's key: names, numbers and addresses are gone for ever, the books stay. "
                + "Refused while a legal hold is on the subject or a call of it runs.",
            access: .needs(.eraseSubjects), body: .init(schema: Schema.reference("SubjectReason")),
            success: .init(status: .ok, about: "It is erased.", schema: Schema.reference("Subject")),
            handle: { exchange in try await change(exchange) { id, reason in .eraseSubject(id, reason: reason) } }),
        Operation(
            method: .post, path: "/v1/subjects/{subject_id}/hold", name: "holdSubject", tag: "subjects",
            summary: "Puts a legal hold on a person's data: it cannot be erased until the hold is lifted.",
            access: .needs(.eraseSubjects), body: .init(schema: Schema.reference("SubjectReason")),
            success: .init(status: .ok, about: "It is held.", schema: Schema.reference("Subject")),
            handle: { exchange in
                try await change(exchange) { id, reason in .holdSubject(id, isHeld: true, reason: reason) }
            }),
        Operation(
            method: .post, path: "/v1/subjects/{subject_id}/release", name: "releaseSubject", tag: "subjects",
            summary: "Lifts a legal hold.", access: .needs(.eraseSubjects),
            body: .init(schema: Schema.reference("SubjectReason")),
            success: .init(status: .ok, about: "It is not held any more.", schema: Schema.reference("Subject")),
            handle: { exchange in
                try await change(exchange) { id, reason in .holdSubject(id, isHeld: false, reason: reason) }
            }),
    ]

    static let schemas: [(String, JSON)] = [
        (
            "Subject",
            Schema.object(
                [
                    ("id", Schema.uuid), ("kind", Schema.choice(["contact", "customer", "subscriber"])),
                    ("known_since", Schema.sequence),
                    ("state", Schema.choice(["held", "kept", "erased"])),
                    ("erased_at", ["type": ["integer", "null"], "description": "Sequence of the erasure in the log."]),
                    ("reason", Schema.text(max: 256)),
                    ("key", Schema.choice(["present", "destroyed", "none"])),
                ], required: ["id", "kind", "known_since", "state", "erased_at", "reason", "key"])
        ), ("SubjectPage", Schema.page(of: Schema.reference("Subject"))), ("SubjectReason", shape.newSchema),
    ]

    private static func list(_ exchange: Exchange) throws -> Reply {
        let path = try exchange.query.path()
        guard path.count <= 1 else { throw Query.notACursor }
        let reach = try exchange.reach
        return try exchange.read { views in
            let limit = exchange.query.limit
            let subjects = try views.subjects(after: path.first, limit: limit)
            var items: [JSON] = []
            for subject in subjects where try isWithin(reach, subject, in: views) { items.append(json(subject, in: views)) }
            let next = subjects.count < limit ? nil : subjects.last.flatMap { UUIDv7(bytes: $0.id) }
            return .page(items, next: next.map { Cursor.text([$0]) })
        }
    }

    private static func change(
        _ exchange: Exchange, _ command: (UUIDv7, String) -> AdminCommand
    ) async throws -> Reply {
        let reason = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        let id = try exchange.id("subject_id")
        // Judged before: afterwards a subscriber is nowhere any more.
        try exchange.read { views in _ = try visible(exchange, in: views) }
        let outcome = try await exchange.submit(command(id, reason.text))
        return try exchange.read { views in
            guard let subject = try views.subject(id) else { throw Problem(.notFound, "There is no such subject.") }
            return Reply.ok(json(subject, in: views)).replayed(outcome.repeated)
        }
    }

    private static func visible(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> SubjectState {
        guard let subject = try views.subject(try exchange.id("subject_id")),
            try isWithin(exchange.reach, subject, in: views)
        else { throw Problem(.notFound, "There is no such subject.") }
        return subject
    }

    /// What was removed stands nowhere in the tree; it is the platform's to erase.
    private static func isWithin(
        _ reach: Reach, _ subject: SubjectState, in views: borrowing ViewSnapshot
    ) throws -> Bool {
        guard reach != .platform else { return true }
        guard let id = UUIDv7(bytes: subject.id), let place = try views.place(of: subject.kind.entity, id) else {
            return false
        }
        return reach.holds(place)
    }

    private static func json(_ subject: SubjectState, in views: borrowing ViewSnapshot) -> JSON {
        let id = UUIDv7(bytes: subject.id)
        let status = id.flatMap { id in views.keys?.status(of: id) }
        let isErased = subject.erasedAt != 0
        return [
            "id": id.map { .string($0.description) } ?? .null, "kind": .string(subject.kind.word),
            "known_since": .integer(subject.knownSince),
            "state": .string(isErased ? "erased" : subject.held ? "held" : "kept"),
            "erased_at": isErased ? .integer(subject.erasedAt) : .null,
            "reason": .string(isErased ? subject.erasedReason : subject.heldReason),
            "key": .string(status == .present ? "present" : status == .erased ? "destroyed" : "none"),
        ]
    }
}

extension SubjectKind {
    var word: String {
        switch self {
        case .contact: "contact"
        case .customer: "customer"
        case .subscriber: "subscriber"
        case .user: "user"
        case .UNRECOGNIZED: "unknown"
        }
    }

    var entity: EntityKind {
        switch self {
        case .contact: .contact
        case .customer: .customer
        case .subscriber: .subscriber
        case .user: .user
        case .UNRECOGNIZED(let number): .UNRECOGNIZED(number)
        }
    }
}

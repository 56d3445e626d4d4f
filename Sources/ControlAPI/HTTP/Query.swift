import ControlPlane
import Model
import Primitives

/// A query parameter of an operation: its name, what it may hold, and what the API's document says of it.
struct QueryParameter: Sendable {
    enum Kind: Sendable {
        case id
        case text
        /// Text of many characters.
        case document
        case time
        case cursor
        case number(ClosedRange<UInt64>)
        case choice([String])
        case moment
    }
    let name: String
    let kind: Kind
    let about: String

    init(_ name: String, _ kind: Kind, _ about: String) {
        self.name = name
        self.kind = kind
        self.about = about
    }

    static let limitMax: UInt64 = 500
    static let limitDefault = 100

    static let limit = QueryParameter(
        "limit", .number(1...limitMax), "How many items at most; \(limitDefault) if it is not given.")
    static let after = QueryParameter("after", .cursor, "The `next` of the page before.")
    static let asOf = QueryParameter(
        "as_of", .moment,
        "The answer as it was at a time, or after a sequence of the log. Without it: as it is now.")

    var schema: JSON {
        switch kind {
        case .id: Schema.uuid
        case .text, .cursor: Schema.text(max: 256)
        case .document: Schema.text(max: 8_192)
        case .time: Schema.time
        case .number(let range):
            ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
        case .choice(let words): Schema.choice(words)
        case .moment: ["anyOf": [Schema.time, Schema.sequence]]
        }
    }

    /// nil: the text is not of the kind. `reason` says what would be.
    fileprivate func value(_ text: String) -> Query.Value? {
        switch kind {
        case .id: UUIDv7(text).map(Query.Value.id)
        case .text, .cursor: text.utf8.count <= 256 ? .text(text) : nil
        case .document: text.utf8.count <= 8_192 ? .text(text) : nil
        case .time: WallTime(rfc3339: text).map(Query.Value.time)
        case .number(let range): UInt64(text).flatMap { range.contains($0) ? .number($0) : nil }
        case .choice(let words): words.contains(text) ? .text(text) : nil
        case .moment: Moment(text).map(Query.Value.moment)
        }
    }

    fileprivate var isFreeText: Bool {
        switch kind {
        case .text, .document: true
        case .id, .time, .cursor, .number, .choice, .moment: false
        }
    }

    fileprivate var reason: String {
        switch kind {
        case .id: "must be a UUID"
        case .text, .cursor: "must have at most 256 bytes"
        case .document: "must have at most 8192 bytes"
        case .time: "must be a time by RFC 3339, such as 2026-11-21T05:04:16Z"
        case .number(let range): "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .choice(let words): "must be one of " + words.joined(separator: ", ")
        case .moment: "must be a time by RFC 3339, such as 2026-10-31T23:59:59Z, or a sequence of the log"
        }
    }
}

/// The query parameters of one request, checked against what the operation takes.
struct Query: Sendable {
    enum Value: Sendable {
        case id(UUIDv7)
        case text(String)
        case time(WallTime)
        case number(UInt64)
        case moment(Moment)
    }
    private var values: [String: Value] = [:]
    /// What was asked, as it stands in the log for ever: free text may name a person, and is left out.
    private(set) var recorded = ""

    init() {}

    /// - Throws: a problem that names every parameter that is unknown, repeated or not what it has to be.
    init(_ pairs: [(name: String, value: String)], _ parameters: [QueryParameter]) throws(Problem) {
        var faults: [FieldFault] = []
        for (name, text) in pairs where faults.count < FieldFaults.countMax {
            if let parameter = parameters.first(where: { $0.name == name }) {
                if values[name] != nil {
                    faults.append(FieldFault(.parameter(name), "is there twice"))
                } else if let value = parameter.value(text) {
                    values[name] = value
                } else {
                    faults.append(FieldFault(.parameter(name), parameter.reason))
                }
            } else {
                faults.append(FieldFault(.parameter(name), "is not a parameter of this resource"))
            }
        }
        guard faults.isEmpty else {
            throw Problem(.badRequest, "Some query parameters cannot be accepted.", faults: faults)
        }
        recorded = pairs.map { name, value in
            let isText = parameters.contains { $0.name == name && $0.isFreeText }
            return name + "=" + (isText ? "(withheld)" : value)
        }.joined(separator: "&")
    }

    func id(_ name: String) -> UUIDv7? {
        guard case .id(let id)? = values[name] else { return nil }
        return id
    }

    func text(_ name: String) -> String? {
        guard case .text(let text)? = values[name] else { return nil }
        return text
    }

    func time(_ name: String) -> WallTime? {
        guard case .time(let time)? = values[name] else { return nil }
        return time
    }

    func number(_ name: String) -> UInt64? {
        guard case .number(let number)? = values[name] else { return nil }
        return number
    }

    /// nil: the question is about now.
    var asOf: Moment? {
        guard case .moment(let moment)? = values["as_of"] else { return nil }
        return moment
    }

    var limit: Int { number("limit").map { Int($0) } ?? QueryParameter.limitDefault }

    /// The path that `after` names; empty without it.
    func path() throws(Problem) -> [UUIDv7] {
        guard let text = text("after") else { return [] }
        guard let path = Cursor.path(text) else { throw Query.notACursor }
        return path
    }

    static var notACursor: Problem {
        Problem(
            .badRequest, "The cursor is not one of this list.",
            faults: [FieldFault(.parameter("after"), "must be the next of a page of this list")])
    }
}

/// What is wrong with one place of a request.
package struct FieldFault: Equatable, Sendable {
    /// A JSON pointer into the body (RFC 6901), or the name of a query parameter or header field.
    package enum Place: Equatable, Sendable {
        case pointer(String)
        case parameter(String)
        case header(String)
        /// Of a file that was sent; a column of no name is the line as a whole.
        case line(Int, column: String)
    }
    package let place: Place
    package let reason: String

    package init(_ place: Place, _ reason: String) {
        self.place = place
        self.reason = reason
    }

    var json: JSON {
        switch place {
        case .pointer(let pointer): ["pointer": .string(pointer), "detail": .string(reason)]
        case .parameter(let name): ["parameter": .string(name), "detail": .string(reason)]
        case .header(let name): ["header": .string(name), "detail": .string(reason)]
        case .line(let line, let column): ["line": .integer(line), "column": .string(column), "detail": .string(reason)]
        }
    }
}

/// A place in a body, built on the way down into it.
struct JSONPointer: CustomStringConvertible {
    private(set) var description = ""

    /// RFC 6901 §3: `~` and `/` in a name are written `~0` and `~1`.
    func appending(_ name: String) -> JSONPointer {
        var next = self
        next.description += "/" + name.replacing("~", with: "~0").replacing("/", with: "~1")
        return next
    }

    func appending(_ index: Int) -> JSONPointer { appending(String(index)) }
}

/// Everything that is wrong with a body, so that a client mends it in one go; after a while more would be noise.
struct FieldFaults {
    static let countMax = 50
    private(set) var faults: [FieldFault] = []

    var isEmpty: Bool { faults.isEmpty }

    mutating func add(_ pointer: JSONPointer, _ reason: String) {
        guard faults.count < Self.countMax else { return }
        faults.append(FieldFault(.pointer(pointer.description), reason))
    }
}

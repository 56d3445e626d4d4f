/// Header fields in the order they were written, but for those that `SIPMessage` keeps as typed fields.
package struct Headers: Hashable, Sendable {
    package struct Field: Hashable, Sendable {
        package let name: HeaderName
        /// Unfolded, without blanks at either end.
        package var value: String

        package init(_ name: HeaderName, _ value: String) {
            self.name = name
            self.value = value
        }
    }
    package private(set) var fields: [Field] = []

    package init() {}

    init(capacity: Int) { fields.reserveCapacity(capacity) }

    init(fields: [Field]) { self.fields = fields }

    /// The first field's value. Setting replaces every field of that name; nil removes them.
    package subscript(name: HeaderName) -> String? {
        get { fields.first { $0.name == name }?.value }
        set {
            guard let newValue else { return remove(name) }
            guard let place = fields.firstIndex(where: { $0.name == name }) else { return append(name, newValue) }
            fields[place].value = clean(newValue)
            for index in fields.indices.reversed() where index > place && fields[index].name == name { fields.remove(at: index) }
        }
    }

    package func contains(_ name: HeaderName) -> Bool { fields.contains { $0.name == name } }

    /// The values of every field of that name, each as it was written: lists are not taken apart.
    package func all(_ name: HeaderName) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    /// The values of every field of that name, comma-separated lists taken apart (RFC 3261 §7.3.1).
    /// A field that cannot be taken apart yields nothing.
    package func list(_ name: HeaderName) -> [String] {
        var list: [String] = []
        for field in fields where field.name == name {
            guard field.value.utf8.contains(ASCII.comma) else {
                if !field.value.isEmpty { list.append(field.value) }
                continue
            }
            let bytes = Array(field.value.utf8)
            var values: [String] = []
            let isWhole = bytes.eachValue(bytes.indices) { range in
                values.append(bytes.text(range))
                return true
            }
            if isWhole { list += values }
        }
        return list
    }

    package mutating func append(_ name: HeaderName, _ value: String) { fields.append(Field(name, clean(value))) }

    package mutating func prepend(_ name: HeaderName, _ value: String) {
        fields.insert(Field(name, clean(value)), at: 0)
    }

    /// Replaces every field of that name, keeping the place of the first.
    package mutating func set(_ name: HeaderName, _ values: [String]) {
        let place = fields.firstIndex { $0.name == name } ?? fields.count
        fields.removeAll { $0.name == name }
        fields.insert(contentsOf: values.map { Field(name, clean($0)) }, at: place)
    }

    package mutating func remove(_ name: HeaderName) { fields.removeAll { $0.name == name } }
}

/// No value can end its line early and start a header of its own.
func clean(_ value: String) -> String {
    guard value.hasControls else { return value }
    return String(decoding: value.utf8.map { $0.isControl ? ASCII.space : $0 }, as: UTF8.self)
}

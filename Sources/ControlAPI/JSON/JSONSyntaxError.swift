/// Where a text stops being JSON, and why.
package struct JSONSyntaxError: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        case endOfText
        case unexpected(byte: UInt8)
        case afterValue
        case controlCharacter
        case badEscape
        /// Half of a surrogate pair, or bytes that are not UTF-8.
        case notUnicode
        case badNumber
        case repeatedName(String)
        case tooDeep(max: Int)
        case tooManyValues(max: Int)
    }
    package let reason: Reason
    /// In bytes, from 0.
    package let offset: Int
    /// From 1.
    package let line: Int
    /// In bytes, from 1.
    package let column: Int
}

extension JSONSyntaxError: CustomStringConvertible {
    package var description: String { "line \(line), column \(column): \(reason.text)" }
}

extension JSONSyntaxError.Reason {
    var text: String {
        switch self {
        case .endOfText: "the text ends too early"
        case .unexpected(let byte):
            (0x21...0x7E).contains(byte)
                ? "unexpected \(Character(Unicode.Scalar(byte)))" : "unexpected byte 0x" + String(byte, radix: 16)
        case .afterValue: "there is more text after the value"
        case .controlCharacter: "a control character in a string must be escaped"
        case .badEscape: "not an escape sequence"
        case .notUnicode: "not Unicode text in UTF-8"
        case .badNumber: "not a number"
        case .repeatedName(let name): "the name \(name) is in the object twice"
        case .tooDeep(let max): "nested deeper than \(max) levels"
        case .tooManyValues(let max): "more than \(max) values"
        }
    }
}

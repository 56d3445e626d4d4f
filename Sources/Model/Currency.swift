/// An ISO 4217 currency code: three upper-case letters. Whether it is in use somewhere is not checked.
package struct Currency: Hashable, Comparable, Sendable, LosslessStringConvertible, CustomStringConvertible {
    package let code: String

    /// nil unless `code` is three letters A to Z.
    package init?(_ code: String) {
        guard code.utf8.count == 3, code.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else { return nil }
        self.code = code
    }

    package var description: String { code }

    package static func < (a: Currency, b: Currency) -> Bool { a.code < b.code }
}

/// A country or territory, by its two letters of ISO 3166-1. Several share a country code: +1 is twenty-five of them.
package struct Region: Hashable, Comparable, Sendable, LosslessStringConvertible, CustomStringConvertible {
    /// Two upper-case letters.
    package let code: String

    /// nil for anything but two upper-case letters; whether there is such a country is asked of `PhoneNumbers`.
    package init?(_ code: String) {
        guard code.utf8.count == 2, code.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else { return nil }
        self.code = code
    }

    package var description: String { code }

    package static func < (a: Region, b: Region) -> Bool { a.code < b.code }
}

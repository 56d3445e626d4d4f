/// A currency by its ISO 4217 code: three upper-case letters. What a log holds is read whether or not the code is in use today; what is new must be
/// one of `listed`.
public struct Currency: Hashable, Comparable, Sendable, LosslessStringConvertible, CustomStringConvertible {
    public let code: String

    /// nil unless `code` is three letters A to Z.
    public init?(_ code: String) {
        guard code.utf8.count == 3, code.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else { return nil }
        self.code = code
    }

    public var description: String { code }

    public static func < (a: Currency, b: Currency) -> Bool { a.code < b.code }
}

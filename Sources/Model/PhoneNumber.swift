/// A number as ITU-T E.164 writes it: `+`, then 2 to 15 digits of which the first is not 0.
public struct PhoneNumber: Hashable, Comparable, Sendable, LosslessStringConvertible, CustomStringConvertible {
    /// Without the `+`.
    public let digits: String

    /// nil for anything but the exact form: no spaces, no leading `00`.
    public init?(_ text: String) {
        guard text.utf8.first == 0x2B else { return nil }
        self.init(digits: text.dropFirst())
    }

    public init?(digits: some StringProtocol) {
        let bytes = digits.utf8
        guard (2...15).contains(bytes.count), bytes.first != 0x30, bytes.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        self.digits = String(digits)
    }

    public var description: String { "+" + digits }

    /// Whether the number lies in a range that is given by its beginning: `+`, `+1`, `+1209`.
    public func isWithin(prefix: String) -> Bool { description.hasPrefix(prefix) && prefix.utf8.first == 0x2B }

    public static func < (a: PhoneNumber, b: PhoneNumber) -> Bool { a.digits < b.digits }
}

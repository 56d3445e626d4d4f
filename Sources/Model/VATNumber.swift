/// VAT numbers of the European Union by their shape (the country, then what it writes behind it) and by their check digits. Whether one
/// was given to anybody only the country knows.
public enum VATNumber {
    /// `9` is a digit, `A` a letter, `X` either, `+` either or `+` or `*` (Dutch numbers); all else stands for itself.
    private static let shapes: [(country: String, shapes: [String])] = [
        ("AT", ["U99999999"]), ("BE", ["0999999999", "1999999999"]), ("BG", ["999999999", "9999999999"]),
        ("CY", ["99999999A"]), ("CZ", ["99999999", "999999999", "9999999999"]), ("DE", ["999999999"]),
        ("DK", ["99999999"]), ("EE", ["999999999"]), ("EL", ["999999999"]),
        ("ES", ["X9999999A", "A9999999X"]), ("FI", ["99999999"]), ("FR", ["XX999999999"]),
        ("HR", ["99999999999"]), ("HU", ["99999999"]), ("IE", ["9999999A", "9999999AA", "9X99999A"]),
        ("IT", ["99999999999"]), ("LT", ["999999999", "999999999999"]), ("LU", ["99999999"]),
        ("LV", ["99999999999"]), ("MT", ["99999999"]), ("NL", ["++++++++++++"]), ("PL", ["9999999999"]),
        ("PT", ["999999999"]),
        ("RO", ["99", "999", "9999", "99999", "999999", "9999999", "99999999", "999999999", "9999999999"]),
        ("SE", ["999999999999"]), ("SI", ["99999999"]), ("SK", ["9999999999"]),
        ("XI", ["999999999", "999999999999", "GD999", "HA999"]),
    ]

    /// nil: it may be one; else what would be.
    /// - Parameter country: of the contact, ISO 3166-1; Greece's numbers begin with EL. Empty: what the number begins with.
    public static func fault(_ number: String, country: String) -> String? {
        guard (4...18).contains(number.utf8.count), number.utf8.allSatisfy({ isDigit($0) || isLetter($0) || $0 == 0x2B || $0 == 0x2A })
        else { return "must be 4 to 18 capital letters and digits, without spaces" }
        let wanted = country == "GR" ? "EL" : country
        let prefix = wanted.isEmpty ? String(number.prefix(2)) : wanted
        guard let known = shapes.first(where: { $0.country == prefix }) else { return nil }
        guard number.hasPrefix(prefix) else { return "must begin with \(prefix), the contact's country" }
        let rest = Array(number.utf8.dropFirst(2))
        guard known.shapes.contains(where: { matches(rest, Array($0.utf8)) }) else {
            return "must look like " + known.shapes.prefix(3).map { prefix + $0 }.joined(separator: " or ")
                + " (9: a digit, A: a letter, X: either)"
        }
        guard !hasWrongCheckDigits(prefix, rest) else { return "its check digits do not fit: is it mistyped?" }
        return nil
    }

    /// Whether the country is one of the Union's, by whose numbers VAT is accounted for across borders. ISO 3166-1; Northern Ireland's
    /// numbers are of goods alone.
    public static func isOfUnion(_ country: String) -> Bool {
        let country = country == "GR" ? "EL" : country
        return country != "XI" && shapes.contains { $0.country == country }
    }

    private static func matches(_ text: [UInt8], _ shape: [UInt8]) -> Bool {
        guard text.count == shape.count else { return false }
        return zip(text, shape).allSatisfy { byte, mark in
            switch mark {
            case 0x39: isDigit(byte)
            case 0x58: isDigit(byte) || isLetter(byte)
            case 0x2B: isDigit(byte) || isLetter(byte) || byte == 0x2B || byte == 0x2A
            case 0x41: isLetter(byte)
            default: byte == mark
            }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
}

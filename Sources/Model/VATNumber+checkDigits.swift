/// Check digits of VAT numbers, by the rules that the countries' tax offices have made public. A slip of the pen is found so; whether a
/// number was given to anybody is not.
extension VATNumber {
    /// false where its country makes no rule known for such numbers, too.
    ///
    /// - Parameter rest: behind the country's two letters, of a shape that the country has: what is taken from it by place is there.
    static func hasWrongCheckDigits(_ country: String, _ rest: [UInt8]) -> Bool {
        let digits = rest.filter { (0x30...0x39).contains($0) }.map { Int($0 - 0x30) }
        switch country {
        case "AT": return austrian(digits) != digits[7]
        case "BE": return 97 - number(digits[..<8]) % 97 != number(digits[8...])
        case "DE", "HR": return product(digits.dropLast()) != digits.last
        case "DK": return weighed(digits, [2, 7, 6, 5, 4, 3, 2, 1]) % 11 != 0
        case "EE": return (10 - weighed(digits, [3, 7, 1, 3, 7, 1, 3, 7]) % 10) % 10 != digits[8]
        case "EL": return weighed(digits, [256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 != digits[8]
        case "ES": return isWronglySpanish(rest)
        case "FI": return remainder(of: weighed(digits, [7, 9, 10, 5, 8, 4, 2])) != digits[7]
        case "FR": return isWronglyFrench(rest, digits)
        case "HU": return (10 - weighed(digits, [9, 7, 3, 1, 9, 7, 3]) % 10) % 10 != digits[7]
        case "IE": return isWronglyIrish(rest)
        case "IT", "SE": return luhn(digits.prefix(country == "SE" ? 10 : 11)) != 0
        case "LU": return number(digits[..<6]) % 89 != number(digits[6...])
        case "MT": return weighed(digits, [3, 4, 6, 7, 8, 9, 10, 1]) % 37 != 0
        case "NL": return isWronglyDutch(rest)
        case "PL": return weighed(digits, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 != digits[9]
        case "PT":
            let rest = 11 - weighed(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11
            return (rest > 9 ? 0 : rest) != digits[8]
        case "RO":
            let padded = [Int](repeating: 0, count: 10 - digits.count) + digits
            return weighed(padded, [7, 5, 3, 2, 1, 7, 5, 3, 2]) * 10 % 11 % 10 != padded[9]
        case "SI":
            let rest = 11 - weighed(digits, [8, 7, 6, 5, 4, 3, 2]) % 11
            return rest == 11 || (rest == 10 ? 0 : rest) != digits[7]
        case "SK": return number(digits[...]) % 11 != 0
        // No rule, several by the kind of number, or one that is not public as a whole: BG, CY, CZ, LT, LV, XI.
        default: return false
        }
    }

    private static func number(_ digits: ArraySlice<Int>) -> Int { digits.reduce(0) { $0 * 10 + $1 } }

    /// The digits that have a weight, each times it.
    private static func weighed(_ digits: [Int], _ weights: [Int]) -> Int { zip(digits, weights).reduce(0) { $0 + $1.0 * $1.1 } }

    /// ISO/IEC 7064, MOD 11,10: Germany and Croatia.
    private static func product(_ digits: [Int]) -> Int {
        let product = digits.reduce(10) { product, digit in
            let sum = (product + digit) % 10
            return (sum == 0 ? 10 : sum) * 2 % 11
        }
        return (11 - product) % 10
    }

    /// What is missing to 11: Finland. 10 is given to nobody.
    private static func remainder(of sum: Int) -> Int { sum % 11 == 0 ? 0 : 11 - sum % 11 }

    /// The sum with every second digit, from the one before the last, doubled: 0 where it fits (ISO/IEC 7812-1).
    private static func luhn(_ digits: some BidirectionalCollection<Int>) -> Int {
        digits.reversed().enumerated().reduce(0) { sum, item in
            let value = item.offset % 2 == 0 ? item.element : item.element * 2
            return sum + (value > 9 ? value - 9 : value)
        } % 10
    }

    private static func austrian(_ digits: [Int]) -> Int {
        let sum = digits.prefix(7).enumerated().reduce(0) { sum, item in
            let value = item.offset % 2 == 0 ? item.element : item.element * 2
            return sum + (value > 9 ? value - 9 : value)
        }
        return (10 - (sum + 4) % 10) % 10
    }

    /// The key before the company's SIREN, which has a check digit of its own. Keys with letters follow a newer rule, which is let pass.
    private static func isWronglyFrench(_ rest: [UInt8], _ digits: [Int]) -> Bool {
        guard digits.count == 11 else { return false }
        return (12 + 3 * (number(digits[2...]) % 97)) % 97 != number(digits[..<2])
    }

    /// Persons and foreigners have a letter by the number; companies a digit or a letter by Luhn's sum.
    private static func isWronglySpanish(_ rest: [UInt8]) -> Bool {
        let letters = Array("TRWAGMYFPDXBNJZSQVHLCKE".utf8)
        let middle = rest[1..<8].map { Int($0) - 0x30 }
        let (first, last) = (rest[0], rest[8])
        if (0x30...0x39).contains(first) { return last != letters[(Int(first - 0x30) * 10_000_000 + number(middle[...])) % 23] }
        if let place = Array("XYZ".utf8).firstIndex(of: first) { return last != letters[(place * 10_000_000 + number(middle[...])) % 23] }
        if Array("KLM".utf8).contains(first) { return last != letters[number(middle[...]) % 23] }
        let digit = (10 - luhn(middle + [0])) % 10
        return last != UInt8(0x30 + digit) && last != Array("JABCDEFGHI".utf8)[digit]
    }

    /// Seven digits, a letter of check, and another letter since 2013. Numbers with a letter in the second place are older than the rule.
    private static func isWronglyIrish(_ rest: [UInt8]) -> Bool {
        let digits = rest.prefix(7).map { Int($0) - 0x30 }
        guard digits.allSatisfy({ (0...9).contains($0) }) else { return false }
        let extra = rest.count > 8 ? (rest[8] == UInt8(ascii: "W") ? 0 : Int(rest[8]) - 0x40) * 9 : 0
        return rest[7] != Array("WABCDEFGHIJKLMNOPQRSTUV".utf8)[(weighed(digits, [8, 7, 6, 5, 4, 3, 2]) + extra) % 23]
    }

    /// Nine digits, B and two more: by the older rule on the digits, or, as sole traders' since 2020, by ISO/IEC 7064, MOD 97-10 on all of it.
    private static func isWronglyDutch(_ rest: [UInt8]) -> Bool {
        let digits = rest.prefix(9).map { Int($0) - 0x30 }
        if rest.count == 12, rest[9] == UInt8(ascii: "B"), digits.allSatisfy({ (0...9).contains($0) }), weighed(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11 == digits[8] {
            return false
        }
        let sum = (Array("NL".utf8) + rest).reduce(0) { sum, byte in
            switch byte {
            case 0x30...0x39: (sum * 10 + Int(byte) - 0x30) % 97
            case 0x41...0x5A: (sum * 100 + Int(byte) - 0x41 + 10) % 97
            case 0x2B: (sum * 100 + 36) % 97
            default: (sum * 100 + 37) % 97
            }
        }
        return sum != 1
    }
}

package import PhoneNumbers

/// The country of the first digits of a number, as statistics keep them.
package enum DestinationCountry {
    /// nil: no country's numbers begin so.
    package static func region(ofPrefix digits: String) -> Region? {
        if digits.hasPrefix("1"), digits.utf8.count >= 4 {
            return PhoneNumbers.region(countryCode: "1", areaCode: String(digits.dropFirst().prefix(3)))
        }
        // No country code is the beginning of another one (E.164 §6.2.1).
        for count in 1...3 where digits.utf8.count >= count {
            let code = String(digits.prefix(count))
            if let region = PhoneNumbers.region(countryCode: code, areaCode: String(digits.dropFirst(count))) { return region }
        }
        return nil
    }
}

import CPhoneNumber

/// The numbering plans of all countries, as libphonenumber knows them: what a number is, and how it is dialled where.
///
/// The plans are inside of the library (5 MB of memory, made in 10 ms at the first question). A question costs 10 to 40
/// microseconds; who asks for every call keeps the answers: see `NumberBook`. The library knows what was given out when it
/// was built: it informs, and no rule of the platform takes its silence for a no.
package enum PhoneNumbers {
    /// nil: no country code begins like this.
    /// - Parameter e164: with its plus.
    package static func facts(of e164: String) -> NumberFacts? {
        var e164 = e164
        var found = ll_number()
        let isFound = e164.withUTF8 { bytes in
            unsafe ll_number_look_up(characters(bytes), bytes.count, &found) == 1
        }
        guard isFound else { return nil }
        let letters = [found.region.0, found.region.1].map { UInt8(bitPattern: $0) }
        return NumberFacts(
            region: Region(String(decoding: letters, as: UTF8.self)), countryCode: Int(found.country_code),
            kind: NumberFacts.Kind(rawValue: Int(found.type)) ?? .unknown,
            areaCodeLength: Int(found.area_code_length), isValid: found.is_valid == 1, isPossible: found.is_possible == 1)
    }

    /// All that have a numbering plan, in the order of their letters.
    package static let regions: [Region] = {
        let bytes = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4_096) { out in
            let count = unsafe min(ll_regions(out.baseAddress, out.count), out.count)
            return unsafe out[..<count].map { UInt8(bitPattern: $0) }
        }
        return stride(from: 0, to: bytes.count - 1, by: 2)
            .compactMap { Region(String(decoding: bytes[$0...($0 + 1)], as: UTF8.self)) }.sorted()
    }()

    /// nil: there is no such region.
    package static func countryCode(of region: Region) -> Int? {
        var code = region.code
        let number = code.withUTF8 { bytes in unsafe ll_region_country_code(characters(bytes), bytes.count) }
        return number == 0 ? nil : Int(number)
    }

    /// Where somebody is who has this country and area code: of 1 and 876 it is Jamaica; nil: there is no such country code.
    package static func region(countryCode: String, areaCode: String) -> Region? {
        guard let code = Int32(countryCode) else { return nil }
        // The countries that share +1 have area codes of their own; of one that is in use, most numbers are valid.
        if code == 1, areaCode.utf8.count == 3 {
            for rest in ["2345678", "5551234", "8234567"] {
                if let region = facts(of: "+1\(areaCode)\(rest)")?.region { return region }
            }
        }
        var letters = (CChar(0), CChar(0), CChar(0), CChar(0))
        let isFound = unsafe withUnsafeMutableBytes(of: &letters) { bytes in
            unsafe ll_main_region(code, bytes.baseAddress?.assumingMemoryBound(to: CChar.self)) == 1
        }
        guard isFound else { return nil }
        let bytes = [UInt8(bitPattern: letters.0), UInt8(bitPattern: letters.1)]
        return Region(String(decoding: bytes, as: UTF8.self))
    }

    /// Some number of the region that is given to nobody in particular, as E.164; nil: it has no such numbers.
    package static func example(of kind: NumberFacts.Kind, in region: Region) -> String? {
        unsafe text { out in
            var code = region.code
            return code.withUTF8 { bytes in
                unsafe ll_example(characters(bytes), bytes.count, Int32(kind.rawValue), out.baseAddress, out.count)
            }
        }
    }

    /// The digits that are dialled in its own country; nil: it is not a number.
    package static func national(_ e164: String) -> String? {
        unsafe text { out in
            var e164 = e164
            return e164.withUTF8 { bytes in
                unsafe ll_national(characters(bytes), bytes.count, out.baseAddress, out.count)
            }
        }
    }

    /// The digits that are dialled in another country; nil: it is not a number.
    package static func abroad(_ e164: String, from region: Region) -> String? {
        unsafe text { out in
            var (e164, code) = (e164, region.code)
            return e164.withUTF8 { number in
                code.withUTF8 { region in
                    unsafe ll_abroad(
                        characters(number), number.count, characters(region), region.count, out.baseAddress, out.count)
                }
            }
        }
    }

    /// Police, fire or ambulance, where somebody is; exactly, so that 9110 is none.
    package static func isEmergency(_ dialled: String, in region: Region) -> Bool {
        var (dialled, code) = (dialled, region.code)
        return dialled.withUTF8 { number in
            code.withUTF8 { region in
                unsafe ll_is_emergency(characters(number), number.count, characters(region), region.count) == 1
            }
        }
    }

    private static func text(_ write: (UnsafeMutableBufferPointer<CChar>) -> Int) -> String? {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { out in
            let count = unsafe write(out)
            guard count > 0 else { return nil }
            return unsafe String(decoding: out[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    private static func characters(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafePointer<CChar>? {
        unsafe UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self)
    }
}

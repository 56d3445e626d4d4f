/// A price as files write it.
enum DeckNumber {
    enum Failure: Error {
        case malformed, tooPrecise, overflow

        var reason: String {
            switch self {
            case .malformed: "is not a decimal number such as 0.0125"
            case .tooPrecise: "is finer than a millionth"
            case .overflow: "is larger than can be counted"
            }
        }
    }

    /// - Parameter hasDecimalComma: a comma is taken for the point; otherwise neither it nor anything between thousands is known.
    static func micros(_ bytes: ArraySlice<UInt8>, hasDecimalComma: Bool) -> Result<Int64, Failure> {
        var rest = bytes
        let isNegative = rest.first == 0x2D
        if isNegative || rest.first == 0x2B { rest = rest.dropFirst() }
        var value: Int64 = 0
        var digits = 0
        var decimals: Int?
        for byte in rest {
            switch byte {
            case 0x2E, 0x2C:
                guard decimals == nil, digits > 0, byte == 0x2E || hasDecimalComma else { return .failure(.malformed) }
                decimals = 0
            case 0x30...0x39:
                digits += 1
                if let count = decimals {
                    decimals = count + 1
                    if count >= 6 {
                        guard byte == 0x30 else { return .failure(.tooPrecise) }
                        continue
                    }
                }
                let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
                let (sum, overflow) = product.addingReportingOverflow(Int64(byte - 0x30))
                guard !overflowed, !overflow else { return .failure(.overflow) }
                value = sum
            default: return .failure(.malformed)
            }
        }
        guard digits > 0, decimals != 0 else { return .failure(.malformed) }
        for _ in min(6, decimals ?? 0)..<6 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return .failure(.overflow) }
            value = product
        }
        return .success(isNegative ? -value : value)
    }
}

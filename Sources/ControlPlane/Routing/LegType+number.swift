import Model
import PhoneNumbers

extension LegType {
    /// Of a call to a carrier, by what the numbering plan of its country says of the number. Where it does not tell, as for mobile
    /// phones in North America, it is PSTN.
    init(called e164: String, _ facts: NumberFacts?) {
        guard let facts else {
            self = .pstn
            return
        }
        switch facts.kind {
        case .mobile: self = .mobile
        case .tollFree: self = .freephone
        case .premiumRate, .sharedCost: self = .premium
        case .fixedLine, .fixedLineOrMobile, .voip, .personal, .pager, .uan, .voicemail: self = .pstn
        // What a country has for itself alone, such as 116117, is shorter than any number that can be called from elsewhere.
        case .unknown:
            let national = e164.utf8.count - 1 - String(facts.countryCode).utf8.count
            self = !facts.isPossible && national <= 6 ? .shortCode : .pstn
        }
    }

    /// Whose rate is taken where the plan has none for it.
    var fallback: LegType? {
        switch self {
        case .mobile, .freephone, .premium, .shortCode: .pstn
        case .pstn, .did, .tollFree, .sip, .UNRECOGNIZED: nil
        }
    }
}

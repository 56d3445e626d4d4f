/// What the numbering plan of its country says of a number.
package struct NumberFacts: Equatable, Sendable {
    package enum Kind: Int, CaseIterable, Sendable {
        case fixedLine = 0
        case mobile = 1
        /// Where the digits do not tell which, as in the USA.
        case fixedLineOrMobile = 2
        case tollFree = 3
        case premiumRate = 4
        case sharedCost = 5
        case voip = 6
        case personal = 7
        case pager = 8
        case uan = 9
        case voicemail = 10
        case unknown = 11
    }

    /// nil: no country has numbers like this, or it is of none, as +800 is.
    package let region: Region?
    package let countryCode: Int
    package let kind: Kind
    /// Digits after the country code that are the area code; 0: there is none.
    package let areaCodeLength: Int
    /// Whether the plan has given it, or the block that it is in, to anybody.
    package let isValid: Bool
    /// Whether its country has numbers of this length.
    package let isPossible: Bool

    /// Whoever calls it pays more than for the way.
    package var isPremium: Bool {
        switch kind {
        case .premiumRate, .sharedCost: true
        case .fixedLine, .mobile, .fixedLineOrMobile, .tollFree, .voip, .personal, .pager, .uan, .voicemail, .unknown: false
        }
    }

    package init(region: Region?, countryCode: Int, kind: Kind, areaCodeLength: Int, isValid: Bool, isPossible: Bool) {
        self.region = region
        self.countryCode = countryCode
        self.kind = kind
        self.areaCodeLength = areaCodeLength
        self.isValid = isValid
        self.isPossible = isPossible
    }
}

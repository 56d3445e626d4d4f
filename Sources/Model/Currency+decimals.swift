extension Currency {
    /// Digits behind the point of the smallest amount that is paid (ISO 4217): 2, unless the currency is one of the few others.
    public var decimals: UInt32 { Self.decimals(of: code) }

    /// - Parameter code: of any kind; what is no currency has 2.
    public static func decimals(of code: String) -> UInt32 {
        switch code {
        case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF": 0
        case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
        default: 2
        }
    }
}

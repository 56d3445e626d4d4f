extension Currency {
    /// Digits behind the point of the smallest amount that is paid (ISO 4217): 2, unless the currency is one of the few others.
    package var decimals: UInt32 {
        switch code {
        case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF": 0
        case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
        default: 2
        }
    }
}

extension TableBuffer {
    /// What is known of the keys that LMDB has.
    enum LastKey {
        case unknown
        /// There are none.
        case none
        /// This is the greatest.
        case key(FixedKey)
        /// The greatest is longer than a `FixedKey`.
        case long

        init(_ last: RawSpan?) {
            guard let last else {
                self = .none
                return
            }
            self = if let key = FixedKey(last) { .key(key) } else { .long }
        }

        /// The key is not in LMDB, because it is after all that are.
        @inline(__always) func isBefore(_ key: FixedKey) -> Bool {
            switch self {
            case .none: true
            case .key(let last): last < key
            case .unknown, .long: false
            }
        }
    }
}

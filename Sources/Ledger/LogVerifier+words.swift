extension LogVerifier.Finding {
    /// What is wrong, for programs.
    package var kind: String {
        switch self {
        case .damaged: "damaged"
        case .missing: "missing"
        case .hashDiffers: "changed"
        case .streamBroken: "stream_broken"
        case .sizeDiffers: "size"
        case .rootDiffers: "root"
        }
    }

    /// The first event that is not as it was signed; nil where only the whole is known to differ.
    package var sequence: UInt64? {
        switch self {
        case .damaged(let sequence), .missing(let sequence), .hashDiffers(let sequence), .streamBroken(let sequence): sequence
        case .sizeDiffers(let events, _): events + 1
        case .rootDiffers: nil
        }
    }
}

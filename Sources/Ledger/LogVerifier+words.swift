extension LogVerifier.Finding {
    /// What is wrong, for programs.
    public var kind: String {
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
    public var sequence: UInt64? {
        switch self {
        case .damaged(let sequence), .missing(let sequence), .hashDiffers(let sequence), .streamBroken(let sequence): sequence
        case .sizeDiffers(let events, _): events + 1
        case .rootDiffers: nil
        }
    }
}

extension LogVerifier.Finding: CustomStringConvertible {
    public var description: String {
        switch self {
        case .damaged(let sequence): "event \(sequence): what stands there is no event, or one of another number (damaged or moved)"
        case .missing(let sequence): "event \(sequence) is missing: it was taken out"
        case .hashDiffers(let sequence): "event \(sequence) is not the one whose hash stands in the tree (changed, added or moved)"
        case .streamBroken(let sequence): "event \(sequence) does not follow from the one before it in its stream"
        case .sizeDiffers(let events, let expected): "event \(events + 1) is missing: there are \(events) events, \(expected) were signed"
        case .rootDiffers(let size): "the tree over the first \(size) events is not the one that was signed: the log was rewritten with its tree"
        }
    }
}

/// In what state the views were found when they were opened.
public enum ViewsCondition: Equatable, Sendable {
    /// There were none.
    case new
    /// As they were left.
    case kept
    /// Dropped: the machine stopped while they were open, so what is on the disk may be anything.
    case droppedAfterUncleanStop
    /// Dropped: another version of this program filled them.
    case droppedForOtherProjections
    /// Dropped: LMDB could not open them, or the file is not as it was closed.
    case droppedAsUnreadable
}

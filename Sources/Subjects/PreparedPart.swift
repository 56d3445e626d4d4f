/// What of a personal part depends on neither subject nor record: making it short is most of the work.
public struct PreparedPart: Sendable {
    let mark: UInt8
    let format: UInt8
    let content: [UInt8]
}

public import Foundation
public import Primitives

extension UUIDv7 {
    /// nil unless there are exactly 16 bytes. Ids of messages are `Data`: read at once here, where the general form is asked for
    /// its kind of collection first.
    public init?(bytes: Data) {
        guard bytes.count == 16 else { return nil }
        let words = bytes.withUnsafeBytes { bytes in
            (UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)), UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
        self.init(high: words.0, low: words.1)
    }
}

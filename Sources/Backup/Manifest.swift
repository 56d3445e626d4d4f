internal import Ledger
import OpenSSL
package import Primitives

/// What is said of one part of a backup, in a small text file beside it. A part without a manifest is not there: it is
/// written last.
///
///     ledgerline backup 1
///     kind events                    or full
///     events 1001-2000               the sequences that the part holds
///     bytes 123456
///     sha256 <hexadecimal>           of the part's file
///     previous <hexadecimal>         SHA-256 of the manifest before; zeros for the first
///     time <RFC 3339>                of the last event
///                                    (empty line)
///     <checkpoint>                   signed, of the size of the last event
package struct Manifest: Hashable, Sendable {
    package enum Kind: String, Sendable { case full, events }

    package var kind: Kind
    package var first: UInt64
    package var last: UInt64
    package var bytes: UInt64
    package var sha256: String
    package var previous: String
    package var time: WallTime
    package var checkpoint: String

    static let titleOfAnyVersion = "ledgerline backup "
    static let title = titleOfAnyVersion + "1"
    static let none = String(repeating: "0", count: 64)

    package var name: String { kind == .full ? "full-\(last)" : "events-\(first)-\(last)" }
    /// The part's file, below the backup's directory.
    package var file: String { kind == .full ? name + "/data.mdb" : name + ".events" }

    package var text: String {
        """
        \(Self.title)
        kind \(kind.rawValue)
        events \(first)-\(last)
        bytes \(bytes)
        sha256 \(sha256)
        previous \(previous)
        time \(time.rfc3339)

        \(checkpoint)
        """
    }

    var hash: String { hex(Hash.sha256(Array(text.utf8))) }
}

extension Manifest {
    /// nil unless the text is exactly what `text` would write.
    package init?(_ text: String) {
        guard let gap = text.firstRange(of: "\n\n") else { return nil }
        let lines = text[..<gap.lowerBound].split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        let names = ["kind ", "events ", "bytes ", "sha256 ", "previous ", "time "]
        guard lines.count == names.count + 1, lines[0] == Self.title else { return nil }
        let values = zip(lines.dropFirst(), names).compactMap { $0.hasPrefix($1) ? String($0.dropFirst($1.count)) : nil }
        guard values.count == names.count else { return nil }
        let range = values[1].split(separator: "-").compactMap { UInt64($0) }
        guard let kind = Kind(rawValue: values[0]), range.count == 2, let bytes = UInt64(values[2]),
            let time = WallTime(rfc3339: values[5])
        else { return nil }
        self.init(
            kind: kind, first: range[0], last: range[1], bytes: bytes, sha256: values[3], previous: values[4],
            time: time, checkpoint: String(text[gap.upperBound...]))
        guard self.text == text else { return nil }
    }
}

import CRE2

/// A compiled RE2 expression: one written by a user runs in linear time and bounded memory.
///
/// Sendable without a lock: the C object is never changed after `init`, and RE2 allows matching a constant
/// expression from many threads at once.
@safe public final class RegularExpression: @unchecked Sendable {
    private let raw: OpaquePointer

    /// The message is RE2's, fit to be shown to the author of the expression.
    public struct Malformed: Error, Equatable {
        public let message: String
    }

    public init(_ pattern: String) throws(Malformed) {
        var pattern = pattern
        var message = ""
        let compiled = pattern.withUTF8 { bytes in
            unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { error in
                unsafe error.initialize(repeating: 0)
                let result = unsafe ll_re2_compile(
                    UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self), bytes.count,
                    error.baseAddress, error.count)
                if unsafe result == nil {
                    message = unsafe String(cString: error.baseAddress!)
                }
                return unsafe result
            }
        }
        guard let compiled = unsafe compiled else { throw Malformed(message: message) }
        unsafe raw = compiled
    }

    deinit { unsafe ll_re2_free(raw) }

    /// How many capturing groups it has.
    public var groups: Int { Int(unsafe ll_re2_groups(raw)) }

    /// Anywhere in the text; anchors are the author's business.
    public func matches(_ text: String) -> Bool {
        unsafe withCharacters(of: text) { start, count in unsafe ll_re2_matches(raw, start, count) == 1 }
    }

    /// Whether `\0` … `\9` in the replacement name groups that the expression has.
    public func accepts(replacement: String) -> Bool {
        unsafe withCharacters(of: replacement) { start, count in unsafe ll_re2_accepts(raw, start, count) == 1 }
    }

    /// The text with its first match replaced; nil if nothing matches, the replacement is not acceptable, or
    /// the result is longer than 256 bytes (no number is).
    public func replacingFirstMatch(in text: String, with replacement: String) -> String? {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { out in
            let length = unsafe withCharacters(of: text) { start, count in
                unsafe withCharacters(of: replacement) { rewrite, rewriteCount in
                    unsafe ll_re2_replace(raw, start, count, rewrite, rewriteCount, out.baseAddress, out.count)
                }
            }
            guard length >= 0 else { return nil }
            return unsafe String(decoding: UnsafeRawBufferPointer(start: out.baseAddress, count: length), as: UTF8.self)
        }
    }

    private func withCharacters<Result>(of text: String, _ body: (UnsafePointer<CChar>?, Int) -> Result) -> Result {
        var text = text
        return text.withUTF8 { bytes in
            unsafe body(UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
    }
}

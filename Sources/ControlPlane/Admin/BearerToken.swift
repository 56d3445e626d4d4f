package import Primitives

/// The secret that an API client shows: 32 random bytes in hexadecimal with a prefix that secret scanners
/// can find. The log knows only its SHA-256 hash.
package struct BearerToken: Sendable {
    /// The text to give to the client, once.
    package let text: String

    package init(random: inout RandomSource) { text = "llt_" + hex(random.bytes(32)) }

    /// Anything a client sent; it is only ever hashed and compared.
    package init(presented text: String) { self.text = text }
}

extension BearerToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "llt_••••" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// A password on its way into a credential. It prints as nothing else than a mask.
package struct Password: Sendable {
    /// The clear text; for hashing alone.
    package let clearText: String

    package init(_ clearText: String) { self.clearText = clearText }
}

extension Password: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "••••" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

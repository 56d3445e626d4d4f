/// The two sides of a call as the control plane and the media worker name them.
package enum Side: String, Hashable, Sendable {
    /// Towards the caller.
    case a
    /// Towards the called.
    case b

    var other: Side { self == .a ? .b : .a }
}

/// One value for each side.
struct Sides<Value: Sendable>: Sendable {
    var a: Value
    var b: Value

    subscript(side: Side) -> Value {
        get { side == .a ? a : b }
        set { if side == .a { a = newValue } else { b = newValue } }
    }
}

extension Sides: Equatable where Value: Equatable {}

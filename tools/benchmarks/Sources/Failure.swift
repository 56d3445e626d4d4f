/// A measurement that means nothing, because what was measured did not do what it should; the program ends with an error.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

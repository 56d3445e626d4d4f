internal import Glibc

/// One tone, from one sample to the next.
package struct Oscillator: Sendable {
    private let factor: Double
    private var last: Double
    private var beforeLast: Double

    package init(hertz: Double, sampleRate: Int, amplitude: Double) {
        let step = 2 * Double.pi * hertz / Double(sampleRate)
        factor = 2 * cos(step)
        last = 0
        beforeLast = -amplitude * sin(step)
    }

    package mutating func next() -> Double {
        let value = last
        (last, beforeLast) = (factor * last - beforeLast, last)
        return value
    }
}

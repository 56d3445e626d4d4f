import Glibc

/// LMDB's pages carry no checksums, and the file is mapped: a damaged page leads a reader outside it, which ends the process.
/// While a log is verified that end is a finding, and is said as one, with status 1.
///
/// A signal handler may not allocate: its texts are made before, and the place is one number.
enum PageFault {
    private struct State {
        var position: UInt64 = 0
        var isBeside = false
        var isJSON = false
    }

    private static nonisolated(unsafe) let state: UnsafeMutablePointer<State> = {
        let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
        unsafe state.initialize(to: State())
        return unsafe state
    }()

    static func watch(asJSON isJSON: Bool) {
        unsafe state.pointee.isJSON = isJSON
        for number in [SIGSEGV, SIGBUS, SIGABRT] { signal(number) { _ in PageFault.tell() } }
    }

    /// That many events were read and are good.
    static func reached(_ sequence: UInt64) { unsafe state.pointee.position = sequence }

    /// The events are good; what comes now stands beside them.
    static func leftEvents() { unsafe state.pointee.isBeside = true }

    private static func tell() -> Never {
        let (next, isJSON) = unsafe (state.pointee.position + 1, state.pointee.isJSON)
        write(isJSON ? "{\"finding\":\"" : "FINDING     ")
        if unsafe state.pointee.isBeside {
            write("a page of the log's file is damaged: the tree's nodes, the index of streams or the idempotency keys cannot be read")
            write(isJSON ? "\",\"first_bad_sequence\":null" : "\n")
        } else {
            write("a page of the log's file is damaged: event ")
            write(next)
            write(" or one of the 255 after it cannot be read")
            write(isJSON ? "\",\"first_bad_sequence\":" : "\n")
            if isJSON { write(next) }
        }
        if isJSON { write(",\"intact\":false,\"kind\":\"pages\"}\n") }
        _exit(ExitStatus.checkFailed.rawValue)
    }

    private static func write(_ text: StaticString) { _ = unsafe Glibc.write(1, text.utf8Start, text.utf8CodeUnitCount) }

    private static func write(_ number: UInt64) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var (rest, first) = (number, 20)
        repeat {
            first -= 1
            digits[first] = 0x30 + UInt8(rest % 10)
            rest /= 10
        } while rest > 0
        unsafe digits.span.extracting(first..<20).withUnsafeBytes { bytes in _ = unsafe Glibc.write(1, bytes.baseAddress, bytes.count) }
    }
}

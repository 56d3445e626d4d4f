import Glibc

/// Memory that is filled to the end and read all over: in large pages if it is large, as each page of a replay's hundred megabytes
/// costs a fault, and each place in one a walk through the page tables. Released with `free`.
enum LargeMemory {
    private static let pageBytes = 2 << 20

    /// By how much memory that is full grows: what is not filled of a large one costs nothing, and moving it does.
    static func growth(from byteCount: Int) -> Int { byteCount >= pageBytes ? 16 : 2 }

    @unsafe static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        guard byteCount >= 2 * pageBytes, let memory = unsafe aligned_alloc(pageBytes, byteCount) else {
            guard let memory = unsafe malloc(byteCount) else { preconditionFailure("no memory for \(byteCount) bytes of rows") }
            return unsafe memory
        }
        // A wish: without it the pages are small ones.
        _ = unsafe madvise(memory, byteCount, MADV_HUGEPAGE)
        return unsafe memory
    }
}

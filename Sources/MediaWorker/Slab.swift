internal import CShims

/// A fixed number of places for values that cannot be copied, reached by index and changed in place.
///
/// The standard collections hold only copyable values; a class for each session would cost two atomic
/// operations for each packet.
@safe struct Slab<Element: ~Copyable>: ~Copyable {
    let capacity: Int
    private let places: UnsafeMutablePointer<Element>
    private var occupied: [Bool]
    private var free: [Int]

    init(capacity: Int) {
        self.capacity = capacity
        unsafe places = .allocate(capacity: capacity)
        occupied = Array(repeating: false, count: capacity)
        free = Array((0..<capacity).reversed())
    }

    deinit {
        for index in 0..<capacity where occupied[index] { unsafe (places + index).deinitialize(count: 1) }
        unsafe places.deallocate()
    }

    var count: Int { capacity - free.count }

    func holds(_ index: Int) -> Bool { index >= 0 && index < capacity && occupied[index] }

    /// - Precondition: a place is free (`count < capacity`).
    mutating func insert(_ element: consuming Element) -> Int {
        precondition(!free.isEmpty)
        let index = free.removeLast()
        unsafe (places + index).initialize(to: element)
        occupied[index] = true
        return index
    }

    /// - Precondition: the place is held.
    mutating func remove(at index: Int) -> Element {
        precondition(holds(index))
        occupied[index] = false
        free.append(index)
        return unsafe (places + index).move()
    }

    /// Asks the processor for an element ahead of its use.
    func prefetch(_ index: Int) {
        precondition(index >= 0 && index < capacity)
        let element = unsafe UnsafeRawPointer(places + index)
        for line in stride(from: 0, to: MemoryLayout<Element>.size, by: 64) { unsafe shims_prefetch(element + line) }
    }

    /// - Precondition: the place is held.
    mutating func withElement<Result: ~Copyable, Failure: Error>(
        at index: Int, _ body: (inout Element) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(holds(index))
        return try unsafe body(&places[index])
    }
}

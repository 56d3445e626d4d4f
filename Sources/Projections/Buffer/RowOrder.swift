/// Sorts rows by their keys, of which the first eight bytes decide nearly always.
enum RowOrder {
    struct Place {
        let word: UInt64
        let row: UInt32
    }

    /// Below this, counting digits costs more than it saves.
    private static let radixMin = 256

    /// - Parameters:
    ///   - isBefore: of two rows, by all of their keys.
    ///   - touch: told some time ahead which row will be looked at.
    static func sort(_ places: inout [Place], _ isBefore: (UInt32, UInt32) -> Bool, touch: (UInt32) -> Void) {
        guard places.count >= radixMin else {
            places.sort { l, r in l.word != r.word ? l.word < r.word : isBefore(l.row, r.row) }
            return
        }
        sortByWord(&places)
        var start = 0
        while start < places.count {
            var end = start + 1
            // Rows with one beginning nearly always came in their order, which the sort has kept.
            var isSorted = true
            while end < places.count, places[end].word == places[start].word {
                if end + 16 < places.count { touch(places[end + 16].row) }
                isSorted = isSorted && isBefore(places[end - 1].row, places[end].row)
                end += 1
            }
            if !isSorted { places[start..<end].sort { l, r in isBefore(l.row, r.row) } }
            start = end
        }
    }

    /// By digits of eleven bits from the last to the first, those that all share left out; keeps the order of equals.
    private static func sortByWord(_ places: inout [Place]) {
        var (all, none) = (UInt64.max, UInt64.zero)
        for place in places {
            all &= place.word
            none |= place.word
        }
        let differing = all ^ none
        var other = [Place](repeating: Place(word: 0, row: 0), count: places.count)
        var starts = [Int](repeating: 0, count: 1 << digitBits)
        var shift: UInt64 = 0
        while shift < 64 {
            if (differing >> shift) & digitMask != 0 {
                sort(places.span, by: shift, &starts, into: &other)
                swap(&places, &other)
            }
            shift += digitBits
        }
    }

    private static let digitBits: UInt64 = 11
    private static let digitMask: UInt64 = 1 << digitBits - 1

    private static func sort(_ places: Span<Place>, by shift: UInt64, _ starts: inout [Int], into other: inout [Place]) {
        for digit in starts.indices { starts[digit] = 0 }
        for index in places.indices { starts[Int((places[index].word >> shift) & digitMask)] += 1 }
        var start = 0
        for digit in starts.indices {
            let count = starts[digit]
            starts[digit] = start
            start += count
        }
        for index in places.indices {
            let digit = Int((places[index].word >> shift) & digitMask)
            other[starts[digit]] = places[index]
            starts[digit] += 1
        }
    }
}

/// Writes raw DEFLATE (RFC 1951) of short texts behind a preset dictionary, in one block of the fixed codes.
///
/// zlib reads the dictionary anew, clears its tables and plans codes for each text, which is most of its time for a few hundred bytes.
/// Here the dictionary's index is made once, and what was remembered of the last text is told by its round, so that nothing is
/// cleared. Any inflater with that dictionary reads it.
package final class ShortDeflate {
    /// Of a text: beyond this a match might lie further back than the window of whoever expands it.
    package let countMax: Int
    private static let hashBits: UInt32 = 12
    /// A shorter match takes as many bits as what it stands for.
    private static let matchMin = 4
    private static let matchMax = 258
    /// Candidates that are compared at a place.
    private static let tries = 16
    /// Such a match is taken without looking whether the next place has a longer one.
    private static let longEnough = 32

    private let dictionaryCount: Int
    /// The dictionary, and behind it the text.
    private var window: [UInt8]
    /// Of each hash, the last place in the dictionary, and of each place the one before it with the same hash; -1: there is none.
    private let dictionaryHeads: [Int16]
    private let dictionaryLinks: [Int16]
    /// The same of the text: round, then place.
    private var heads: [UInt32]
    private var links: [Int16]
    private var round: UInt32 = 0
    private let codes = FixedCodes()

    /// - Parameter windowBytes: of whoever expands.
    package init(dictionary: [UInt8], windowBytes: Int = PresetDeflate.windowBytes) {
        precondition(windowBytes < 1 << 15 && dictionary.count + 64 < windowBytes)
        dictionaryCount = dictionary.count
        countMax = windowBytes - dictionary.count
        window = dictionary + [UInt8](repeating: 0, count: countMax + 8)
        heads = [UInt32](repeating: 0, count: 1 << Self.hashBits)
        links = [Int16](repeating: -1, count: windowBytes)
        var first = [Int16](repeating: -1, count: 1 << Self.hashBits)
        var before = [Int16](repeating: -1, count: dictionary.count)
        for place in 0..<max(0, dictionary.count - Self.matchMin + 1) {
            let hash = Self.hash(window, place)
            before[place] = first[hash]
            first[hash] = Int16(place)
        }
        (dictionaryHeads, dictionaryLinks) = (first, before)
    }

    /// nil unless the result has fewer bytes than `limit`.
    package func compressed(_ text: [UInt8], limit: Int) -> [UInt8]? {
        precondition(text.count <= countMax)
        let end = dictionaryCount + text.count
        for index in text.indices { window[dictionaryCount + index] = text[index] }
        beginRound()
        var writer = BitWriter(capacity: limit)
        writer.append(0b011, 3)  // the last block, of fixed codes
        var place = dictionaryCount
        var found = match(at: place, end)
        while place < end {
            guard found.count > 0 else {
                writer.append(codes.literals[Int(window[place])])
                place += 1
                found = match(at: place, end)
                guard writer.count < limit else { return nil }
                continue
            }
            if found.count < Self.longEnough {
                let next = match(at: place + 1, end)
                if next.count > found.count {
                    writer.append(codes.literals[Int(window[place])])
                    place += 1
                    found = next
                    continue
                }
                for skipped in place + 2..<max(place + 2, place + found.count) { remember(skipped, end) }
            } else {
                for skipped in place + 1..<place + found.count { remember(skipped, end) }
            }
            writer.append(codes.lengths[found.count])
            writer.append(FixedCodes.distance(found.distance))
            place += found.count
            found = match(at: place, end)
            guard writer.count < limit else { return nil }
        }
        writer.append(0, 7)  // end of block
        let bytes = writer.finish()
        return bytes.count < limit ? bytes : nil
    }

    private func beginRound() {
        round += 1
        if round == 1 << 16 {
            round = 1
            for index in heads.indices { heads[index] = 0 }
        }
    }

    private static func hash(_ window: [UInt8], _ place: Int) -> Int {
        let word = UInt32(window[place]) | UInt32(window[place + 1]) << 8 | UInt32(window[place + 2]) << 16 | UInt32(window[place + 3]) << 24
        return Int((word &* 0x9E37_79B1) >> (32 - hashBits))
    }

    private func remember(_ place: Int, _ end: Int) {
        guard place + Self.matchMin <= end else { return }
        remember(place, hash: Self.hash(window, place))
    }

    private func remember(_ place: Int, hash: Int) {
        let head = heads[hash]
        links[place] = head >> 16 == round ? Int16(head & 0xFFFF) : -1
        heads[hash] = round << 16 | UInt32(place)
    }

    /// The longest text before `place` that begins alike, and puts the place among those that are found later. A count of 0: there is none.
    private func match(at place: Int, _ end: Int) -> (count: Int, distance: Int) {
        guard place + Self.matchMin <= end else { return (0, 0) }
        let hash = Self.hash(window, place)
        remember(place, hash: hash)
        let countMax = min(Self.matchMax, end - place)
        var best = (count: Self.matchMin - 1, distance: 0)
        var tries = Self.tries
        var candidate = Int(links[place])
        while candidate >= 0, tries > 0, best.count < countMax {
            tries -= 1
            compare(candidate, place, countMax, &best)
            candidate = Int(links[candidate])
        }
        candidate = Int(dictionaryHeads[hash])
        while candidate >= 0, tries > 0, best.count < countMax {
            tries -= 1
            compare(candidate, place, countMax, &best)
            candidate = Int(dictionaryLinks[candidate])
        }
        return best.distance == 0 ? (0, 0) : best
    }

    private func compare(_ candidate: Int, _ place: Int, _ countMax: Int, _ best: inout (count: Int, distance: Int)) {
        guard window[candidate + best.count] == window[place + best.count] else { return }
        var count = 0
        while count < countMax, window[candidate + count] == window[place + count] { count += 1 }
        if count > best.count { best = (count, place - candidate) }
    }
}

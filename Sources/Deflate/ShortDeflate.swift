/// Writes raw DEFLATE (RFC 1951) of short texts behind a preset dictionary, in one block of the fixed codes.
///
/// zlib reads the dictionary anew, clears its tables and plans codes for each text, which is most of its time for a few hundred bytes.
/// Here the dictionary's index is made once, and what was remembered of the last text is told by its round, so that nothing is
/// cleared. Any inflater with that dictionary reads it.
public final class ShortDeflate {
    /// Of a text: beyond this a match might lie further back than the window of whoever expands it.
    public let countMax: Int
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
    public init(dictionary: [UInt8], windowBytes: Int = PresetDeflate.windowBytes) {
        precondition(windowBytes < 1 << 15 && dictionary.count + 64 < windowBytes)
        dictionaryCount = dictionary.count
        countMax = windowBytes - dictionary.count
        window = dictionary + [UInt8](repeating: 0, count: countMax + 8)
        heads = [UInt32](repeating: 0, count: 1 << Self.hashBits)
        links = [Int16](repeating: -1, count: windowBytes)
        let start = dictionary + [UInt8](repeating: 0, count: 8)
        var first = [Int16](repeating: -1, count: 1 << Self.hashBits)
        var before = [Int16](repeating: -1, count: dictionary.count)
        for place in 0..<max(0, dictionary.count - Self.matchMin + 1) {
            let hash = Self.hash(start.span, place)
            before[place] = first[hash]
            first[hash] = Int16(place)
        }
        (dictionaryHeads, dictionaryLinks) = (first, before)
    }

    /// nil unless the result has fewer bytes than `limit`.
    public func compressed(_ text: [UInt8], limit: Int) -> [UInt8]? {
        precondition(text.count <= countMax)
        window.replaceSubrange(dictionaryCount..<dictionaryCount + text.count, with: text)
        beginRound()
        return Self.compressed(
            window, dictionaryCount..<dictionaryCount + text.count, limit, codes, dictionaryHeads, dictionaryLinks, round, &heads, &links)
    }

    /// Of what is in the window at `text`. The tables are handed over: as properties of an object each step would ask whether anybody else
    /// holds them.
    private static func compressed(
        _ window: [UInt8], _ text: Range<Int>, _ limit: Int, _ codes: FixedCodes, _ dictionaryHeads: [Int16], _ dictionaryLinks: [Int16],
        _ round: UInt32, _ heads: inout [UInt32], _ links: inout [Int16]
    ) -> [UInt8]? {
        let end = text.upperBound
        let window = window.span
        let (dictionaryHeads, dictionaryLinks) = (dictionaryHeads.span, dictionaryLinks.span)
        var heads = heads.mutableSpan
        var links = links.mutableSpan
        var writer = BitWriter(capacity: limit)
        writer.append(0b011, 3)  // the last block, of fixed codes
        var place = text.lowerBound
        var found = match(at: place, end, window, dictionaryHeads, dictionaryLinks, round, &heads, &links)
        while place < end {
            guard found.count > 0 else {
                writer.append(codes.literals[Int(window[place])])
                place += 1
                found = match(at: place, end, window, dictionaryHeads, dictionaryLinks, round, &heads, &links)
                guard writer.count < limit else { return nil }
                continue
            }
            if found.count < longEnough {
                let next = match(at: place + 1, end, window, dictionaryHeads, dictionaryLinks, round, &heads, &links)
                if next.count > found.count {
                    writer.append(codes.literals[Int(window[place])])
                    place += 1
                    found = next
                    continue
                }
                for skipped in place + 2..<max(place + 2, place + found.count) where skipped + matchMin <= end {
                    remember(skipped, hash: hash(window, skipped), round, &heads, &links)
                }
            } else {
                for skipped in place + 1..<place + found.count where skipped + matchMin <= end {
                    remember(skipped, hash: hash(window, skipped), round, &heads, &links)
                }
            }
            writer.append(codes.lengths[found.count])
            writer.append(FixedCodes.distance(found.distance))
            place += found.count
            found = match(at: place, end, window, dictionaryHeads, dictionaryLinks, round, &heads, &links)
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

    @inline(__always)
    private static func hash(_ window: Span<UInt8>, _ place: Int) -> Int {
        Int((window.word(at: place, UInt32.self) &* 0x9E37_79B1) >> (32 - hashBits))
    }

    @inline(__always)
    private static func remember(_ place: Int, hash: Int, _ round: UInt32, _ heads: inout MutableSpan<UInt32>, _ links: inout MutableSpan<Int16>) {
        let head = heads[hash]
        links[place] = head >> 16 == round ? Int16(head & 0xFFFF) : -1
        heads[hash] = round << 16 | UInt32(place)
    }

    /// The longest text before `place` that begins alike, and puts the place among those that are found later. A count of 0: there is none.
    private static func match(
        at place: Int, _ end: Int, _ window: Span<UInt8>, _ dictionaryHeads: Span<Int16>, _ dictionaryLinks: Span<Int16>, _ round: UInt32,
        _ heads: inout MutableSpan<UInt32>, _ links: inout MutableSpan<Int16>
    ) -> (count: Int, distance: Int) {
        guard place + matchMin <= end else { return (0, 0) }
        let hash = hash(window, place)
        remember(place, hash: hash, round, &heads, &links)
        let countMax = min(matchMax, end - place)
        var best = (count: matchMin - 1, distance: 0)
        var tries = Self.tries
        var candidate = Int(links[place])
        while candidate >= 0, tries > 0, best.count < countMax {
            tries -= 1
            compare(window, candidate, place, countMax, &best)
            candidate = Int(links[candidate])
        }
        candidate = Int(dictionaryHeads[hash])
        while candidate >= 0, tries > 0, best.count < countMax {
            tries -= 1
            compare(window, candidate, place, countMax, &best)
            candidate = Int(dictionaryLinks[candidate])
        }
        return best.distance == 0 ? (0, 0) : best
    }

    @inline(__always)
    private static func compare(_ window: Span<UInt8>, _ candidate: Int, _ place: Int, _ countMax: Int, _ best: inout (count: Int, distance: Int)) {
        guard window[candidate + best.count] == window[place + best.count] else { return }
        // Eight bytes at a look; the window goes on for eight behind the text.
        var count = 0
        while count < countMax {
            let difference = window.word(at: candidate + count, UInt64.self) ^ window.word(at: place + count, UInt64.self)
            guard difference == 0 else {
                count += difference.trailingZeroBitCount >> 3
                break
            }
            count += 8
        }
        count = min(count, countMax)
        if count > best.count { best = (count, place - candidate) }
    }
}

extension Span<UInt8> {
    /// The bytes from there on as a number, the first lowest.
    @inline(__always)
    fileprivate func word<Word: FixedWidthInteger & BitwiseCopyable>(at place: Int, _: Word.Type) -> Word {
        Word(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: place, as: Word.self))
    }
}

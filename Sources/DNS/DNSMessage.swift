internal import Primitives

/// Reads a DNS response (RFC 1035 §4). c-ares asks, and checks that an answer is one to its question; its own parsers of SRV and
/// NAPTR do not say for how long records may be kept, so these are read here.
struct DNSMessage {
    private let bytes: [UInt8]
    private var place = 0

    private struct Malformed: Error {}

    /// Without a time of its own an absence is kept for so long.
    private static let absenceSeconds: UInt32 = 30
    private static let absenceSecondsMax: UInt32 = 300
    private static let secondsMax: UInt32 = 86_400
    private static let recordsMax = 256

    /// The records of that type, wherever aliases lead.
    static func answer(to type: DNSType, in bytes: [UInt8]) -> DNSAnswer {
        var message = DNSMessage(bytes)
        do {
            return try message.read(type)
        } catch {
            return .failed(reason: "the answer of the server makes no sense")
        }
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    private mutating func read(_ type: DNSType) throws -> DNSAnswer {
        _ = try word()
        let flags = try word()
        let (questions, answers, authorities) = (try word(), try word(), try word())
        _ = try word()
        switch flags & 0x000F {
        case 0, 3: break
        case let code: return .failed(reason: "the server answers with code \(code)")
        }
        for _ in 0..<questions {
            _ = try name()
            _ = try take(4)
        }
        var records: [DNSRecord] = []
        var seconds = Self.secondsMax
        for _ in 0..<answers {
            let (kind, lifetime, end) = try head()
            if kind == 5 || kind == type.rawValue { seconds = min(seconds, lifetime) }
            if kind == type.rawValue, records.count < Self.recordsMax { records.append(try record(type, end)) }
            guard place <= end else { throw Malformed() }
            place = end
        }
        guard records.isEmpty else { return .records(records, seconds: seconds) }
        // RFC 2308 §5: the lesser of the record's own time and its last field.
        var absence = Self.absenceSeconds
        for _ in 0..<authorities {
            let (kind, lifetime, end) = try head()
            if kind == 6, end - place >= 20 {
                place = end - 4
                absence = min(lifetime, try long(), Self.absenceSecondsMax)
            }
            place = end
        }
        return .absent(seconds: absence)
    }

    /// - Returns: of a record, its type, its time, and where it ends.
    private mutating func head() throws -> (UInt16, UInt32, Int) {
        _ = try name()
        let kind = try word()
        _ = try word()
        let lifetime = try long()
        let length = Int(try word())
        guard place + length <= bytes.count else { throw Malformed() }
        // The first bit would make it negative (RFC 2181 §8).
        return (kind, lifetime > 0x7FFF_FFFF ? 0 : lifetime, place + length)
    }

    private mutating func record(_ type: DNSType, _ end: Int) throws -> DNSRecord {
        switch type {
        case .a:
            guard end - place == 4 else { throw Malformed() }
            return .address(.v4(try long()))
        case .aaaa:
            guard end - place == 16 else { throw Malformed() }
            return .address(.v6(try quad(), try quad()))
        case .srv:
            let (priority, weight, port) = (try word(), try word(), try word())
            return .server(priority: priority, weight: weight, port: port, target: try name())
        case .naptr:
            let (order, preference) = (try word(), try word())
            let (flags, service, _) = (try text(), try text(), try text())
            return .pointer(order: order, preference: preference, flags: flags.lowercased(), service: service.uppercased(), replacement: try name())
        }
    }

    // MARK: - pieces

    private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard place + count <= bytes.count else { throw Malformed() }
        defer { place += count }
        return bytes[place..<(place + count)]
    }

    private mutating func word() throws -> UInt16 { try take(2).reduce(0) { $0 << 8 | UInt16($1) } }
    private mutating func long() throws -> UInt32 { try take(4).reduce(0) { $0 << 8 | UInt32($1) } }
    private mutating func quad() throws -> UInt64 { try take(8).reduce(0) { $0 << 8 | UInt64($1) } }

    private mutating func text() throws -> String {
        guard let length = try take(1).first else { throw Malformed() }
        return String(decoding: try take(Int(length)), as: UTF8.self)
    }

    /// Labels, or a pointer to where they have stood before (RFC 1035 §4.1.4). Pointers lead backwards alone, so they end.
    private mutating func name() throws -> String {
        var labels: [String] = []
        var total = 0
        var (at, after, limit) = (place, Int?.none, place)
        while true {
            guard at < bytes.count else { throw Malformed() }
            let length = Int(bytes[at])
            switch length & 0xC0 {
            case 0 where length == 0:
                place = after ?? at + 1
                return labels.joined(separator: ".")
            case 0:
                total += length + 1
                guard at + 1 + length <= bytes.count, total <= 254 else { throw Malformed() }
                labels.append(String(decoding: bytes[(at + 1)..<(at + 1 + length)], as: UTF8.self).lowercased())
                at += 1 + length
            case 0xC0:
                guard at + 1 < bytes.count else { throw Malformed() }
                let target = (length & 0x3F) << 8 | Int(bytes[at + 1])
                guard target < limit else { throw Malformed() }
                if after == nil { after = at + 2 }
                (at, limit) = (target, target)
            default: throw Malformed()
            }
        }
    }
}

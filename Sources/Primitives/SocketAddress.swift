/// An IPv4 or IPv6 address and port as values: hashable, printable, free of C structures.
public struct SocketAddress: Hashable, Sendable {
    public enum Host: Hashable, Sendable {
        case v4(UInt32)
        case v6(UInt64, UInt64)

        /// What one customer of an access network has at least: an IPv4 address, or the 2^64 addresses of an IPv6 link (RFC 4291 §2.5.1), any
        /// of which it may send from.
        public var source: Host {
            switch self {
            case .v4: self
            case .v6(let network, _): .v6(network, 0)
            }
        }
    }
    public var host: Host
    public var port: UInt16

    public init(_ host: Host, port: UInt16) {
        self.host = host
        self.port = port
    }

    public var isV4: Bool {
        switch host {
        case .v4: true
        case .v6: false
        }
    }

    public static func loopback(_ port: UInt16) -> SocketAddress { SocketAddress(.v4(0x7F00_0001), port: port) }
}

extension SocketAddress: LosslessStringConvertible, CustomStringConvertible {
    /// `192.0.2.1:5060` or `[2001:db8::1]:5060`; literal addresses only.
    public init?(_ text: String) {
        guard let colon = text.utf8.lastIndex(of: 0x3A), let port = UInt16(text[text.utf8.index(after: colon)...]),
            let host = Host(String(text[..<colon]))
        else { return nil }
        if case .v6 = host, !text.hasPrefix("[") { return nil }
        self.init(host, port: port)
    }

    public var description: String {
        guard case .v4(let value) = host else { return "\(host):\(port)" }
        return ipv4Text(value, port: port)
    }
}

extension SocketAddress.Host: LosslessStringConvertible, CustomStringConvertible {
    /// A dotted IPv4 literal, or an IPv6 literal with or without brackets.
    public init?(_ text: String) {
        if let value = ipv4(text) {
            self = .v4(value)
        } else if text.utf8.contains(0x3A) {
            var body = Substring(text)
            if body.hasPrefix("["), body.hasSuffix("]") { body = body.dropFirst().dropLast() }
            guard let groups = ipv6Groups(body) else { return nil }
            func word(_ range: Range<Int>) -> UInt64 { groups[range].reduce(0) { $0 << 16 | UInt64($1) } }
            self = .v6(word(0..<4), word(4..<8))
        } else {
            return nil
        }
    }

    /// The literal without a port; IPv6 in brackets, as in a SIP or HTTP URI.
    public var description: String {
        switch self {
        case .v4(let value): ipv4Text(value)
        case .v6(let high, let low): "[" + ipv6Text(high, low) + "]"
        }
    }
}

// Byte by byte: addresses are read and written some dozen times in a call.
private func ipv4(_ text: String) -> UInt32? {
    let bytes = text.utf8.span
    guard (7...15).contains(bytes.count) else { return nil }
    var (value, part, digits, dots) = (UInt32(0), UInt32(0), 0, 0)
    for index in bytes.indices {
        let byte = bytes[index]
        if byte == 0x2E {
            guard digits > 0, dots < 3 else { return nil }
            (value, part, digits, dots) = (value << 8 | part, 0, 0, dots + 1)
        } else {
            guard byte &- 0x30 < 10, digits < 3 else { return nil }
            part = part * 10 + UInt32(byte &- 0x30)
            guard part <= 255 else { return nil }
            digits += 1
        }
    }
    guard dots == 3, digits > 0 else { return nil }
    return value << 8 | part
}

private func ipv4Text(_ value: UInt32, port: UInt16? = nil) -> String {
    unsafe String(unsafeUninitializedCapacity: 21) { out in
        var count = 0
        func put(_ byte: UInt8) {
            unsafe out[count] = byte
            count += 1
        }
        func put(decimal number: UInt32) {
            var divisor: UInt32 = 1
            while number / divisor >= 10 { divisor *= 10 }
            while divisor > 0 {
                put(0x30 + UInt8(truncatingIfNeeded: number / divisor % 10))
                divisor /= 10
            }
        }
        for shift in stride(from: UInt32(24), through: 0, by: -8) {
            put(decimal: value >> shift & 0xFF)
            if shift > 0 { put(0x2E) }
        }
        if let port {
            put(0x3A)
            put(decimal: UInt32(port))
        }
        return count
    }
}

private func ipv6Groups(_ text: Substring) -> [UInt16]? {
    func groups(_ part: Substring) -> [UInt16]? {
        if part.isEmpty { return [] }
        var result: [UInt16] = []
        let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
        for (index, piece) in pieces.enumerated() {
            if index == pieces.count - 1, piece.contains(".") {
                guard let tail = ipv4(String(piece)) else { return nil }
                result += [UInt16(tail >> 16), UInt16(tail & 0xFFFF)]
            } else {
                guard (1...4).contains(piece.utf8.count), !piece.hasPrefix("+"), let value = UInt16(piece, radix: 16)
                else { return nil }
                result.append(value)
            }
        }
        return result
    }
    guard let gap = text.firstRange(of: "::") else {
        guard let all = groups(text), all.count == 8 else { return nil }
        return all
    }
    guard let head = groups(text[..<gap.lowerBound]), let tail = groups(text[gap.upperBound...]),
        head.count + tail.count < 8
    else { return nil }
    return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
}

/// RFC 5952: lower case, the longest run of two or more zero groups written as `::`.
private func ipv6Text(_ high: UInt64, _ low: UInt64) -> String {
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - $0 % 4 * 16)) }
    var best = 0..<0
    var start = 0
    while start < 8 {
        var end = start
        while end < 8, groups[end] == 0 { end += 1 }
        if end - start > max(1, best.count) { best = start..<end }
        start = max(end, start + 1)
    }
    func text(_ range: Range<Int>) -> String {
        groups[range].map { String($0, radix: 16) }.joined(separator: ":")
    }
    return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
}

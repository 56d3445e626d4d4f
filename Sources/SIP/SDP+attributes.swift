extension SDP {
    /// Names of attributes that are looked for together.
    package struct AttributeNames: Sendable {
        /// By their first byte, so that most lines are passed over at one look.
        private var byFirst: [UInt8: [String]] = [:]
        private var firsts: (low: UInt64, high: UInt64) = (0, 0)

        package init(_ names: [String]) {
            for name in names {
                guard let first = name.utf8.first, first < 0x80 else { continue }
                byFirst[first, default: []].append(name)
                if first < 64 { firsts.low |= 1 << UInt64(first) } else { firsts.high |= 1 << UInt64(first - 64) }
            }
        }

        func contain(_ line: SDP.Line) -> Bool {
            guard line.type == "a", let first = line.value.utf8.first, first < 0x80,
                (first < 64 ? firsts.low >> UInt64(first) : firsts.high >> UInt64(first - 64)) & 1 == 1
            else { return false }
            return byFirst[first]?.contains { line.isAttribute($0) } == true
        }
    }
}

extension SDP.Line {
    var direction: SDP.Direction? {
        // `sendrecv`, `sendonly`, `recvonly`, `inactive`: all of eight letters.
        type == "a" && value.utf8.count == 8 ? SDP.Direction(rawValue: value) : nil
    }
}

extension [SDP.Line] {
    var direction: SDP.Direction? {
        for line in self {
            if let direction = line.direction { return direction }
        }
        return nil
    }
}

extension JSON {
    /// One line of UTF-8, members in their order.
    package var bytes: [UInt8] {
        var output: [UInt8] = []
        write(into: &output)
        return output
    }

    /// With line breaks and two spaces a level, for people.
    package var indented: String {
        var output: [UInt8] = []
        write(into: &output, indent: 0)
        return String(decoding: output, as: UTF8.self)
    }

    /// - Parameter indent: the level of the value; nil: everything on one line.
    private func write(into output: inout [UInt8], indent: Int? = nil) {
        switch self {
        case .null: output += "null".utf8
        case .bool(let flag): output += (flag ? "true" : "false").utf8
        case .number(let text): output += text.utf8
        case .string(let text): JSON.write(text, into: &output)
        case .array(let items):
            output.append(0x5B)
            for (index, item) in items.enumerated() {
                if index > 0 { output.append(0x2C) }
                JSON.breakLine(indent.map { $0 + 1 }, into: &output)
                item.write(into: &output, indent: indent.map { $0 + 1 })
            }
            if !items.isEmpty { JSON.breakLine(indent, into: &output) }
            output.append(0x5D)
        case .object(let members):
            output.append(0x7B)
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(0x2C) }
                JSON.breakLine(indent.map { $0 + 1 }, into: &output)
                JSON.write(member.name, into: &output)
                output += indent == nil ? [0x3A] : [0x3A, 0x20]
                member.value.write(into: &output, indent: indent.map { $0 + 1 })
            }
            if !members.isEmpty { JSON.breakLine(indent, into: &output) }
            output.append(0x7D)
        }
    }

    private static func breakLine(_ indent: Int?, into output: inout [UInt8]) {
        guard let indent else { return }
        output.append(0x0A)
        output += repeatElement(0x20, count: indent * 2)
    }

    private static func write(_ text: String, into output: inout [UInt8]) {
        output.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C: output += [0x5C, byte]
            case 0x0A: output += [0x5C, 0x6E]
            case 0x0D: output += [0x5C, 0x72]
            case 0x09: output += [0x5C, 0x74]
            case 0x00..<0x20:
                output += (byte < 0x10 ? "\\u000" : "\\u00").utf8
                output += String(byte, radix: 16).utf8
            default: output.append(byte)
            }
        }
        output.append(0x22)
    }
}

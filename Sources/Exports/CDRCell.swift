internal import Foundation
internal import Model
internal import Primitives

/// What stands in one column of one record, before it is known in which format it is written.
enum CDRCell {
    case empty
    /// From outside: what a caller dialled, what somebody typed. In CSV it can be guarded against spreadsheets.
    case text(String)
    /// From a fixed list of our own words, or made of hexadecimal digits.
    case word(String)
    case integer(UInt64)
    /// Millionths.
    case decimal(Int64)
    /// Microseconds since 1970; 0 is empty.
    case time(Int64)
    /// 16 bytes; else empty.
    case id(Data)
    /// JSON that is done.
    case json(String)

    /// As it stands in CSV, before quoting.
    var text: String {
        switch self {
        case .empty: ""
        case .text(let text), .word(let text), .json(let text): text
        case .integer(let number): String(number)
        case .decimal(let micros): Self.decimal(micros)
        case .time(let time): time == 0 ? "" : WallTime(microseconds: time).rfc3339
        case .id(let id): UUIDv7(bytes: id)?.description ?? ""
        }
    }

    /// As a value of JSON. Amounts are strings, so that no reader makes a binary fraction of them.
    var json: String {
        switch self {
        case .empty: "null"
        case .text(let text), .word(let text): Self.quoted(text)
        case .integer(let number): String(number)
        case .json(let json): json
        case .decimal, .time, .id: text.isEmpty ? "null" : Self.quoted(text)
        }
    }

    /// Two to six decimals.
    static func decimal(_ micros: Int64) -> String { Money.decimal(micros: micros) }

    /// A string of JSON (RFC 8259 §7).
    static func quoted(_ text: String) -> String {
        var out: [UInt8] = [0x22]
        for byte in text.utf8 {
            switch byte {
            case 0x22: out += [0x5C, 0x22]
            case 0x5C: out += [0x5C, 0x5C]
            case 0..<0x20: out += Array("\\u00".utf8) + Array(hex([byte]).utf8)
            default: out.append(byte)
            }
        }
        out.append(0x22)
        return String(decoding: out, as: UTF8.self)
    }
}

import Foundation
import Testing

@testable import SIP

/// The messages under `Tests/Fixtures/sip`: the folder is the list, and each has its expectation beside it.
struct Corpus {
    struct Entry: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        /// Lines that do not start with `#`.
        let expectation: [String]
        var testDescription: String { name }
    }

    static func entries(_ folder: String) -> [Entry] {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/sip/\(folder)")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        return names.filter { $0.hasSuffix(".sip") }.sorted().map { file in
            let name = String(file.dropLast(4))
            let bytes = (try? Data(contentsOf: directory.appendingPathComponent(file))).map { [UInt8]($0) } ?? []
            let text =
                (try? String(contentsOf: directory.appendingPathComponent(name + ".expect"), encoding: .utf8)) ?? ""
            let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
            return Entry(name: name, bytes: bytes, expectation: lines)
        }
    }
}

/// What a valid message was read as, one fact a line.
private func facts(_ message: SIPMessage) -> [String] {
    var facts: [String] = []
    switch message.start {
    case .request(let method, let uri): facts.append("request \(method) \(uri)")
    case .response(let status, let reason): facts.append("response \(status) \(reason)")
    }
    for via in message.vias { facts.append("via \(via.transport.name) \(via.host) \(via.branch ?? "-")") }
    facts.append("from \(message.from)")
    facts.append("to \(message.to)")
    facts.append("call-id \(message.callID)")
    facts.append("cseq \(message.cseq)")
    for contact in message.contacts { facts.append("contact \(contact)") }
    for field in message.headers.fields where field.name != .contact { facts.append("field \(field.name)") }
    facts.append("body \(message.body.count)")
    return facts
}

@Test(arguments: Corpus.entries("valid"))
func everyValidMessageIsReadAsItsFileSays(entry: Corpus.Entry) throws {
    let message = try SIPMessage(parsing: entry.bytes)
    #expect(facts(message) == entry.expectation, "\(facts(message).joined(separator: "\n"))")
}

@Test(arguments: Corpus.entries("valid"))
func everyValidMessageSurvivesBeingWrittenAndReadAgain(entry: Corpus.Entry) throws {
    let message = try SIPMessage(parsing: entry.bytes)
    #expect(try SIPMessage(parsing: message.bytes, framing: .stream) == message)
}

/// First line: the error. Second line: the status of the answer, or `silence`.
@Test(arguments: Corpus.entries("invalid"))
func everyInvalidMessageIsRefusedAsItsFileSays(entry: Corpus.Entry) throws {
    let error = try #require(throws: ParseError.self) { try SIPMessage(parsing: entry.bytes) }
    let answer = SIPMessage.rejection(of: entry.bytes, for: error)
    let status = answer.map { String(decoding: $0[8..<11], as: UTF8.self) } ?? "silence"
    #expect(["\(error)", status] == entry.expectation, "\(error)\n\(status)")
}

@Test func theCorpusIsThere() {
    #expect(Corpus.entries("valid").count >= 27)
    #expect(Corpus.entries("invalid").count >= 22)
}

package import Model

/// What DNS says of a domain's TXT record.
package enum DomainFinding: Equatable, Sendable {
    case proven
    /// For people: what is there instead.
    case missing(String)
}

extension Domain {
    /// Where the record is looked for. Not at the domain itself: there, records of mail and of others gather.
    package var recordName: String { "_ledgerline." + name }
    package var recordValue: String { "ledgerline-verification=" + token }

    /// - Parameter texts: of the TXT records at `recordName`.
    package func finding(in texts: [String]) -> DomainFinding {
        if texts.contains(recordValue) { return .proven }
        let shown = texts.prefix(3).map { "\"\($0.prefix(80))\"" }.joined(separator: ", ")
        return .missing(
            "\(recordName) has \(texts.count == 1 ? "a TXT record" : "\(texts.count) TXT records"), and none is \(recordValue): \(shown)")
    }

    package func missing(_ what: String) -> DomainFinding {
        .missing("\(what): set a TXT record at \(recordName) with \(recordValue)")
    }
}

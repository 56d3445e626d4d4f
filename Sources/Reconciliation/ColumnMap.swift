/// Which column of a statement says what: `called=B-Number,start=Date+Time,duration=Dur,amount=Cost`. A column is named as in
/// the header or by its number from 1.
package struct ColumnMap: Hashable, Sendable {
    package enum Role: String, Hashable, Sendable, CaseIterable {
        /// The number that was called.
        case called
        /// When the call began; date and time may stand in two columns, joined by a `+`.
        case start
        case duration
        /// What the carrier asks for the call; without it, only numbers, times and durations are compared.
        case amount
    }

    /// Columns counted from 0; two where date and time stand apart.
    package var columns: [Role: [Int]]
    package var durationUnit: DurationUnit

    /// - Parameter text: what the user wrote; empty: everything is guessed.
    package init(_ text: String, header: [String]?, durationUnit: DurationUnit?) throws(StatementError) {
        columns = [:]
        let names = header?.map(Self.plain) ?? []
        for part in text.split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, let role = Role(rawValue: Self.trimmed(sides[0])) else { throw .unknownRole(String(part)) }
            columns[role] = try Self.columns(Self.trimmed(sides[1]), names, header, isStart: role == .start)
        }
        for role in Role.allCases where columns[role] == nil {
            columns[role] = Self.guess(role, names, taken: Set(columns.values.flatMap(\.self)))
        }
        for role in [Role.called, .start, .duration] where columns[role] == nil {
            throw .noColumn(role, header: header ?? [])
        }
        let name = columns[.duration]?.first.flatMap { $0 < names.count ? names[$0] : nil } ?? ""
        self.durationUnit = durationUnit ?? (name.hasSuffix("minutes") || name.hasSuffix("mins") || name == "min" ? .minutes
            : name.hasSuffix("ms") || name.hasSuffix("milliseconds") || name.hasSuffix("msec") ? .milliseconds : .seconds)
    }

    private static func columns(
        _ text: String, _ names: [String], _ header: [String]?, isStart: Bool
    ) throws(StatementError) -> [Int] {
        if let column = column(text, names) { return [column] }
        if isStart {
            let parts = text.split(separator: "+").map { trimmed($0) }
            let found = parts.compactMap { column($0, names) }
            if parts.count == 2, found.count == 2 { return found }
        }
        throw .noSuchColumn(text, header: header ?? [])
    }

    private static func column(_ text: String, _ names: [String]) -> Int? {
        if let index = names.firstIndex(of: plain(text)), !plain(text).isEmpty { return index }
        guard let number = Int(text), number >= 1 else { return nil }
        return number - 1
    }

    /// What carriers call their columns, most telling first, in letters and digits alone.
    private static func names(of role: Role) -> [String] {
        switch role {
        case .called:
            [
                "called", "callednumber", "calledparty", "callednum", "bnumber", "bparty", "bnum", "dialednumber", "diallednumber", "dialed",
                "dialled", "callee", "calleenumber", "dnis", "destinationnumber", "dst", "dstnumber", "cld", "cldout", "cldin", "tonumber", "to",
                "termnumber", "terminatingnumber", "phonenumber", "number", "zielrufnummer", "zielnummer", "rufnummer", "numeroappele", "destination",
            ]
        case .start:
            [
                "start", "starttime", "callstart", "starttimeutc", "startutc", "setuptime", "connecttime", "connecttimeutc", "answertime", "answeredat",
                "begin", "begintime", "calldate", "calldatetime", "calltime", "datetime", "timestamp", "startdate", "startedat", "eventtime", "beginn",
                "startzeit", "date", "datum", "time",
            ]
        case .duration:
            [
                "billedduration", "billsec", "billableseconds", "chargedduration", "chargeduration", "billeddurationsec", "duration", "dur",
                "durationsec", "durationsecs", "durations", "durationseconds", "callduration", "talktime", "seconds", "secs", "sec", "minutes", "mins",
                "durationmin", "durationminutes", "durationms", "dauer",
            ]
        case .amount:
            [
                "amount", "cost", "charge", "charged", "chargedamount", "totalcost", "callcost", "price", "totalprice", "total", "netamount", "net",
                "value", "fee", "betrag", "kosten", "montant", "importe",
            ]
        }
    }

    private static func guess(_ role: Role, _ names: [String], taken: Set<Int>) -> [Int]? {
        for wanted in Self.names(of: role) {
            guard let index = names.firstIndex(of: wanted), !taken.contains(index) else { continue }
            guard role == .start, ["date", "calldate", "startdate", "datum"].contains(wanted) else { return [index] }
            // A date beside a time of day.
            if let time = names.firstIndex(where: { ["time", "calltime", "starttime", "uhrzeit", "zeit"].contains($0) }), time != index {
                return [index, time]
            }
            return [index]
        }
        return nil
    }

    /// Letters and digits in lower case: `B-Number` and `b_number` are the same.
    private static func plain(_ text: String) -> String {
        String(text.lowercased().unicodeScalars.filter { ("a"..."z").contains($0) || ("0"..."9").contains($0) })
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text = text.dropFirst() }
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }
}

/// What a column of a price list may be, and the names that files give it.
enum DeckColumn: CaseIterable {
    case prefix, pattern, destination, connectionFee, perMinute, firstPerMinute, increments, firstIncrement, nextIncrement, minimum,
        freeDelay, freeSeconds, feeDeductible, exact, band, currency, effective

    /// Letters and digits alone, in lower case. The first is ours.
    var names: [String] {
        switch self {
        case .prefix: ["prefix", "code", "dialcode", "destinationprefix", "areacode", "dstprefix", "breakout"]
        case .pattern: ["pattern", "regex", "regexp", "expression"]
        case .destination: ["destination", "name", "description", "destinationname", "zone", "country", "destinationrate"]
        case .connectionFee: ["connectionfee", "connectfee", "connectioncharge", "setupfee", "setupcharge", "connectcost"]
        case .perMinute: ["perminute", "rate", "price", "cost", "rateperminute", "priceperminute", "perminuterate", "permin", "ratemin", "pricemin"]
        case .firstPerMinute: ["firstperminute", "firstrateperminute", "initialrateperminute"]
        case .increments: ["increments", "billingincrement", "billingincrements", "interval", "rounding"]
        case .firstIncrement: ["firstincrementseconds", "firstincrement", "firstinterval", "initialinterval", "initinterval", "interval1", "initialincrement"]
        case .nextIncrement: ["nextincrementseconds", "nextincrement", "nextinterval", "followinterval", "intervaln", "increment", "rateincrement", "subsequentincrement", "chargeperiod"]
        case .minimum: ["minimumseconds", "minimum", "minimumduration", "minduration", "mintime"]
        case .freeDelay: ["freedelayseconds", "freedelay", "delay"]
        case .freeSeconds: ["freeseconds", "intervalstart", "groupintervalstart", "graceperiod"]
        case .feeDeductible: ["isfeedeductible", "feedeductible", "deductible", "deductibleconnectionfee"]
        case .exact: ["isexact", "exact"]
        case .band: ["band", "timeband", "period", "peak"]
        case .currency: ["currency", "cur"]
        case .effective: ["effective", "effectiveat", "effectivedate", "effectivefrom", "validfrom", "startdate"]
        }
    }

    /// `Rate (EUR/min)` is `rate`, and says EUR.
    static func parse(_ header: String) -> (name: String, column: DeckColumn?, currency: String?) {
        var name = ""
        var depth = 0
        var aside = ""
        for scalar in header.unicodeScalars {
            if scalar == "(" || scalar == "[" { depth += 1; continue }
            if scalar == ")" || scalar == "]" { depth -= 1; aside += " "; continue }
            if depth > 0 { aside.unicodeScalars.append(scalar) } else if scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
                name += String(scalar).lowercased()
            }
        }
        let words = aside.split { !$0.isLetter }
        let currency = words.first { $0.utf8.count == 3 && $0.utf8.allSatisfy { (0x41...0x5A).contains($0) } }
        return (name, allCases.first { $0.names.contains(name) }, currency.map(String.init))
    }
}

internal import Foundation
internal import Model
internal import Primitives

/// The CSV files of IvozProvider: what its code writes for a brand and for a client, and what its manual lists. Times are those of
/// the export's zone. A correction is a row of its own: its call id ends in `#correction-` and its number, its duration is 0.
struct IvozLayout {
    enum Kind: Sendable {
        case brand, client, documented
    }

    let kind: Kind
    private var clock: CivilTime

    init(_ kind: Kind, timeZone: String) {
        self.kind = kind
        clock = CivilTime(zone: timeZone)
    }

    /// Fields with text from outside.
    static let typed: Set<String> = ["callid", "caller", "callee", "endpointName", "company", "carrierName", "ratingPlanName", "destinationName", "ddi"]

    var fields: [String] {
        switch kind {
        case .brand:
            [
                "callid", "startTime", "direction", "caller", "callee", "duration", "price", "endpointType", "endpointId", "endpointName",
                "company", "cost", "carrier", "ddiProvider", "carrierName", "ratingPlanName", "destinationName", "ddi", "userId", "faxId",
                "friendId",
            ]
        case .client:
            [
                "callid", "startTime", "direction", "caller", "callee", "duration", "price", "ddi", "endpointType", "endpointId",
                "endpointName", "userId", "faxId", "friendId",
            ]
        case .documented:
            [
                "callid", "startTime", "duration", "caller", "callee", "cost", "price", "endpointType", "endpointId", "endpointName",
                "direction", "companyId", "carrierId", "ddiProviderId", "ddiId",
            ]
        }
    }

    mutating func row(_ record: ExportRecord, _ names: ExportNames) -> [String] {
        let values = values(record, names)
        return fields.map { values[$0] ?? "" }
    }

    private mutating func values(_ record: ExportRecord, _ names: ExportNames) -> [String: String] {
        let row = CDRRow(record, number: 0)
        let cdr = row.cdr
        // IvozProvider bills calls in and out; whoever is on our side of one is its endpoint.
        let isInbound = cdr.direction == .inbound
        let own = isInbound ? cdr.called : cdr.caller
        let outside = isInbound ? cdr.caller : cdr.called
        let retail = row.charge("retail")
        let carrierID = row.charge("carrier").map(\.payee.ownerID) ?? outside.carrierID
        let carrier = CDRCell.id(carrierID).text
        let subscriber = CDRCell.id(own.subscriberID).text
        let milliseconds = row.correction == nil ? cdr.durationMs : 0
        var values: [String: String] = [:]
        values["callid"] = cdr.sipCallID + (row.correction.map { "#correction-\($0.number)" } ?? "")
        values["startTime"] = clock.text(cdr.startedAt)
        values["direction"] = isInbound ? "inbound" : "outbound"
        values["caller"] = cdr.caller.number
        values["callee"] = cdr.calledE164.isEmpty ? cdr.called.number : cdr.calledE164
        values["duration"] = CDRCell.decimal(Int64(clamping: milliseconds) &* 1_000)
        values["price"] = row.amount("retail").map(CDRCell.decimal) ?? ""
        values["cost"] = (row.amount("carrier") ?? row.amount("wholesale")).map(CDRCell.decimal) ?? ""
        values["endpointType"] = subscriber.isEmpty ? "" : "User"
        values["endpointId"] = subscriber
        values["userId"] = subscriber
        values["endpointName"] = names.subscribers[own.subscriberID].map { $0.displayName.isEmpty ? $0.username : $0.displayName } ?? ""
        values["company"] = names.customers[own.customerID]?.name ?? ""
        values["companyId"] = CDRCell.id(own.customerID).text
        values[isInbound ? "ddiProvider" : "carrier"] = carrier
        values[isInbound ? "ddiProviderId" : "carrierId"] = carrier
        values["carrierName"] = names.carriers[carrierID]?.name ?? ""
        values["ratingPlanName"] = retail.flatMap { names.decks[$0.deckID]?.name } ?? ""
        values["destinationName"] = retail?.entry.destination ?? ""
        values["ddi"] = names.numbers[own.number]?.e164 ?? ""
        values["ddiId"] = names.numbers[own.number].map { CDRCell.id($0.id).text } ?? ""
        return values
    }
}

internal import Foundation
internal import Model
internal import OpenSSL
internal import Primitives

/// The CDR file of Sipwise C5: a header with version and count, rows quoted with apostrophes, a footer with the MD5 of all before it.
///
/// Costs are in hundredths of the currency's unit with six decimals. A correction is a row of its own: its id begins with `c`, its
/// duration is 0, its costs are the differences.
struct SipwiseLayout {
    static let version = "007"

    let isReseller: Bool
    private var clock: CivilTime

    init(isReseller: Bool, timeZone: String) {
        self.isReseller = isReseller
        clock = CivilTime(zone: timeZone)
    }

    /// Every field of the operator's file, in order. A reseller's file leaves out what the flag marks: carriers' and resellers' money.
    static let fields: [(name: String, isOperatorsOnly: Bool)] = [
        ("id", false), ("update_time", false), ("source_user_id", false), ("source_provider_id", false),
        ("source_external_subscriber_id", false), ("source_subscriber_id", false), ("source_external_contract_id", false),
        ("source_account_id", false), ("source_user", false), ("source_domain", false), ("source_cli", false), ("source_clir", false),
        ("source_ip", false), ("destination_user_id", false), ("destination_provider_id", false),
        ("destination_external_subscriber_id", false), ("destination_subscriber_id", false),
        ("destination_external_contract_id", false), ("destination_account_id", false), ("destination_user", false),
        ("destination_domain", false), ("destination_user_in", false), ("destination_domain_in", false),
        ("destination_user_dialed", false), ("peer_auth_user", false), ("peer_auth_realm", false), ("call_type", false),
        ("call_status", false), ("call_code", false), ("init_time", false), ("start_time", false), ("duration", false), ("call_id", false),
        ("rating_status", false), ("rated_at", false), ("source_carrier_cost", true), ("source_customer_cost", false),
        ("source_carrier_zone", true), ("source_customer_zone", false), ("source_carrier_detail", true), ("source_customer_detail", false),
        ("source_carrier_free_time", true), ("source_customer_free_time", false), ("destination_carrier_cost", true),
        ("destination_customer_cost", false), ("destination_carrier_zone", true), ("destination_customer_zone", false),
        ("destination_carrier_detail", true), ("destination_customer_detail", false), ("destination_carrier_free_time", true),
        ("destination_customer_free_time", false), ("source_reseller_cost", true), ("source_reseller_zone", true),
        ("source_reseller_detail", true), ("source_reseller_free_time", true), ("destination_reseller_cost", true),
        ("destination_reseller_zone", true), ("destination_reseller_detail", true), ("destination_reseller_free_time", true),
    ]

    mutating func row(_ record: ExportRecord, _ names: ExportNames) -> [String] {
        let cdr = record.cdr
        var (id, duration, charges) = (String(cdr.number), cdr.durationMs, cdr.charges)
        var updated = cdr.endedAt
        if case .correction(let correction, _) = record {
            (id, duration, charges, updated) = ("c\(correction.number)", 0, correction.charges, correction.at)
        }
        let update = String(clock.text(updated))
        // A call in from outside is paid by the side that is called.
        // Units that a correction moved are no units of the call's once more.
        if case .correction = record { for index in charges.indices { charges[index].allowances = [] } }
        let payers = Payers(cdr, charges)
        var all = [id, update]
        all += side(cdr.caller, names) + [cdr.caller.number, cdr.isAnonymous ? "1" : "0", ""]
        all += side(cdr.called, names) + [cdr.calledE164.isEmpty ? cdr.dialled : cdr.calledE164, domain(cdr.called, names), cdr.dialled]
        all += ["", "", "call", Self.status(cdr), String(cdr.sipStatus), clock.text(cdr.startedAt, milliseconds: true)]
        all += [clock.text(cdr.answeredAt == 0 ? cdr.endedAt : cdr.answeredAt, milliseconds: true), Self.seconds(duration), cdr.sipCallID]
        all += ["ok", update]
        let source = (payers.source("carrier"), payers.source("retail"), payers.source("wholesale"))
        let destination = (payers.destination("carrier"), payers.destination("retail"), payers.destination("wholesale"))
        for (carrier, customer, _) in [source, destination] {
            all += [carrier.cost, customer.cost, carrier.zone, customer.zone, carrier.detail, customer.detail, "0", customer.freeTime]
        }
        for (_, _, reseller) in [source, destination] { all += [reseller.cost, reseller.zone, reseller.detail, "0"] }
        return isReseller ? zip(Self.fields, all).filter { !$0.0.isOperatorsOnly }.map(\.1) : all
    }

    func bytes(_ records: [ExportRecord], _ names: ExportNames) -> [UInt8] {
        var layout = self
        let count = String(records.count)
        var bytes = Array("\(Self.version),\(String(repeating: "0", count: max(0, 4 - count.count)))\(count)\n".utf8)
        for record in records {
            for (index, field) in layout.row(record, names).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.quote(field, into: &bytes)
            }
            bytes.append(0x0A)
        }
        return bytes + Array((hex(Hash.md5(bytes)) + "\n").utf8)
    }

    /// A line of the file is a record, so what would end it is a space.
    private static func quote(_ field: String, into bytes: inout [UInt8]) {
        bytes.append(0x27)
        for byte in field.utf8 {
            if byte == 0x27 || byte == 0x5C { bytes.append(0x5C) }
            bytes.append(byte == 0x0A || byte == 0x0D ? 0x20 : byte)
        }
        bytes.append(0x27)
    }

    /// user_id, provider_id, external_subscriber_id, subscriber_id, external_contract_id, account_id, user, domain.
    private func side(_ party: CallParty, _ names: ExportNames) -> [String] {
        let subscriber = CDRCell.id(party.subscriberID).text
        let provider = CDRCell.id(party.subscriberID.isEmpty ? party.carrierID : party.providerID).text
        return [
            subscriber.isEmpty ? "0" : subscriber, provider, "", subscriber, names.customers[party.customerID]?.externalID ?? "",
            CDRCell.id(party.customerID).text, names.subscribers[party.subscriberID]?.username ?? party.number, domain(party, names),
        ]
    }

    private func domain(_ party: CallParty, _ names: ExportNames) -> String { names.tenants[party.tenantID]?.domain ?? "" }

    private static func status(_ cdr: Cdr) -> String {
        if cdr.answeredAt != 0 { return "ok" }
        return switch cdr.cause {
        case .busy: "busy"
        case .noAnswer: "noanswer"
        case .cancelled: "cancel"
        case .unreachable: "offline"
        case .mediaTimeout, .sessionExpired: "timeout"
        case .unspecified, .callerHungUp, .calledHungUp, .rejected, .refused, .creditExhausted, .workerLost, .operator, .failed,
            .UNRECOGNIZED:
            "other"
        }
    }

    private static func seconds(_ milliseconds: UInt64) -> String {
        let rest = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }
}

/// Which side of a call pays what.
private struct Payers {
    struct Figure {
        var cost = "0.000000"
        var zone = ""
        var detail = ""
        var freeTime = "0"
    }

    private let charges: [Charge]
    private let isPaidByCalled: Bool

    init(_ cdr: Cdr, _ charges: [Charge]) {
        self.charges = charges
        isPaidByCalled = cdr.direction == .inbound
    }

    func source(_ edge: String) -> Figure { isPaidByCalled ? Figure() : figure(edge) }
    func destination(_ edge: String) -> Figure { isPaidByCalled ? figure(edge) : Figure() }

    private func figure(_ edge: String) -> Figure {
        var micros: Int64 = 0
        var seconds: UInt64 = 0
        var figure = Figure()
        for charge in charges where charge.edge == edge {
            micros = micros &+ charge.amountMicros
            seconds += charge.allowances.reduce(0) { $0 + UInt64($1.seconds) }
            if figure.zone.isEmpty { (figure.zone, figure.detail) = (charge.entry.destination, charge.entry.prefix) }
        }
        figure.freeTime = String(seconds)
        // Hundredths with six decimals: a millionth is 0.000100 of them.
        let magnitude = micros.magnitude
        let fraction = String(magnitude % 10_000)
        figure.cost = "\(micros < 0 ? "-" : "")\(magnitude / 10_000)." + String(repeating: "0", count: 4 - fraction.count) + fraction + "00"
        return figure
    }
}

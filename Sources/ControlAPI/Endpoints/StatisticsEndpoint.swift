import ControlPlane
import Foundation
import HTTPTypes
import Model
import PhoneNumbers
import Primitives
import Projections

/// Figures of calls: how many were tried and answered, how long they were, how soon they rang.
enum StatisticsEndpoint {
    private static let dimensionsMax = 3
    private static let filters: [(name: String, kind: EntityKind?, dimension: CallStatistics.Dimension, about: String)] = [
        ("provider_id", .provider, .provider, "Only calls of this provider's own customers."),
        ("customer_id", .customer, .customer, "Only calls of this customer."),
        ("tenant_id", .tenant, .tenant, "Only calls of this tenant."),
        ("carrier_id", .carrier, .carrier, "Only attempts at this carrier, and calls from it."),
        ("gateway_id", nil, .gateway, "Only attempts at this gateway, and calls from it."),
    ]

    static let operations = [
        Operation(
            method: .get, path: "/v1/statistics", name: "getStatistics", tag: "cdrs",
            summary: "ASR, NER, ACD and post-dial delay (ITU-T E.411) of the calls that came in during a time, by up to three dimensions. "
                + "By carrier or gateway every attempt counts, else every call.",
            access: .needs(.readRecords),
            query: filters.map { QueryParameter($0.name, .id, $0.about) } + [
                QueryParameter("from", .time, "Calls that came in then or later."),
                QueryParameter("to", .time, "Calls that came in before."),
                QueryParameter("by", .text, "Up to three of " + CallStatistics.Dimension.allCases.map(\.rawValue).joined(separator: ", ") + ", with commas; none: one sum."),
                QueryParameter("direction", .choice(CallDirection.literals), "Only calls of this direction."),
                QueryParameter("prefix_digits", .number(1...7), "How many digits a prefix has; 4 if it is not given."),
            ],
            success: .init(status: .ok, about: "The groups, in the order of their values.", schema: Schema.reference("CallStatistics")),
            handle: { try statistics($0) })
    ]

    static let schemas: [(String, JSON)] = [
        (
            "CallStatistics",
            Schema.object(
                [
                    ("by", Schema.list(Schema.choice(CallStatistics.Dimension.allCases.map(\.rawValue)))), ("counts", Schema.choice(["calls", "attempts"])),
                    ("groups", Schema.list(Schema.reference("CallStatisticsGroup"))),
                ], required: ["by", "counts", "groups"])
        ),
        (
            "CallStatisticsGroup",
            Schema.object(
                [
                    ("values", Schema.list(Schema.orNull(Schema.text(max: 64)))), ("names", Schema.list(Schema.orNull(Schema.text(max: 128)))),
                    ("calls", Schema.sequence), ("seizures", Schema.sequence), ("answered", Schema.sequence), ("busy", Schema.sequence),
                    ("no_answer", Schema.sequence), ("rejected", Schema.sequence), ("cancelled", Schema.sequence), ("failed", Schema.sequence),
                    ("refused", Schema.sequence), ("asr", Schema.orNull(Schema.decimal)), ("ner", Schema.orNull(Schema.decimal)),
                    ("acd_seconds", Schema.orNull(Schema.decimal)), ("talk_seconds", Schema.decimal), ("pdd_milliseconds", Schema.orNull(Schema.reference("PostDialDelay"))),
                ],
                required: [
                    "values", "names", "calls", "seizures", "answered", "busy", "no_answer", "rejected", "cancelled", "failed", "refused", "asr", "ner",
                    "acd_seconds", "talk_seconds", "pdd_milliseconds",
                ])
        ),
        (
            "PostDialDelay",
            Schema.object(
                [("mean", Schema.sequence), ("p50", Schema.sequence), ("p95", Schema.sequence), ("p99", Schema.sequence)],
                required: ["mean", "p50", "p95", "p99"])
        ),
    ]

    private static func statistics(_ exchange: Exchange) throws -> Reply {
        let reach = try exchange.reach
        return try exchange.read { views in
            var question = CallStatistics.Question()
            question.by = try dimensions(exchange.query)
            if let from = exchange.query.time("from") { question.from = from }
            if let to = exchange.query.time("to") { question.to = to }
            if let digits = exchange.query.number("prefix_digits") { question.prefixDigits = Int(digits) }
            question.country = { digits in
                guard let code = DestinationCountry.region(ofPrefix: digits)?.code else { return 0 }
                return code.utf8.reduce(0) { $0 << 8 | UInt32($1) }
            }
            let redaction = try Redaction(reach, in: views)
            try narrow(&question, exchange, redaction, in: views)
            question.countsAttempts = (question.by + question.only.map(\.dimension)).contains { $0 == .carrier || $0 == .gateway }
            guard redaction.isProvider || !question.countsAttempts else {
                throw fault("by", "carriers and gateways are shown to providers")
            }
            let answer: CallStatistics
            do throws(StatisticsError) {
                answer = try views.statistics(question)
            } catch .tooManyGroups(let max) {
                throw fault("by", "more than \(max) groups: ask for fewer dimensions or a shorter time")
            } catch .views(let error) {
                throw error
            }
            let names = try Names(answer, question.by, in: views)
            return .ok([
                "by": .array(question.by.map { .string($0.rawValue) }), "counts": .string(question.countsAttempts ? "attempts" : "calls"),
                "groups": .array(answer.groups.map { json($0, question.by, names) }),
            ])
        }
    }

    private static func dimensions(_ query: Query) throws -> [CallStatistics.Dimension] {
        let words = (query.text("by") ?? "").split(separator: ",").map(String.init)
        guard words.count <= dimensionsMax, Set(words).count == words.count else { throw fault("by", "at most three, each once") }
        return try words.map { word in
            guard let dimension = CallStatistics.Dimension(rawValue: word) else {
                throw fault("by", "must be of " + CallStatistics.Dimension.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return dimension
        }
    }

    /// To what is asked for, and to what the token reaches.
    private static func narrow(
        _ question: inout CallStatistics.Question, _ exchange: Exchange, _ redaction: Redaction, in views: borrowing ViewSnapshot
    ) throws {
        for (name, kind, dimension, _) in filters {
            guard let id = exchange.query.id(name) else { continue }
            if let kind {
                guard let place = try views.place(of: kind, id), redaction.reach.holds(place) else { throw fault(name, "names nothing that is there for you") }
            }
            // Code 0 is nobody's as a party; numbers begin with 1.
            question.only.append((dimension, [try views.statisticsCode(of: id) ?? .max]))
        }
        if let direction = exchange.query.text("direction"), let found = CallDirection.allCases.first(where: { $0.literal == direction }) {
            question.only.append((.direction, [UInt32(found.rawValue)]))
        }
        switch redaction.reach {
        case .platform: break
        case .provider(let id):
            var codes: Set<UInt32> = []
            for provider in try views.subtree(of: id) {
                if let code = try views.statisticsCode(of: provider) { codes.insert(code) }
            }
            question.only.append((.provider, codes))
        case .customer(let id): question.only.append((.customer, [try views.statisticsCode(of: id.value) ?? .max]))
        case .tenant(let id): question.only.append((.tenant, [try views.statisticsCode(of: id.value) ?? .max]))
        case .subscriber: throw Problem(.badRequest, "Statistics are of a tenant at least: a line sees its records.")
        }
    }

    private static func fault(_ parameter: String, _ reason: String) -> Problem {
        Problem(.badRequest, "Some query parameters cannot be accepted.", faults: [FieldFault(.parameter(parameter), reason)])
    }

    // MARK: - JSON

    /// The parties that numbers stand for, and what they are called now.
    private struct Names {
        private var ids: [UInt32: UUIDv7] = [:]
        private var names: [UInt32: String] = [:]

        init(_ answer: CallStatistics, _ dimensions: [CallStatistics.Dimension], in views: borrowing ViewSnapshot) throws {
            var kinds: [UInt32: CallStatistics.Dimension] = [:]
            for group in answer.groups {
                for (dimension, value) in zip(dimensions, group.values) where dimension.isParty && value != 0 { kinds[value] = dimension }
            }
            ids = try views.statisticsParties(Set(kinds.keys))
            for (code, id) in ids {
                switch kinds[code] {
                case .provider: names[code] = try views.provider(ProviderID(id))?.name
                case .customer: names[code] = try views.customer(CustomerID(id))?.name
                case .tenant: names[code] = try views.tenant(TenantID(id))?.name
                case .carrier: names[code] = try views.carrier(CarrierID(id))?.name
                case .gateway: names[code] = try views.carrier(gateway: GatewayID(id))?.gateways.first { $0.id == GatewayID(id).data }?.name
                case .hour, .day, .country, .prefix, .direction, .cause, .refusal, .status, nil: break
                }
            }
        }

        func id(_ code: UInt32) -> JSON { ids[code].map { .string($0.description) } ?? .null }
        func name(_ code: UInt32) -> JSON { names[code].map { .string($0) } ?? .null }
    }

    private static func json(_ group: CallStatistics.Group, _ dimensions: [CallStatistics.Dimension], _ names: Names) -> JSON {
        let sums = group.sums
        let values = zip(dimensions, group.values).map { dimension, value in word(dimension, value, names) }
        let shown = zip(dimensions, group.values).map { dimension, value in dimension.isParty ? names.name(value) : JSON.null }
        var delay = JSON.null
        if let mean = sums.delays.mean, let median = sums.delays.percentile(50), let most = sums.delays.percentile(95), let nearlyAll = sums.delays.percentile(99) {
            delay = ["mean": .integer(mean), "p50": .integer(median), "p95": .integer(most), "p99": .integer(nearlyAll)]
        }
        let counts: [(String, UInt64)] = [
            ("calls", sums.calls), ("seizures", sums.seizures), ("answered", sums.answered), ("busy", sums.busy), ("no_answer", sums.noAnswer),
            ("rejected", sums.rejected), ("cancelled", sums.cancelled), ("failed", sums.failed), ("refused", sums.refused),
        ]
        let ratios: [(String, JSON)] = [
            ("asr", sums.asr.map(percent) ?? .null), ("ner", sums.ner.map(percent) ?? .null), ("acd_seconds", sums.acd.map(seconds) ?? .null),
            ("talk_seconds", seconds(sums.talkMilliseconds)), ("pdd_milliseconds", delay),
        ]
        let members = [("values", JSON.array(values)), ("names", JSON.array(shown))] + counts.map { ($0.0, JSON.integer($0.1)) } + ratios
        return .object(members.map { JSON.Member($0.0, $0.1) })
    }

    private static func word(_ dimension: CallStatistics.Dimension, _ value: UInt32, _ names: Names) -> JSON {
        switch dimension {
        case .hour: .time(microseconds: Int64(value) * 3_600_000_000)
        case .day: .time(microseconds: Int64(value) * 86_400_000_000)
        case .provider, .customer, .tenant, .carrier, .gateway: names.id(value)
        case .country: value == 0 ? .null : .string(String(decoding: [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)], as: UTF8.self))
        case .prefix: value == 0 ? .null : .string("+" + String(value).dropFirst())
        case .direction: .string(CallDirection(rawValue: Int(value))?.literal ?? "")
        case .cause: .string(EndCause(rawValue: Int(value))?.literal ?? "")
        case .refusal: .string(Refusal(rawValue: Int(value))?.literal ?? "")
        case .status: .string(String(value))
        }
    }

    /// Of hundredths of a percent.
    private static func percent(_ hundredths: UInt64) -> JSON { .string(decimal(hundredths, 100)) }

    private static func seconds(_ milliseconds: UInt64) -> JSON { .string(decimal(milliseconds, 1_000)) }

    private static func decimal(_ value: UInt64, _ unit: UInt64) -> String {
        let rest = String(unit + value % unit).dropFirst()
        return "\(value / unit).\(rest)"
    }
}

extension CallStatistics.Dimension {
    var isParty: Bool {
        switch self {
        case .provider, .customer, .tenant, .carrier, .gateway: true
        case .hour, .day, .country, .prefix, .direction, .cause, .refusal, .status: false
        }
    }
}

import Foundation
import Model
import PhoneNumbers
import Primitives
import Projections
import SwiftProtobuf

/// Security groups: countries that exist, numbers that are numbers, windows of a day, limits of money.
enum SecurityGroupDecider {
    static let numbersMax = 10_000
    static let windowsMax = 50

    static func create<State: ViewQueries & ~Copyable>(
        _ group: SecurityGroup, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var group = group
        let id = try Checks.newID(group.id, &decision)
        guard try state.securityGroup(SecurityGroupID(id)) == nil else {
            throw AdminRejection.taken("id", id.description)
        }
        group.id = SecurityGroupID(id).data
        _ = try Ownership.provider(group.providerID, in: state)
        try check(group)
        decision.record(.securityGroupCreated(.with { $0.group = group }), in: id)
        return id
    }

    static func change<State: ViewQueries & ~Copyable>(
        _ group: SecurityGroup, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(group.id)
        guard let before = try state.securityGroup(SecurityGroupID(id)) else {
            throw AdminRejection.notFound("security group", id.description)
        }
        try Checks.unchanged(group.providerID, before.providerID, field: "provider_id")
        try check(group)
        decision.record(.securityGroupChanged(.with { $0.group = group }), in: id)
        return id
    }

    private static func check(_ group: SecurityGroup) throws {
        try Checks.name(group.name)
        for (index, code) in group.countries.enumerated() {
            guard let region = Region(code), PhoneNumbers.countryCode(of: region) != nil else {
                throw AdminRejection.invalid(
                    "countries[\(index)]", "must be a country with numbers, by the two letters of ISO 3166-1, such as US")
            }
        }
        guard Set(group.countries).count == group.countries.count else {
            throw AdminRejection.invalid("countries", "names a country twice")
        }
        try beginnings(group.prefixes, field: "prefixes", example: "+1209; + alone is everything")
        try beginnings(group.blockedNumbers, field: "blocked_numbers", example: "+12092488700, or a beginning such as +1900")
        try limited(group.allowedNumbers, field: "allowed_numbers")
        for (index, number) in group.allowedNumbers.enumerated() where !isE164(number) {
            throw AdminRejection.invalid("allowed_numbers[\(index)]", "must be an E.164 number with +, such as +12092488700")
        }
        guard group.windows.count <= windowsMax else {
            throw AdminRejection.invalid("windows", "at most \(windowsMax)")
        }
        for (index, window) in group.windows.enumerated() { try check(window, field: "windows[\(index)]") }
        guard group.timeZone.isEmpty || TimeZone(identifier: group.timeZone) != nil else {
            throw AdminRejection.invalid("time_zone", "must be an IANA name, such as Europe/Vienna")
        }
        guard group.lineSpendPerDayMicros >= 0 else {
            throw AdminRejection.invalid("line_spend_per_day", "must not be negative; 0 is no limit")
        }
        guard group.customerSpendPerDayMicros >= 0 else {
            throw AdminRejection.invalid("customer_spend_per_day", "must not be negative; 0 is no limit")
        }
    }

    static func check(_ window: TimeWindow, field: String) throws {
        for day in window.weekdays { try Checks.recognised(day.isRecognised, field: field + ".weekdays") }
        guard window.fromMinute < 1_440, window.toMinute <= 1_440, window.fromMinute != window.toMinute else {
            throw AdminRejection.invalid(field, "must be two different times of a day, from 00:00 to 24:00")
        }
    }

    private static func beginnings(_ texts: [String], field: String, example: String) throws {
        try limited(texts, field: field)
        for (index, text) in texts.enumerated() {
            guard text.first == "+", text.utf8.count <= 16, text.utf8.dropFirst().allSatisfy({ (0x30...0x39).contains($0) })
            else { throw AdminRejection.invalid("\(field)[\(index)]", "must be + and digits, such as \(example)") }
        }
    }

    private static func limited(_ texts: [String], field: String) throws {
        guard texts.count <= numbersMax else { throw AdminRejection.invalid(field, "at most \(numbersMax)") }
    }
}

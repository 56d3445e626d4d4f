import ArgumentParser
import Foundation

struct LineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "line", abstract: "Shows and changes what a line has set, where its phones are, and who watches it.",
        discussion: "Example: ledgerline line set 0191… forward_busy=1002 do_not_disturb=false",
        subcommands: [Show.self, Set.self, Phones.self, Watchers.self])

    /// In the order in which a call is judged by them.
    private static let settings = [
        "username", "aliases", "caller_id", "area_code", "security_group_id", "language", "status", "reject_anonymous", "blocked_callers", "blocked_numbers", "forward_always", "hours",
        "closed_days", "forward_outside_hours", "do_not_disturb", "concurrent_calls_max", "forward_busy", "forward_not_registered", "dial_timeout_seconds", "forward_no_answer",
        "call_group", "pickup_group", "ring_back", "music", "contacts_max", "is_trunk", "trunk_addresses", "messages_new", "messages_old",
    ]

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the settings of a line.", discussion: "Example: ledgerline line show 0191…")

        @Argument(help: "Id of the subscriber.") var id: String
        @OptionGroup var access: WorkerCommand.Access
        @Flag(help: "One JSON object.") var json = false

        func run() async throws {
            try LineCommand.show(try await access.client().request("GET", "/v1/subscribers/\(id)"), json: json)
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes settings of a line; the others stay as they are.",
            discussion: """
                Fields are those of the API (docs/lines.md). Lists are separated by commas, an empty value clears; hours are windows of a day, on the days before an @.
                Example: ledgerline line set 0191… forward_no_answer=2125550100 hours=mon,tue,wed,thu,fri@08:00-18:00 closed_days=--12-25,--12-26
                """)

        @Argument(help: "Id of the subscriber.") var id: String
        @Argument(help: "field=value") var fields: [String]
        @OptionGroup var access: WorkerCommand.Access
        @Flag(help: "One JSON object.") var json = false

        func run() async throws {
            var body: [String: Any] = [:]
            for field in fields {
                guard let equals = field.firstIndex(of: "=") else { throw ValidationError("\(field) is not field=value") }
                let (name, value) = (String(field[..<equals]), String(field[field.index(after: equals)...]))
                body[name] = try LineCommand.value(value, of: name)
            }
            try LineCommand.show(try await access.client().request("PATCH", "/v1/subscribers/\(id)", body), json: json)
        }
    }

    struct Phones: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists where a line's phones are now, or forgets them.",
            discussion: "Example: ledgerline line phones 0191… --clear")

        @Argument(help: "Id of the subscriber.") var id: String
        @Flag(help: "Forget them: they are reached again when they register again.") var clear = false
        @OptionGroup var access: WorkerCommand.Access
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            let client = try access.client()
            let path = "/v1/subscribers/\(id)/bindings"
            let phones = try await client.request("GET", path)["items"] as? [[String: Any]] ?? []
            for phone in phones {
                guard !json else {
                    try printJSON(phone)
                    continue
                }
                let nat = phone["is_behind_nat"] as? Bool == true ? "  behind a NAT" : ""
                print("\(LineCommand.text(phone["contact_uri"]))  \(LineCommand.text(phone["expires_seconds"])) s  q \(LineCommand.text(phone["q"]))  heard from \(LineCommand.text(phone["remote"])) by \(LineCommand.text(phone["worker"]))\(nat)  \(LineCommand.text(phone["user_agent"]))")
            }
            guard clear else { return }
            _ = try await client.request("DELETE", path)
            FileHandle.standardError.write(Data("\(phones.count) forgotten\n".utf8))
        }
    }

    struct Watchers: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists who watches a line: busy lamps, presence, waiting messages.",
            discussion: "Example: ledgerline line watchers 0191…")

        @Argument(help: "Id of the subscriber.") var id: String
        @OptionGroup var access: WorkerCommand.Access
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            for watcher in try await access.client().request("GET", "/v1/subscribers/\(id)/watchers")["items"] as? [[String: Any]] ?? [] {
                guard !json else {
                    try printJSON(watcher)
                    continue
                }
                print("\(LineCommand.text(watcher["subscriber_id"]))  \(LineCommand.text(watcher["event"]))  until \(LineCommand.text(watcher["expires_at"]))  at \(LineCommand.text(watcher["remote"]))")
            }
        }
    }

    // MARK: -

    private static func show(_ line: [String: Any], json: Bool) throws {
        guard !json else { return try printJSON(line) }
        for name in settings {
            let value = text(line[name])
            guard !["", "0", "none", "no", "null"].contains(value) else { continue }
            print(name.padding(toLength: 24, withPad: " ", startingAt: 0) + value)
        }
    }

    private static func text(_ value: Any?) -> String {
        switch value {
        // Of what a JSON reader makes, numbers and flags are told apart by how they are written.
        case let flag as Bool where "\(value ?? "")" == "true" || "\(value ?? "")" == "false": flag ? "yes" : "no"
        case let number as NSNumber: "\(number)"
        case let text as String: text
        case let list as [Any]: list.map { text($0) }.joined(separator: ", ")
        case let window as [String: Any]: times(window)
        default: ""
        }
    }

    private static func times(_ window: [String: Any]) -> String {
        let days = window["weekdays"] as? [String] ?? []
        return (days.isEmpty ? "" : days.joined(separator: ",") + "@") + "\(text(window["from"]))-\(text(window["to"]))"
    }

    private static func value(_ text: String, of name: String) throws -> Any {
        switch name {
        case "aliases", "blocked_callers", "blocked_numbers", "closed_days", "trunk_addresses", "allowed_prefixes":
            return text.split(separator: ",").map(String.init)
        case "hours": return text.isEmpty ? [] : try text.split(separator: ";").map { try window(String($0)) }
        case "do_not_disturb", "reject_anonymous", "is_trunk":
            guard let flag = ["true": true, "yes": true, "false": false, "no": false][text] else { throw ValidationError("\(name) is true or false") }
            return flag
        case "concurrent_calls_max", "dial_timeout_seconds", "call_group", "pickup_group", "contacts_max", "messages_new", "messages_old", "urgent_messages_new", "urgent_messages_old":
            guard let number = UInt32(text) else { throw ValidationError("\(name) is a whole number") }
            return Int(number)
        case "security_group_id": return text.isEmpty ? NSNull() : text
        default: return text
        }
    }

    /// `mon,tue@08:00-18:00`
    private static func window(_ text: String) throws -> [String: Any] {
        let days = ["mon": "monday", "tue": "tuesday", "wed": "wednesday", "thu": "thursday", "fri": "friday", "sat": "saturday", "sun": "sunday"]
        let parts = text.split(separator: "@")
        let times = (parts.last ?? "").split(separator: "-")
        guard (1...2).contains(parts.count), times.count == 2 else { throw ValidationError("\(text) is no window such as mon,tue@08:00-18:00") }
        var names: [String] = []
        if parts.count == 2 {
            for day in parts[0].split(separator: ",") {
                guard let name = days[day.prefix(3).lowercased()] else { throw ValidationError("\(day) is no day of the week") }
                names.append(name)
            }
        }
        return ["weekdays": names, "from": String(times[0]), "to": String(times[1])]
    }
}

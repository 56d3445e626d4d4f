import ArgumentParser
import Foundation

/// What callers of a line hear before somebody answers, and whom it puts on hold (docs/media.md).
struct SoundsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sounds", abstract: "Shows and changes ring-back and music on hold, of a line or of a tenant's lines.",
        discussion: """
            A line that has none of its own has its tenant's. Names are those of files in the media workers' folder of sounds, without `.wav`.
            Ring-back: phone (what callers' phones make), tone (that of the country), or a name. An empty value ("") takes the setting back.
            Example: ledgerline sounds --line 0191… --ring-back jingle
                     ledgerline sounds --tenant 0190… --ring-back tone --music waltz --json
            """)

    @Option(help: "Id of a subscriber.") var line: String?
    @Option(help: "Id of a tenant.") var tenant: String?
    @Option(help: "phone, tone, or the name of a sound; empty: the tenant's, and for a tenant phone.") var ringBack: String?
    @Option(help: "The name of a sound; empty: the tenant's, and for a tenant silence.") var music: String?
    @OptionGroup var access: WorkerCommand.Access
    @Flag(help: "One JSON object: id, what is set (ring_back, music), and what is heard.") var json = false

    func validate() throws {
        if (line == nil) == (tenant == nil) { throw ValidationError("say whose: --line ID or --tenant ID") }
    }

    func run() async throws {
        let client = try access.client()
        let path = line.map { "/v1/subscribers/\($0)" } ?? "/v1/tenants/\(tenant ?? "")"
        var wanted: [String: Any] = [:]
        if let ringBack { wanted["ring_back"] = ringBack }
        if let music { wanted["music"] = music }
        let own = wanted.isEmpty ? try await client.request("GET", path) : try await client.request("PATCH", path, wanted)
        let above = own["tenant_id"] == nil ? [:] : try await client.request("GET", "/v1/tenants/\(text(own, "tenant_id"))")
        let rows = [("ring_back", heard("ring_back", own, above, without: "phone")), ("music", heard("music", own, above, without: "silence"))]
        guard !json else {
            return try printJSON([
                "id": text(own, "id"), "ring_back": text(own, "ring_back"), "music": text(own, "music"),
                "heard": Dictionary(uniqueKeysWithValues: rows.map { ($0, $1.sound) }),
            ])
        }
        for (name, (sound, origin)) in rows { print(name.padding(toLength: 12, withPad: " ", startingAt: 0) + sound + origin) }
    }

    private func text(_ party: [String: Any], _ name: String) -> String { party[name] as? String ?? "" }

    /// What holds: its own, or that of above, or what there is without any.
    private func heard(_ name: String, _ own: [String: Any], _ above: [String: Any], without: String) -> (sound: String, origin: String) {
        let (set, inherited) = (text(own, name), text(above, name))
        if !set.isEmpty { return (set, "") }
        return inherited.isEmpty ? (without, "  (not set)") : (inherited, "  (its tenant's)")
    }
}

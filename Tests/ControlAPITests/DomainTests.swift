import DNS
import Foundation
import Model
import Synchronization
import Testing

@testable import ControlAPI

/// A real DNS server (dnsmasq) on loopback that knows these TXT records and no other name.
private final class NameServer: Sendable {
    let port: Int
    private let process = Mutex<Process?>(nil)

    init() throws {
        // Port 0 turns dnsmasq's DNS off, so a free one is looked for, below those that the system gives to whoever asks for any.
        port = try #require((19_000..<19_100).first { Self.isFree($0) })
    }

    private static func isFree(_ port: Int) -> Bool {
        [SOCK_DGRAM, SOCK_STREAM].allSatisfy { kind in
            let descriptor = socket(AF_INET, Int32(kind.rawValue | SOCK_CLOEXEC.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            return withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
            }
        }
    }

    deinit { process.withLock { process in if let process { kill(process.processIdentifier, SIGKILL) } } }

    /// Returns when it serves.
    func serve(_ records: [(name: String, text: String)], zone: String) async throws {
        await stop()
        let server = Process()
        server.executableURL = URL(fileURLWithPath: "/usr/sbin/dnsmasq")
        server.arguments = [
            "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces", "--listen-address=127.0.0.1",
            "--port=\(port)", "--pid-file=", "--log-facility=-", "--local=/\(zone)/", "--user=\(NSUserName())",
        ] + records.map { "--txt-record=\($0.name),\($0.text)" }
        let output = Pipe()
        server.standardError = output
        try server.run()
        process.withLock { $0 = server }
        let handle = output.fileHandleForReading
        let isUp = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var text = ""
                while !text.contains("started, version") {
                    let data = handle.availableData
                    if data.isEmpty { break }
                    text += String(decoding: data, as: UTF8.self)
                }
                continuation.resume(returning: text.contains("started, version"))
            }
        }
        try #require(isUp, "dnsmasq does not start: apt-get install dnsmasq-base")
    }

    func stop() async {
        guard let server = process.withLock({ process in
            defer { process = nil }
            return process
        }) else { return }
        // It inherits blocked signals from the thread that started it, so it would not hear a polite one.
        kill(server.processIdentifier, SIGKILL)
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                server.waitUntilExit()
                continuation.resume()
            }
        }
    }
}

@Test func aDomainIsGivenToTenantsOnceItsRecordIsInDNS() async throws {
    let dns = try NameServer()
    let platform = try TestPlatform()
    var api = Platform(platform.service)
    api.resolver = TXTResolver(servers: "127.0.0.1:\(dns.port)")
    try await TestPlatform.with(platform, api) { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let theirs = try await Estate(client, name: "omega", digits: "4311003")
        func tenant(_ estate: Estate, _ domain: String) async throws -> Answer {
            try await client.post(
                "/v1/tenants", ["customer_id": .string(estate.customer), "name": "x", "domain": .string(domain)])
        }
        let early = try await tenant(ours, "pbx.acme.example")
        #expect(early.places == ["/domain"])
        #expect(early.text.contains("POST /v1/domains"), "\(early.text)")
        // Below the namespace nothing has to be shown.
        #expect(try await tenant(ours, "second.alpha.example").status == 201)

        let added = try await client.post("/v1/domains", ["provider_id": .string(ours.provider), "name": "acme.example"])
        try #require(added.status == 201, "\(added.text)")
        let verify = "/v1/domains/\(added.id)/verify"
        #expect(added["record_name"] == "_ledgerline.acme.example")
        let value = try #require(added["record_value"]?.text)
        #expect(value.hasPrefix("ledgerline-verification="))
        #expect(try await tenant(ours, "pbx.acme.example").status == 422)

        // Nobody answers: nothing is decided.
        #expect(try await client.post(verify).status == 503)
        #expect(try await client.get("/v1/domains/\(added.id)")["checked_at"] == .null)

        // The name is not there; then it is, with something else; then with what is asked for.
        try await dns.serve([], zone: "acme.example")
        let missing = try await client.post(verify)
        #expect(missing.status == 409)
        #expect(missing["detail"]?.text?.contains("set a TXT record at _ledgerline.acme.example with \(value)") == true, "\(missing.text)")
        try await dns.serve([("_ledgerline.acme.example", "google-site-verification=x")], zone: "acme.example")
        let other = try await client.post(verify)
        #expect(other.status == 409)
        #expect(other["detail"]?.text?.contains("google-site-verification=x") == true, "\(other.text)")
        #expect(try await client.get("/v1/domains/\(added.id)")["fault"]?.text?.contains("none is") == true)
        #expect(try await tenant(ours, "pbx.acme.example").status == 422)
        // Beside another record, and in two pieces, as long records are.
        let pieces = value.replacing("=", with: "=,")
        try await dns.serve(
            [("_ledgerline.acme.example", "spf-of-somebody"), ("_ledgerline.acme.example", pieces)], zone: "acme.example")
        let verified = try await client.post(verify)
        #expect(verified.status == 200, "\(verified.text)")
        #expect(verified["verified_at"]?.text != nil)
        #expect(verified["fault"] == "")
        #expect(try await tenant(ours, "pbx.acme.example").status == 201)
        #expect(try await tenant(ours, "acme.example").status == 201)

        // It is this provider's alone.
        #expect(try await tenant(theirs, "sip.acme.example").status == 422)
        let taken = try await client.post("/v1/domains", ["provider_id": .string(theirs.provider), "name": "acme.example"])
        #expect(taken.status == 409)
        #expect(try await tenant(ours, "notacme.example").status == 422)

        // Looked at again when the record is gone: those who have it keep it, nothing new is given out.
        try await dns.serve([], zone: "acme.example")
        #expect(try await client.post(verify).status == 409)
        #expect(try await client.get("/v1/domains/\(added.id)")["verified_at"] == .null)
        #expect(try await client.get("/v1/tenants?domain=pbx.acme.example")["items"]?.items?.count == 1)
        #expect(try await tenant(ours, "third.acme.example").status == 422)
        let history = try await client.get("/v1/entities/\(added.id)/history")["items"]?.items ?? []
        #expect(history.first?["type"] == "domain.added")
        #expect(history.last?["type"] == "domain.changed")
        await dns.stop()
    }
}

@Test func whatIsNoDomainOfOnesOwnIsNotAdded() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let theirs = try await Estate(client, name: "omega", digits: "4311003")
        for name in ["office.alpha.example", "omega.example", "x.omega.example", "localhost", "a b.example", "-x.example", ""] {
            let answer = try await client.post("/v1/domains", ["provider_id": .string(ours.provider), "name": .string(name)])
            #expect(answer.places == ["/name"], "\(name): \(answer.text)")
        }
        // Who has shown nothing keeps nobody out.
        let body = { (provider: String) -> JSON in ["provider_id": .string(provider), "name": "Acme.Example"] }
        let first = try await client.post("/v1/domains", body(ours.provider))
        #expect(first["name"] == "acme.example")
        #expect(try await client.post("/v1/domains", body(ours.provider)).status == 409)
        let second = try await client.post("/v1/domains", body(theirs.provider))
        #expect(second.status == 201)
        #expect(first["record_value"] != second["record_value"])
        let provider = try await client.token("provider", role: "provider_admin", scope: ours.provider)
        #expect(try await provider.get("/v1/domains")["items"]?.items?.count == 1)
        #expect(try await provider.get("/v1/domains/\(second.id)").status == 404)
        #expect(try await provider.post("/v1/domains/\(second.id)/verify").status == 404)
        let reader = try await client.token("reader", role: "read_only", scope: ours.provider)
        #expect(try await reader.post("/v1/domains/\(first.id)/verify").status == 403)
        #expect(try await provider.delete("/v1/domains/\(first.id)").status == 204)
    }
}

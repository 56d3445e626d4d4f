import Foundation
import Testing

/// Registrations, names and probes with real peers: Kamailio as a carrier that challenges, SIPp for what goes wrong, dnsmasq.
@Suite struct TrunkTests {
    @Test(arguments: [("MD5", "udp"), ("SHA-256", "tcp")])
    func aTrunkIsRegisteredAtKamailioAndCallsGoBothWays(algorithm: String, transport: String) async throws {
        let scratch = try Scratch()
        let platform = TestPlatform(scratch: scratch.path)
        // A DNS server that is not there: nothing is asked outside of this machine.
        let server = try await platform.start(["--dns-server", "127.0.0.1:\(Ports.take())"])
        let carrier = Ports.take(2)
        let kamailio = try await TrunkEstate.kamailio(scratch.path, port: carrier, publicPort: carrier + 1, algorithm: algorithm)
        let estate = try await TrunkEstate(
            platform, token: try await platform.token(of: server),
            gateways: [
                #"{"name":"trunk","host":"127.0.0.1","port":\#(carrier),"transport":"\#(transport)","auth_username":"12092488700","auth_password":"tea for two","registration_user":"12092488700","registrar":"carrier.example"}"#
            ])
        // The registrar's name is known to nobody, which is said; its address is.
        let lost = try await estate.waits(for: "failure") { (TrunkEstate.registration($0)["state"] as? String) == "failing" }
        #expect((TrunkEstate.registration(lost)["last_reason"] as? String)?.contains("carrier.example") == true)
        try await estate.change(gateway: 0, #"{"registrar":"127.0.0.1:\#(carrier)"}"#)
        let registered = TrunkEstate.registration(try await estate.waits(for: "registration") { (TrunkEstate.registration($0)["state"] as? String) == "registered" })
        #expect(registered["worker"] as? String == "signal" && registered["last_status"] as? Int == 200)
        #expect(registered["server"] as? String == "127.0.0.1:\(carrier)" && registered["until"] is String)
        #expect(kamailio.text.contains("algorithm=Digest") && kamailio.text.contains("algorithm=\(algorithm)"), "\(kamailio.text.suffix(2_000))")
        let listed = try await Ledgerline.finish(["gateway", "list", "--url", platform.url, "--token", estate.token]).output
        #expect(listed.contains("registered") && listed.contains("200 OK"), "\(listed)")

        // Out: Kamailio challenges the INVITE too, and sends it on.
        let (media, line) = (Ports.take(16), Ports.take(4))
        let answering = Task { try await TrunkEstate.sipp("answering", port: carrier + 1, media: media) }
        #expect(try await Ports.isTaken(carrier + 1, within: 60))
        let out = try await TrunkEstate.sipp("caller", port: line, media: media + 4, to: platform.sip)
        #expect(out.status == 0, "\(out.output.suffix(2_000))")
        #expect(try await answering.value.status == 0)
        #expect(try await estate.records(1).first?["direction"] as? String == "outbound")

        // In: to the registered Contact; the number stands in To alone.
        let registering = try await TrunkEstate.sipp("line-that-registers", port: line + 1, media: media + 8, to: platform.sip)
        #expect(registering.status == 0, "\(registering.output.suffix(2_000))")
        let ringing = Task { try await TrunkEstate.sipp("answering", port: line + 1, media: media + 8) }
        #expect(try await Ports.isTaken(line + 1, within: 60))
        let inward = try await TrunkEstate.sipp("caller-from-outside", port: line + 2, media: media + 12, to: carrier)
        #expect(inward.status == 0, "\(inward.output.suffix(2_000)) \(kamailio.text.suffix(1_000))")
        #expect(try await ringing.value.status == 0)
        let records = try await estate.records(2)
        let record = try #require(records.first { $0["direction"] as? String == "inbound" })
        #expect(record["cause"] as? String == "caller_hung_up", "\(record)")
        let contact = "CALLS sip:12092488700@127.0.0.1:\(platform.sip);" + (transport == "udp" ? "" : "transport=\(transport);") + "trunk="
        #expect(kamailio.text.contains(contact), "\(kamailio.text.suffix(1_000))")

        // Locked: it is taken away.
        try await estate.change(gateway: 0, #"{"disabled":true}"#)
        _ = try await kamailio.server.waiting(for: "expires=0 ")
        #expect(try await estate.events("gateway.registration_changed", atLeast: 3) == 3)
        #expect(try await server.stopped() == 0)
        withExtendedLifetime(kamailio) {}
    }

    @Test func aRegistrarThatRefusesIsAskedAgainUntilItGivesIn() async throws {
        let scratch = try Scratch()
        let platform = TestPlatform(scratch: scratch.path)
        let server = try await platform.start()
        let registrar = Ports.take(5)
        let answering = Task { try await TrunkEstate.sipp("registrar-that-refuses", port: registrar, media: registrar + 1) }
        #expect(try await Ports.isTaken(registrar, within: 60))
        let estate = try await TrunkEstate(
            platform, token: try await platform.token(of: server),
            gateways: [
                #"{"name":"trunk","host":"127.0.0.1","port":\#(registrar),"auth_username":"12092488700","auth_password":"tea for two","registration_user":"12092488700","registration_seconds":60}"#
            ])
        _ = try await estate.waits(for: "registration") { (TrunkEstate.registration($0)["state"] as? String) == "registered" }
        let outcome = try await answering.value
        #expect(outcome.status == 0, "\(outcome.output.suffix(2_000))")
        #expect(try await estate.events("gateway.registration_changed", atLeast: 2) == 2)
        // The refusal lasts a moment, and its fact for good.
        let changes = try await estate.changes(of: "gateway.registration_changed")
        #expect(changes.contains { $0["registration"] == "failing" && $0["sip_status"] == "403" && $0["reason"] == "Not yet" }, "\(changes)")
        #expect(try await server.stopped() == 0)
    }

    @Test func aGatewayThatDoesNotAnswerIsPassedOverUntilItDoes() async throws {
        let scratch = try Scratch()
        let platform = TestPlatform(scratch: scratch.path)
        let server = try await platform.start()
        // One that takes everything and says nothing, and one that nobody has.
        let silent = try UDPPeer()
        let other = Ports.take(5)
        let estate = try await TrunkEstate(
            platform, token: try await platform.token(of: server),
            gateways: [
                #"{"name":"silent","host":"127.0.0.1","port":\#(silent.port),"probe_seconds":5,"probe_failures_max":1}"#,
                #"{"name":"shut","host":"127.0.0.1","port":\#(other),"probe_seconds":5,"probe_failures_max":2}"#,
            ])
        func inService(_ gateway: [String: Any]) -> Bool? { (gateway["service"] as? [String: Any])?["in_service"] as? Bool }
        let first = try await estate.waits(for: "silence") { inService($0) == false }
        #expect((first["service"] as? [String: Any])?["last_reason"] as? String == "no answer")
        let second = try await estate.waits(for: "refusal", of: 1) { inService($0) == false }
        #expect((second["service"] as? [String: Any])?["last_reason"] as? String == "unreachable")
        let explained = try await TrunkEstate.sipp("caller", port: Ports.take(), media: Ports.take(4), to: platform.sip)
        #expect(explained.status != 0)
        let record = try await estate.records(1)[0]
        #expect(record["refusal_detail"] as? String == "every gateway of carrier Carrier is out of service", "\(record)")
        let answering = Task { try await TrunkEstate.sipp("answering-options", port: other, media: other + 1) }
        _ = try await estate.waits(for: "answer", of: 1) { inService($0) == true }
        #expect(try await answering.value.status == 0)
        #expect(try await estate.events("gateway.service_changed", atLeast: 3) == 3)
        #expect(try await server.stopped() == 0)
    }

    @Test func aGatewayThatIsANameIsFoundByDNSAndItsNextServerIsTried() async throws {
        let scratch = try Scratch()
        let (dns, servers) = (Ports.take(), Ports.take(4))
        // The first server of the name is not there.
        let resolver = try Server(
            [
                "--signal=KILL", "90", "/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces",
                "--listen-address=127.0.0.1", "--port=\(dns)", "--pid-file=", "--log-facility=-", "--local=/test/", "--user=\(NSUserName())", "--local-ttl=2",
                "--naptr-record=carrier.test,10,10,s,SIP+D2U,,_sip._udp.trunks.test", "--host-record=one.carrier.test,127.0.0.1",
                "--srv-host=_sip._udp.trunks.test,one.carrier.test,\(servers),10,5", "--srv-host=_sip._udp.trunks.test,one.carrier.test,\(servers + 1),20,5",
            ], log: scratch.path + "/dns", program: "/usr/bin/timeout")
        _ = try await resolver.waiting(for: "started, version")
        let platform = TestPlatform(scratch: scratch.path)
        let server = try await platform.start(["--dns-server", "127.0.0.1:\(dns)"])
        let estate = try await TrunkEstate(
            platform, token: try await platform.token(of: server), gateways: [#"{"name":"named","host":"carrier.test"}"#])
        let (media, line) = (Ports.take(16), Ports.take(3))
        let answering = Task { try await TrunkEstate.sipp("answering", port: servers + 1, media: media) }
        #expect(try await Ports.isTaken(servers + 1, within: 60))
        let out = try await TrunkEstate.sipp("caller", port: line, media: media + 4, to: platform.sip)
        #expect(out.status == 0, "\(out.output.suffix(2_000))")
        #expect(try await answering.value.status == 0)
        let record = try await estate.records(1)[0]
        #expect((record["attempts"] as? [[String: Any]])?.compactMap { $0["sip_status"] as? Int } == [200])

        // From where the name leads, calls are the gateway's; from any other port they are not, unless that is wanted.
        let registering = try await TrunkEstate.sipp("line-that-registers", port: line + 1, media: media + 8, to: platform.sip)
        #expect(registering.status == 0, "\(registering.output.suffix(2_000))")
        let ringing = Task { try await TrunkEstate.sipp("answering", port: line + 1, media: media + 8, calls: 2) }
        #expect(try await Ports.isTaken(line + 1, within: 60))
        #expect(try await TrunkEstate.sipp("caller-from-outside", port: servers + 1, media: media + 12, to: platform.sip).status == 0)
        let stranger = try await TrunkEstate.sipp("caller-from-outside", port: servers + 2, media: media + 12, to: platform.sip)
        #expect(stranger.status != 0 && stranger.output.contains("407"), "\(stranger.output.suffix(1_000))")
        try await estate.change(gateway: 0, #"{"any_port":true}"#)
        _ = try await estate.records(2)
        // The workers are told within a second.
        var status: Int32 = 1
        for _ in 0..<20 where status != 0 {
            status = try await TrunkEstate.sipp("caller-from-outside", port: servers + 3, media: media + 12, to: platform.sip).status
        }
        #expect(status == 0)
        #expect(try await ringing.value.status == 0)
        #expect(try await estate.records(3).filter { $0["direction"] as? String == "inbound" }.count == 2)
        #expect(try await server.stopped() == 0)
        try await resolver.killed()
    }

    @Test func aRegistrationIsKeptByAnotherWorkerWhenItsOwnIsKilled() async throws {
        let scratch = try Scratch()
        let platform = TestPlatform(scratch: scratch.path)
        let (desk, carrier, sip) = (Ports.take(2), Ports.take(2), Ports.take(3))
        let control = try Server(
            ["control", "--data", platform.data, "--http", "127.0.0.1:\(platform.http)", "--desk", "127.0.0.1:\(desk)", "--feed", "127.0.0.1:\(desk + 1)"],
            log: scratch.path + "/control")
        _ = try await control.waiting(for: "ready: HTTP ")
        let token = try await platform.token(of: control)
        var workers: [String: Server] = [:]
        for (index, name) in ["s1", "s2"].enumerated() {
            let key = scratch.path + "/\(name).key"
            let enrolled = try await Ledgerline.finish(["worker", "enroll", name, "--kind", "signal", "--out", key, "--url", platform.url, "--token", token])
            #expect(enrolled.status == 0, "\(enrolled.output)")
            workers[name] = try Server(
                [
                    "signal", "--key", key, "--listen", "127.0.0.1:\(sip + 1 + index)", "--cluster", "127.0.0.1:\(sip)", "--bus", "127.0.0.1:0", "--state",
                    scratch.path + "/" + name, "--dns-server", "127.0.0.1:9",
                ], log: scratch.path + "/\(name).log")
            _ = try await workers[name]?.waiting(for: "the control plane knows this worker")
        }
        let kamailio = try await TrunkEstate.kamailio(scratch.path, port: carrier, publicPort: carrier + 1, algorithm: "MD5")
        let estate = try await TrunkEstate(
            platform, token: token,
            gateways: [
                #"{"name":"trunk","host":"127.0.0.1","port":\#(carrier),"auth_username":"12092488700","auth_password":"tea for two","registration_user":"12092488700"}"#
            ])
        func keeper(_ gateway: [String: Any], _ others: Set<String> = []) -> String? {
            let registration = TrunkEstate.registration(gateway)
            guard registration["state"] as? String == "registered", registration["until"] is String, let worker = registration["worker"] as? String else { return nil }
            return others.contains(worker) ? nil : worker
        }
        let first = try #require(keeper(try await estate.waits(for: "registration") { keeper($0) != nil }))
        try await workers[first]?.killed()
        let second = try #require(keeper(try await estate.waits(for: "another worker") { keeper($0, [first]) != nil }))
        #expect(second != first)
        // One Contact, whoever keeps it.
        let contacts = kamailio.text.split(separator: "\n").compactMap { line in line.range(of: "REGISTERED contact=").map { line[$0.upperBound...].prefix { $0 != ">" } } }
        #expect(contacts.count >= 2 && Set(contacts).count == 1, "\(contacts)")
        // The fact of the second is durable before it is shown, and the first is one, too.
        #expect(try await estate.events("gateway.registration_changed", atLeast: 2) == 2)
        // The last that stops takes it away.
        #expect(try await workers[second]?.stopped() == 0)
        _ = try await kamailio.server.waiting(for: "expires=0 ")
        #expect(try await control.stopped() == 0)
        withExtendedLifetime(kamailio) {}
    }
}

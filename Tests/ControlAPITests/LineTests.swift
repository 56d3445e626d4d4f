import Foundation
import Primitives
import Testing

@testable import ControlAPI

@Suite struct LineTests {
    @Test func aPersonSetsForwardsAndBlocksOfTheOwnLineAndTheAuditSaysSo() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "alpha", digits: "4311001")
            let user = try await client.token("alice", role: "user", scope: estate.subscriber)
            let own = "/v1/subscribers/\(estate.subscriber)"
            let changed = try await user.patch(
                own,
                [
                    "forward_busy": "+4366412345", "do_not_disturb": true, "blocked_callers": ["+431*"], "reject_anonymous": true, "closed_days": ["--12-25"],
                    "hours": [["weekdays": ["monday"], "from": "08:00", "to": "18:00"]],
                ])
            #expect(changed.status == 200, "\(changed.text)")
            let line = try await client.get(own)
            #expect(line["forward_busy"] == "+4366412345" && line["do_not_disturb"] == true && line["forward_always"] == "")
            #expect(line["hours"] == [["weekdays": ["monday"], "from": "08:00", "to": "18:00"]] && line["closed_days"] == ["--12-25"])
            for change: JSON in [["is_trunk": true], ["trunk_addresses": ["192.0.2.7:5060"]], ["call_group": 1], ["pickup_group": 1], ["contacts_max": 50], ["messages_new": 1]] {
                #expect(try await user.patch(own, change).status == 403, "\(change)")
            }
            let audit = try await client.get("/v1/audit?entity_id=\(estate.subscriber)&type=subscriber.changed")
            let changes = audit["items"]?.items?.last?["changes"]?.items ?? []
            #expect(changes.contains(["field": "forward_busy", "before": "", "after": "+4366412345"]), "\(audit.text)")
            #expect(changes.contains(["field": "do_not_disturb", "before": false, "after": true]))
            // Cleared, it is as if it had never been set.
            #expect(try await user.patch(own, ["forward_busy": "", "do_not_disturb": false, "blocked_callers": [], "reject_anonymous": false]).status == 200)
            #expect(try await client.get(own)["blocked_callers"] == [])
        }
    }

    @Test func whatCannotBeIsRefusedByItsName() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "alpha", digits: "4311001")
            let own = "/v1/subscribers/\(estate.subscriber)"
            for (change, field): (JSON, String) in [
                (["forward_busy": "no number"], "forward_busy"), (["closed_days": ["tomorrow"]], "closed_days"), (["hours": [["from": "8", "to": "18:00"]]], "hours"),
                (["trunk_addresses": ["192.0.2.7:5060"]], "trunk_addresses"), (["contacts_max": 51], "contacts_max"), (["messages_new": -1], "messages_new"),
            ] {
                let answer = try await client.patch(own, change)
                #expect(answer.status == 422 && answer.text.contains(field), "\(change): \(answer.text)")
            }
        }
    }

    @Test func aTenantChoosesWhichWayItsMediaGo() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "alpha", digits: "4311001")
            let path = "/v1/tenants/\(estate.tenant)"
            #expect(try await client.get(path)["media"] == "anchored")
            let changed = try await client.patch(path, ["media": "direct"])
            #expect(changed.status == 200 && changed["media"] == "direct", "\(changed.text)")
            let refused = try await client.patch(path, ["media": "by_pigeon"])
            #expect(refused.status == 422 && refused.text.contains("media"), "\(refused.text)")
            let audit = try await client.get("/v1/audit?entity_id=\(estate.tenant)&type=tenant.changed")
            #expect(audit["items"]?.items?.last?["changes"]?.items?.contains(["field": "media", "before": "anchored", "after": "direct"]) == true, "\(audit.text)")
        }
    }

    @Test func nobodyWatchesALineAtFirst() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "alpha", digits: "4311001")
            let own = "/v1/subscribers/\(estate.subscriber)/watchers"
            #expect(try await client.get(own)["items"] == [])
            let strangers = try await Estate(client, name: "omega", digits: "4311003")
            let stranger = try await client.token("stranger", role: "tenant_admin", scope: strangers.tenant)
            #expect(try await stranger.get(own).status == 404)
        }
    }
}

import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf
import Testing

@testable import SignalWorker

struct AccessTests {
    private func access() -> Access {
        Access(secret: Array(repeating: 7, count: 32), SignalConfiguration(worker: "w1", listeners: [.loopback(5_060)], cluster: nil, busEndpoint: "tcp://127.0.0.1:1", incarnation: 7))
    }

    private func reply(_ random: inout RandomSource, md5: Int = 16, sha256: Int = 32) -> CredentialReply {
        .with {
            $0.found = true
            $0.subscriberID = SubscriberID(at: WallTime(microseconds: 1), random: &random).data
            $0.tenantID = TenantID(at: WallTime(microseconds: 1), random: &random).data
            $0.credential.ha1Md5 = Data(random.bytes(md5))
            $0.credential.ha1Sha256 = Data(random.bytes(sha256))
        }
    }

    private let key = CredentialKey(domain: "sip.example.test", username: "alice")

    @Test func aLineIsKeptAsItWasTold() {
        var (access, random) = (access(), RandomSource(seed: 1))
        let told = reply(&random)
        _ = access.take(told, for: key, now: .zero)
        #expect(access.credential(key, now: .zero + .seconds(599)) == told)
        #expect(access.credential(CredentialKey(domain: "sip.example.test", username: "bob"), now: .zero) == nil)
        #expect(access.credential(key, now: .zero + .seconds(601)) == nil)
        access.invalidate(.with { $0.subscriberID = SubscriberID(at: WallTime(microseconds: 2), random: &random).data })
        #expect(access.credential(key, now: .zero) == told, "another line has changed")
        access.invalidate(.with { $0.subscriberID = told.subscriberID })
        #expect(access.credential(key, now: .zero) == nil)
    }

    /// Zeros in the place of a hash that is missing would be a password that everybody knows.
    @Test(arguments: [(0, 0), (16, 0), (0, 32), (32, 16), (0, 48)]) func aLineWithoutBothHashesIsNoLine(md5: Int, sha256: Int) {
        var (access, random) = (access(), RandomSource(seed: 2))
        _ = access.take(reply(&random, md5: md5, sha256: sha256), for: key, now: .zero)
        #expect(access.credential(key, now: .zero)?.found == false)
    }
}

extension Access {
    /// All that is kept of a line, as it was told.
    fileprivate func credential(_ key: CredentialKey, now: Instant) -> CredentialReply? {
        guard let (name, md5) = line(key, by: .md5, now: now), let (_, sha256) = line(key, by: .sha256, now: now) else { return nil }
        var told = name
        told.credential.ha1Md5 = Data(md5)
        told.credential.ha1Sha256 = Data(sha256)
        return told
    }
}

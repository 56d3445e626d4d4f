import Foundation
import Model
import Primitives
import Testing

@testable import ControlPlane

@Suite struct VaultTests {
    private let alice = SubscriberID(UUIDv7(high: 1, low: 1))
    private let bob = SubscriberID(UUIDv7(high: 1, low: 2))

    @Test func aSealedCredentialOpensForItsSubscriberAlone() throws {
        let vault = try Vault(key: [UInt8](repeating: 7, count: 32))
        var random = RandomSource(seed: 1)
        // RFC 2617 §3.5: HA1 of Mufasa in testrealm@host.com.
        let sealed = vault.seal(
            username: "Mufasa", realm: "testrealm@host.com", password: Password("Circle Of Life"), for: alice,
            random: &random)
        let credential = try vault.open(sealed, of: alice)
        #expect(hex(credential.ha1Md5) == "939e7578ed9e3c518a452acee763bce9")
        #expect(credential.ha1Sha256.count == 32)
        #expect(throws: VaultError.notSealedHere) { try vault.open(sealed, of: bob) }
        #expect(sealed.range(of: credential.ha1Md5) == nil)
    }

    @Test func everyDamagedByteIsFound() throws {
        let vault = try Vault(key: [UInt8](repeating: 7, count: 32))
        var random = RandomSource(seed: 1)
        let sealed = vault.seal(username: "a", realm: "b", password: Password("c"), for: alice, random: &random)
        for index in sealed.indices {
            var damaged = sealed
            damaged[index] ^= 1
            #expect(throws: VaultError.notSealedHere) { try vault.open(damaged, of: alice) }
        }
        #expect(throws: VaultError.notSealedHere) { try vault.open(Data(), of: alice) }
        let other = try Vault(key: [UInt8](repeating: 8, count: 32))
        #expect(throws: VaultError.notSealedHere) { try other.open(sealed, of: alice) }
    }

    @Test func aKeyOfAnotherLengthIsRefused() {
        #expect(throws: VaultError.keyLength(have: 31, need: 32)) { try Vault(key: [UInt8](repeating: 0, count: 31)) }
    }

    @Test func secretsPrintAsAMask() {
        var random = RandomSource(seed: 1)
        let token = BearerToken(random: &random)
        for text in [
            "\(Password("hunter2!"))", String(reflecting: Password("hunter2!")), "\(token)", String(reflecting: token),
        ] {
            #expect(!text.contains("hunter2"))
            #expect(!text.contains(token.text.dropFirst(4)))
        }
        var dumped = ""
        dump(Password("hunter2!"), to: &dumped)
        dump(token, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(!dumped.contains(token.text.dropFirst(4)))
    }
}

import OpenSSL
import Primitives
import Testing

@Suite("Digests, seals, signatures and base64")
struct CryptographyTests {
    @Test("FIPS 180-4 and RFC 1321 examples")
    func digests() {
        #expect(hex(Hash.sha256(Array("abc".utf8))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(hex(Hash.md5(Array("message digest".utf8))) == "f96b697d7cb7938d525a2f31aaf161d0")
        #expect(hex(Hash.md5([])) == "d41d8cd98f00b204e9800998ecf8427e")
    }

    @Test("One hasher for many digests agrees with one-shot digests")
    func hasher() {
        let hasher = SHA256Hasher()
        let left = hasher.hash(prefix: 0, [UInt8]([1, 2, 3]).span.bytes)
        #expect(left.bytes == Hash.sha256([0, 1, 2, 3]))
        let right = hasher.hash([UInt8]().span.bytes)
        #expect(right.bytes == Hash.sha256([]))
        #expect(hasher.hash(prefix: 1, left, right).bytes == Hash.sha256([1] + left.bytes + right.bytes))
        #expect(SHA256Digest(left.bytes) == left)
        #expect(SHA256Digest(left.bytes.dropLast()) == nil)
        #expect(left != right)
    }

    @Test("Equal bytes are equal, and a prefix is not")
    func equality() {
        #expect(constantTimeEquals([1, 2], [1, 2]))
        #expect(!constantTimeEquals([1, 2], [1, 3]))
        #expect(!constantTimeEquals([1, 2], [1]))
        #expect(constantTimeEquals([], []))
    }

    /// Test case 16 of the GCM specification (McGrew and Viega).
    @Test("AES-256-GCM as its authors computed it")
    func seal() throws {
        let key = try #require(bytes(hex: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"))
        let nonce = try #require(bytes(hex: "cafebabefacedbaddecaf888"))
        let data = try #require(bytes(hex: "feedfacedeadbeeffeedfacedeadbeefabaddad2"))
        let plain = try #require(bytes(hex: """
            d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39
            """))
        let sealer = Sealer(key: key)
        let sealed = sealer.seal(plain, nonce: nonce, associatedData: data)
        #expect(hex(sealed) == """
            522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
            76fc6ece0f4e1768cddf8853bb2d551b
            """)
        #expect(sealer.open(sealed, nonce: nonce, associatedData: data) == plain)
        for index in sealed.indices {
            var damaged = sealed
            damaged[index] ^= 1
            #expect(sealer.open(damaged, nonce: nonce, associatedData: data) == nil)
        }
        #expect(sealer.open(sealed, nonce: nonce, associatedData: []) == nil)
        #expect(sealer.open(Array(sealed.prefix(15)), nonce: nonce, associatedData: data) == nil)
        #expect(sealer.open(sealed, nonce: [], associatedData: data) == nil)
    }

    /// RFC 8032 §7.1, tests 1 and 3.
    @Test("Ed25519 as RFC 8032 computes it", arguments: [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ])
    func signature(seed: String, key: String, message: String, expected: String) throws {
        let signing = try #require(bytes(hex: seed).flatMap { SigningKey(seed: $0) })
        let message = try #require(bytes(hex: message))
        #expect(hex(signing.verifyingKey.bytes) == key)
        var signature = signing.sign(message)
        #expect(hex(signature) == expected)
        #expect(signing.verifyingKey.isValid(signature, of: message))
        #expect(!signing.verifyingKey.isValid(signature, of: message + [0]))
        signature[0] ^= 1
        #expect(!signing.verifyingKey.isValid(signature, of: message))
        #expect(!signing.verifyingKey.isValid([], of: message))
        #expect(SigningKey(seed: []) == nil)
        #expect(VerifyingKey(bytes: []) == nil)
    }

    @Test("The examples of RFC 4648 §10", arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func base64(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
    }

    @Test("Base64 has one spelling", arguments: ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm 9v", "Zm-_", "Zg==Zg=="])
    func base64Refuses(text: String) { #expect(Base64.decode(text) == nil) }
}

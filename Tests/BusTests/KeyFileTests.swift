import Glibc
import Testing

@testable import Bus

struct KeyFileTests {
    /// A directory that goes with the test.
    private final class Directory {
        let path: String
        init() throws {
            var template = Array("/tmp/bus-keys-XXXXXX".utf8CString)
            try #require(mkdtemp(&template) != nil)
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        func file(_ text: String, mode: mode_t = 0o600) -> String {
            let file = "\(path)/key"
            let descriptor = open(file, O_CREAT | O_WRONLY | O_TRUNC, mode)
            fchmod(descriptor, mode)
            _ = text.withCString { write(descriptor, $0, strlen($0)) }
            close(descriptor)
            return file
        }
        deinit {
            for name in ["key", "other"] { unlink("\(path)/\(name)") }
            rmdir(path)
        }
    }

    private let directory: Directory
    init() throws { directory = try Directory() }

    @Test func keysComeBackFromTheirFile() throws {
        let path = directory.path + "/key"
        let keys = try CurveKeyPair.generate()
        try keys.store(at: path)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(try CurveKeyPair.load(from: path).publicKey == keys.publicKey)
        #expect(try CurveKeyPair.load(from: path).secretKey == keys.secretKey)
    }

    @Test func workerFileComesBack() throws {
        let path = directory.path + "/key"
        let control = try CurveKeyPair.generate().publicKey
        let file = WorkerKeyFile(
            name: "signal-1", kind: "signal", keys: try .generate(), control: control, desk: "tcp://127.0.0.1:7401",
            feed: "tcp://127.0.0.1:7402")
        try file.store(at: path)
        let read = try WorkerKeyFile.load(from: path)
        #expect(read.name == "signal-1" && read.kind == "signal" && read.control == control)
        #expect(read.desk == "tcp://127.0.0.1:7401" && read.feed == "tcp://127.0.0.1:7402")
        #expect(read.keys.secretKey == file.keys.secretKey)
    }

    @Test func fileIsNeverOverwritten() throws {
        let path = directory.path + "/key"
        let keys = try CurveKeyPair.generate()
        try keys.store(at: path)
        #expect(throws: KeyFileError.exists(path: path)) { try CurveKeyPair.generate().store(at: path) }
        #expect(try CurveKeyPair.load(from: path).publicKey == keys.publicKey)
    }

    @Test func missingFileAndDirectoryAreNamed() {
        let path = directory.path + "/none/key"
        #expect(throws: KeyFileError.missing(path: path)) { try CurveKeyPair.load(from: path) }
        #expect(throws: KeyFileError.unwritable(path: path, reason: "No such file or directory")) {
            try CurveKeyPair.generate().store(at: path)
        }
        #expect(throws: KeyFileError.unreadable(path: directory.path, reason: "not a file")) {
            try CurveKeyPair.load(from: directory.path)
        }
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o777] as [mode_t])
    func fileThatOthersMayReadIsRefused(_ mode: mode_t) throws {
        let path = directory.file("", mode: mode)
        let error = try #require(throws: KeyFileError.self) { try CurveKeyPair.load(from: path) }
        #expect(error == .exposed(path: path, mode: "0" + String(mode, radix: 8)))
        #expect(error.description.hasSuffix("chmod 600 \(path)"))
    }

    @Test func malformedLinesAreNumbered() throws {
        let keys = try CurveKeyPair.generate()
        func reason(_ text: String) throws -> KeyFileError {
            let path = directory.file(text)
            return try #require(throws: KeyFileError.self) { try CurveKeyPair.load(from: path) }
        }
        let path = directory.path + "/key"
        let first = "public \(keys.publicKey)\n"
        #expect(
            try reason("# comment\n\npublic\n")
                == .malformed(path: path, line: 3, reason: "expected a name, a space and a value"))
        #expect(try reason("colour red\n") == .malformed(path: path, line: 1, reason: "'colour' is not known here"))
        #expect(try reason(first + first) == .malformed(path: path, line: 2, reason: "'public' is there twice"))
        #expect(try reason(first) == .malformed(path: path, line: 0, reason: "the line 'secret' is missing"))
        #expect(
            try reason(first + "secret x\n")
                == .malformed(path: path, line: 2, reason: "'secret' is not a key of 40 characters"))
        let other = try CurveKeyPair.generate()
        #expect(try reason(first + "secret \(other.secretText)\n") == .mismatched(path: path))
        #expect(
            try reason(String(repeating: "#", count: 65_537))
                == .malformed(path: path, line: 0, reason: "not a text of at most 64 KiB"))
    }

    @Test func errorsAndDescriptionsHoldNoSecret() throws {
        let keys = try CurveKeyPair.generate()
        let path = directory.file("public \(keys.publicKey)\nsecret \(keys.secretText.dropLast())|\n")
        let error = try #require(throws: KeyFileError.self) { try CurveKeyPair.load(from: path) }
        let texts = [
            "\(error)", "\(keys)", String(reflecting: keys), String(describing: [keys]),
            "\(Mirror(reflecting: keys).children.map { $0 })",
        ]
        for text in texts { #expect(!text.contains(keys.secretText.prefix(20))) }
    }

    /// The example keys of zmq_curve(7).
    @Test func keysAreWrittenInZ85() throws {
        let text = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
        let secret = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
        #expect(try #require(CurvePublicKey(text)).description == text)
        #expect(CurveKeyPair(secretText: secret)?.publicKey == CurvePublicKey(text))
        #expect(
            CurveKeyPair(secretText: "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")?.publicKey
                == CurvePublicKey("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"))
        #expect(CurvePublicKey(String(text.dropLast())) == nil)
        #expect(CurvePublicKey(text + " ") == nil)
        #expect(CurvePublicKey(" " + text.dropFirst()) == nil)
        #expect(CurvePublicKey("\"" + text.dropFirst()) == nil)
        #expect(CurvePublicKey(String(repeating: "#", count: 40)) == nil)
        #expect(CurvePublicKey("ä" + text.dropFirst(2)) == nil)
    }
}

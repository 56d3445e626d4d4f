internal import Glibc

/// Lines of a key file: a name, a space, a value. Empty lines, and lines that begin with `#`, are for people.
struct KeyFileText: Sendable {
    let path: String
    private var lines: [String: (number: Int, value: String)] = [:]

    /// Reads a file that is its owner's alone, of at most 64 KiB.
    /// - Parameter names: every line that must be there; no other may.
    init(reading path: String, names: [String]) throws(KeyFileError) {
        self.path = path
        let text = try readPrivate(path)
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            if line.isEmpty || line.hasPrefix("#") { continue }
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2 else { throw malformed(number, "expected a name, a space and a value") }
            let name = String(parts[0])
            guard names.contains(name) else { throw malformed(number, "'\(name.prefix(40))' is not known here") }
            guard lines[name] == nil else { throw malformed(number, "'\(name)' is there twice") }
            lines[name] = (number, String(parts[1]))
        }
        for name in names where lines[name] == nil { throw malformed(0, "the line '\(name)' is missing") }
    }

    func text(_ name: String) -> String { lines[name]?.value ?? "" }

    func publicKey(_ name: String) throws(KeyFileError) -> CurvePublicKey {
        guard let key = CurvePublicKey(text(name)) else {
            throw malformed(lines[name]?.number ?? 0, "'\(name)' is not a key of 40 characters")
        }
        return key
    }

    /// The pair of the lines `public` and `secret`.
    func keyPair() throws(KeyFileError) -> CurveKeyPair {
        let publicKey = try publicKey("public")
        guard let pair = CurveKeyPair(secretText: text("secret")) else {
            throw malformed(lines["secret"]?.number ?? 0, "'secret' is not a key of 40 characters")
        }
        guard pair.publicKey == publicKey else { throw .mismatched(path: path) }
        return pair
    }

    private func malformed(_ line: Int, _ reason: String) -> KeyFileError {
        .malformed(path: path, line: line, reason: reason)
    }

    /// Makes a new file of mode 0600, whole or not at all, and on disk when this returns.
    static func write(_ text: String, to path: String) throws(KeyFileError) {
        let draft = "\(path).\(getpid()).new"
        let descriptor = unsafe open(draft, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemText(errno)) }
        defer { unsafe unlink(draft) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                let code = errno
                if count < 0, code == EINTR { continue }
                close(descriptor)
                throw .unwritable(path: path, reason: systemText(code))
            }
            bytes = bytes.dropFirst(count)
        }
        let synced = fsync(descriptor)
        let code = errno
        close(descriptor)
        guard synced == 0 else { throw .unwritable(path: path, reason: systemText(code)) }
        // Unlike a rename, a link never replaces what is there.
        guard unsafe link(draft, path) == 0 else {
            throw errno == EEXIST ? .exists(path: path) : .unwritable(path: path, reason: systemText(errno))
        }
    }
}

private func readPrivate(_ path: String) throws(KeyFileError) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
        throw errno == ENOENT ? .missing(path: path) : .unreadable(path: path, reason: systemText(errno))
    }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: systemText(errno)) }
    let mode = status.st_mode
    guard mode & S_IFMT == S_IFREG else { throw .unreadable(path: path, reason: "not a file") }
    guard mode & 0o077 == 0 else { throw .exposed(path: path, mode: "0" + String(mode & 0o777, radix: 8)) }
    var bytes = [UInt8](repeating: 0, count: 65_537)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    guard count >= 0 else { throw .unreadable(path: path, reason: systemText(errno)) }
    guard count <= 65_536, let text = String(validating: bytes.prefix(count), as: UTF8.self) else {
        throw .malformed(path: path, line: 0, reason: "not a text of at most 64 KiB")
    }
    return text
}

private func systemText(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }

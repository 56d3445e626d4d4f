public import Primitives

/// Why something personal cannot be read or sealed. That a subject was erased is not an error: its fields are then empty.
public enum SubjectKeyError: Error, Hashable, Sendable {
    /// There is no key, and the subject was not erased: the key file is older than the log, or not the one of this log.
    case missing(subject: UUIDv7)
    /// The part does not open with the subject's key: its bytes are damaged, or the key is another one.
    case damaged(subject: UUIDv7)
    /// Not a sealed part of a form that this binary knows.
    case malformed
    /// The key file cannot be opened, read or written; `code` is the system's error number.
    case file(path: String, code: Int32)
    case notAKeyFile(path: String)
    /// Written by a newer binary.
    case newerFormat(path: String)
    /// The keys in the file are wrapped under another master key than keys/vault.key.
    case wrongMasterKey(path: String)
    /// A slot of the key file that was synced is not as it was written.
    case damagedSlot(path: String, slot: Int)
}

extension SubjectKeyError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let subject):
            "there is no key for subject \(subject), and it was not erased: restore keys/subjects.keys from the newest backup"
        case .damaged(let subject):
            "what was sealed for subject \(subject) does not open with its key: the bytes are damaged, or keys/subjects.keys is of another log"
        case .malformed: "a sealed part has a form that this version does not know"
        case .file(let path, let code): "the subjects' keys cannot be read or written: \(path), system error \(code)"
        case .notAKeyFile(let path): "\(path) is not a file of subjects' keys: restore it from the newest backup"
        case .newerFormat(let path): "\(path) was written by a newer version: use that one"
        case .wrongMasterKey(let path): "\(path) was written under another master key than keys/vault.key: restore both from one backup"
        case .damagedSlot(let path, let slot): "slot \(slot) of \(path) is damaged: restore it from the newest backup"
        }
    }
}

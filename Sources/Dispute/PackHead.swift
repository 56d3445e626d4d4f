import Ledger
import OpenSSL

/// What every pack begins with: the log's name, its key and one signed head.
struct PackHead {
    let log: String
    let key: String
    let checkpoint: String

    /// - Parameter given: the log's name and key as the operator publishes them; nil: those in the pack are taken.
    func checked(with given: (name: String, key: VerifyingKey)?) throws(Contradiction) -> (name: String, key: VerifyingKey, head: Checkpoint) {
        guard let own = VerifyingKey.parse(noteKey: key) else { throw Contradiction("the pack's key is not a verifier key") }
        let (name, key) = given ?? own
        guard own.name == name, own.key.bytes == key.bytes else {
            throw Contradiction("the pack names another key than the one that was given: it is of another log")
        }
        guard log == name else { throw Contradiction("the pack is of the log \"\(log)\", and the key of \"\(name)\"") }
        do throws(CheckpointError) {
            return (name, key, try Checkpoint(note: checkpoint, key: key))
        } catch {
            throw Contradiction("the checkpoint's signature does not hold: \(error)")
        }
    }
}

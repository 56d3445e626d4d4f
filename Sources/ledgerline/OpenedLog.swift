import ControlPlane
import Foundation
import Ledger
import OpenSSL
import Primitives
import Projections
import Subjects

/// A data directory opened for reading, beside a running control plane or after it has stopped.
struct OpenedLog {
    let directory: DataDirectory
    let log: LMDBEventLog

    init(_ path: String) throws {
        directory = DataDirectory(path)
        guard FileManager.default.fileExists(atPath: directory.ledger) else {
            throw fail(.noInput, "\(path) is not a data directory: there is no ledger in it")
        }
        do throws(LedgerError) {
            log = try LMDBEventLog(directory: directory.ledger, isReadOnly: true)
        } catch {
            throw fail(.inputOutput, "\(error)")
        }
    }

    /// The log's name and the key that its checkpoints are verified by.
    func verifier() throws -> (name: String, key: VerifyingKey) { try readVerifier(directory.logVerifierKey) }

    func signer() throws -> (name: String, key: SigningKey) {
        let name = try verifier().name
        do throws(ControlPlaneError) {
            return (name, try ControlKeys(directory, logName: name, mayMake: false).signing)
        } catch {
            throw fail(.configuration, "\(error)")
        }
    }

    /// Opens what belongs to natural persons: whoever may read the directory's keys may read that.
    func subjectKeys() throws -> SubjectKeys {
        do throws(ControlPlaneError) {
            return try ControlKeys(directory, logName: "", mayMake: false).subjects(directory, isReadOnly: true)
        } catch {
            throw fail(.configuration, "\(error)")
        }
    }

    func views() throws -> Views {
        let subjects = try subjectKeys()
        do throws(ViewsError) {
            return try Views(reading: directory.views, log: log, keys: subjects)
        } catch {
            throw fail(.inputOutput, "the views cannot be read (\(error)): start the control plane, which builds them anew")
        }
    }
}

/// A public key file as `signed-note` writes it.
func readVerifier(_ path: String) throws -> (name: String, key: VerifyingKey) {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
        throw fail(.noInput, "\(path) cannot be read: it is keys/log-signing.pub of the data directory")
    }
    guard let parsed = VerifyingKey.parse(noteKey: text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
        throw fail(.data, "\(path) is not a verifier key (name+id+base64)")
    }
    return parsed
}

/// Reads from the views, and says what to do if they cannot be read.
func readViews<R>(_ views: Views, _ body: (borrowing ViewSnapshot) throws(ViewsError) -> R) throws -> R {
    do throws(ViewsError) {
        return try views.read(body)
    } catch {
        throw fail(.inputOutput, "the views cannot be read: \(error)")
    }
}

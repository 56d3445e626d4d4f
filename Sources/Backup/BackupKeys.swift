internal import Foundation
import Primitives

/// The secrets beside a log, apart from its backup: who holds both can read and sign, who holds the backup alone can not.
extension BackupDirectory {
    /// Makes `keys/` of the backup what `keys/` of the data directory is now, each file with mode 0600. What is gone
    /// there goes here too, and the newest state alone is kept: the destroyed key of an erased person must not live on in
    /// an older copy.
    package func copyKeys(from source: String) throws(BackupError) {
        try Files.makeDirectory(keys)
        let names = Files.names(in: source).filter { !$0.hasSuffix(".new") }
        for name in names {
            try Files.write(try Files.read(source + "/" + name), to: keys + "/" + name)
        }
        for name in Files.names(in: keys) where !names.contains(name) { Files.remove(keys + "/" + name) }
    }
}

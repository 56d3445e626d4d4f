internal import CShims
internal import Foundation
internal import Glibc
import Primitives

/// The secrets beside a log, apart from its backup: who holds both can read and sign, who holds the backup alone can not.
extension BackupDirectory {
    /// Makes `keys/` of the backup what `keys/` of the data directory is now, each file with mode 0600. What is gone
    /// there goes here too, and the newest state alone is kept: the destroyed key of an erased person must not live on in
    /// an older copy. Exchanged as a whole: keys of which one is missing would be found wanting after the restore.
    package func copyKeys(from source: String) throws(BackupError) {
        let draft = keys + Files.partial
        Files.remove(draft)
        try Files.makeDirectory(draft)
        for name in Files.names(in: source) where !name.hasSuffix(".new") {
            try Files.write(try Files.read(source + "/" + name), to: draft + "/" + name)
        }
        // Not every file system can exchange; there the keys are away for a moment, and a kill then leaves none.
        if Files.exists(keys), unsafe shims_exchange_paths(draft, keys) == 0 {
            try Files.sync(path)
        } else {
            let former = keys + ".former" + Files.partial
            Files.remove(former)
            if Files.exists(keys) { try Files.rename(keys, to: former) }
            try Files.rename(draft, to: keys)
            Files.remove(former)
        }
        Files.remove(draft)
    }
}

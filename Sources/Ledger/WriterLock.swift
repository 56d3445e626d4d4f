internal import Glibc

/// A lock on the directory that ends with the process, however it ends.
final class WriterLock: Sendable {
    private let descriptor: Int32

    init(directory: String) throws(LedgerError) {
        guard unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw .directory(path: directory, code: errno)
        }
        let descriptor = unsafe open(directory + "/writer.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .directory(path: directory, code: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            throw code == EWOULDBLOCK ? .directoryInUse(path: directory) : .directory(path: directory, code: code)
        }
        self.descriptor = descriptor
    }

    deinit {
        // Said, not left to the closing: a child that was forked and has not yet become another program holds the file open.
        _ = flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}

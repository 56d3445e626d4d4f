internal import CShims

/// Names the calling thread, as `top -H`, `ps -L` and `perf` show it. The kernel keeps 15 bytes; what is longer is cut.
///
/// On Linux Foundation keeps a `Thread.name` that is set before `start()` to itself, so threads name themselves.
public func nameThread(_ name: String) {
    // It fails for no name.
    _ = unsafe name.withCString { unsafe shims_name_thread($0) }
}

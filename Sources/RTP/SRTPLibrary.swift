internal import CSRTP

/// libsrtp's own start-up, which runs its self-tests. Done once for the process and never undone: sessions
/// may live on any thread until it ends.
enum SRTPLibrary {
    static let isReady: Bool = srtp_init() == srtp_err_status_ok
}

internal import CSRTP
internal import CSRTPPrimitives

/// libsrtp's own start-up, which runs its self-tests, and the primitives that we give it. Done once for the
/// process and never undone: sessions may live on any thread until it ends.
enum SRTPLibrary {
    static let isReady: Bool = srtp_init() == srtp_err_status_ok && csrtp_use_own_primitives() == srtp_err_status_ok
}

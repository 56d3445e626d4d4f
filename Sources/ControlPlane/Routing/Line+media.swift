import Model

// Which way the media of its calls go.
extension Line {
    /// What its tenant wants, unless it has to speak SRTP with us, is recorded, or has music or a ring-back of its own.
    var mediaPath: MediaPath { subscriber.mediaSecurity == .plain && !needsMediaWorker ? tenant.mediaPath : .anchored }

    /// Only phones of one tenant are known to reach each other.
    func mediaPath(to called: Line) -> MediaPath {
        tenantID == called.tenantID && mediaPath == .direct && called.mediaPath == .direct ? .direct : .anchored
    }
}

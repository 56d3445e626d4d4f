public import Model

extension ViewQueries where Self: ~Copyable {
    /// nil: nothing is known of it, so it is taken for in service.
    public func gatewayState(_ gateway: GatewayID, of carrier: CarrierID) throws(ViewsError) -> GatewayState? {
        try message(GatewayState.self, Key(carrier.value).adding(gateway.value), in: .gatewayStates)
    }
}

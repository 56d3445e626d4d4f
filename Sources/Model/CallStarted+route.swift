public import Foundation

extension CallStarted {
    /// Name of the edge that a carrier is paid on.
    public static let carrierEdge = "carrier"

    /// Whose gateway it is, of those that the call was to be sent to.
    public func carrierID(of gateway: Data) -> Data {
        guard let step = route.first(where: { $0.gatewayID == gateway && !gateway.isEmpty }), !step.carrierID.isEmpty else {
            return called.carrierID
        }
        return step.carrierID
    }

    /// The prices that the call is charged by when that gateway answered: the carrier that carries it is the one that is paid.
    public func rates(answeredBy gateway: Data) -> [RateLock] {
        let carrier = carrierID(of: gateway)
        guard carrier != called.carrierID else { return rates }
        return rates.filter { $0.edge != Self.carrierEdge } + costs.filter { $0.carrierID == carrier }.map(\.lock)
    }
}

internal import Dispatch
internal import Foundation
package import Model
internal import OpenSSL
package import Primitives
internal import Synchronization

#if canImport(FoundationNetworking)
internal import FoundationNetworking
#endif

/// Posts alerts as JSON to the provider's address, signed so that the other side knows where it comes from.
///
///     Ledgerline-Signature: t=1763740800,v1=<hexadecimal HMAC-SHA256 of "t.body">
package struct WebhookCarrier: AlertCarrier {
    package let name = "webhook"
    private let key: @Sendable (ProviderID) -> String
    private let now: @Sendable () -> WallTime
    private static let timeoutSeconds = 10.0

    /// - Parameter key: a provider's, as it is shown to it.
    package init(key: @escaping @Sendable (ProviderID) -> String, now: @escaping @Sendable () -> WallTime = { .now }) {
        self.key = key
        self.now = now
    }

    package func serves(_ billing: Billing?, _ customer: Customer) -> Bool { billing?.alertWebhook.isEmpty == false }

    package func deliver(_ alert: AlertState, _ billing: Billing?, _ customer: Customer) -> AlertDelivery {
        guard let billing, let url = URL(string: billing.alertWebhook), let provider = ProviderID(billing.providerID) else {
            return AlertDelivery(isDelivered: false, detail: "no address")
        }
        let body = Self.body(alert)
        let time = String(now().microseconds / 1_000_000)
        var request = URLRequest(url: url, timeoutInterval: Self.timeoutSeconds)
        request.httpMethod = "POST"
        request.httpBody = Data(body)
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue("t=\(time),v1=\(Self.signature(body, at: time, key: key(provider)))", forHTTPHeaderField: "Ledgerline-Signature")
        return send(request)
    }

    /// What the other side computes as well.
    package static func signature(_ body: [UInt8], at time: String, key: String) -> String {
        hex(Hash.hmacSHA256(Array("\(time).".utf8) + body, key: Array(key.utf8)))
    }

    private static func body(_ alert: AlertState) -> [UInt8] {
        let raised = alert.raised
        let members: [String: String] = [
            "id": UUIDv7(bytes: raised.id)?.description ?? "", "kind": raised.kind.literal,
            "customer_id": UUIDv7(bytes: raised.customerID)?.description ?? "",
            "threshold": Money.decimal(micros: raised.threshold.micros), "value": Money.decimal(micros: raised.value.micros),
            "currency": raised.value.currency, "period": raised.period, "raised_at": WallTime(microseconds: alert.raisedAt).rfc3339,
        ]
        return (try? JSONSerialization.data(withJSONObject: members, options: [.sortedKeys, .withoutEscapingSlashes])).map { Array($0) } ?? []
    }

    private func send(_ request: URLRequest) -> AlertDelivery {
        let shared = Shared()
        let session = URLSession(configuration: .ephemeral, delegate: NoRedirects(), delegateQueue: nil)
        defer { session.invalidateAndCancel() }
        session.dataTask(with: request) { _, response, error in
            let status = (response as? HTTPURLResponse)?.statusCode
            let answer =
                if let status { AlertDelivery(isDelivered: (200..<300).contains(status), detail: "status \(status)") } else {
                    AlertDelivery(isDelivered: false, detail: error?.localizedDescription ?? "no answer")
                }
            shared.result.withLock { $0 = answer }
            shared.done.signal()
        }.resume()
        _ = shared.done.wait(timeout: .now() + Self.timeoutSeconds + 5)
        return shared.result.withLock { $0 } ?? AlertDelivery(isDelivered: false, detail: "no answer in time")
    }

    private final class Shared: Sendable {
        let result = Mutex<AlertDelivery?>(nil)
        let done = DispatchSemaphore(value: 0)
    }

    /// What is signed for one address is not carried to another.
    private final class NoRedirects: NSObject, URLSessionTaskDelegate {
        func urlSession(
            _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
            completionHandler: @escaping @Sendable (URLRequest?) -> Void
        ) { completionHandler(nil) }
    }
}

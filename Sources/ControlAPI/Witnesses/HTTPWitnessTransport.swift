import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Sends to witnesses over HTTP. Redirects and answers that go on for ever are a witness's fault and not ours to follow.
enum HTTPWitnessTransport {
    static let answerBytesMax = 64 << 10
    static let timeoutSeconds = 10.0

    private static let session: URLSession = {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = timeoutSeconds
        configuration.timeoutIntervalForResource = timeoutSeconds
        return URLSession(configuration: configuration)
    }()

    @concurrent static func send(_ url: String, _ body: String) async throws -> WitnessAnswer {
        guard let target = URL(string: url) else { throw URLError(.badURL) }
        var request = URLRequest(url: target, timeoutInterval: timeoutSeconds)
        request.httpMethod = "POST"
        request.httpBody = Data(body.utf8)
        request.setValue("text/plain; charset=utf-8", forHTTPHeaderField: "Content-Type")
        let (data, response) = try await session.data(for: request)
        guard let status = (response as? HTTPURLResponse)?.statusCode, data.count <= answerBytesMax else {
            throw URLError(.badServerResponse)
        }
        return WitnessAnswer(status: status, body: String(decoding: data, as: UTF8.self))
    }
}

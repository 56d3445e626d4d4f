import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The HTTP API as a command uses it.
struct APIClient {
    let url: String
    let token: String
    /// Who is behind the token, for the audit; empty: nobody is named.
    var onBehalfOf = ""
    /// A party below the token's scope that is acted for; empty: none.
    var actAs = ""

    /// The decoded answer. Refusals end the command with the API's own words.
    func request(_ method: String, _ path: String, _ body: [String: Any]? = nil, headers: [String: String] = [:]) async throws -> [String: Any] {
        try await send(method, path, try body.map { try JSONSerialization.data(withJSONObject: $0) }, headers: headers)
    }

    /// For a question that may be too early: nil if it is refused, or nobody answers.
    func peek(_ path: String) async -> [String: Any]? {
        guard let target = URL(string: url + path), let (data, response) = try? await URLSession.shared.data(for: request("GET", target, seconds: 15)),
            (response as? HTTPURLResponse)?.statusCode == 200
        else { return nil }
        return (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
    }

    /// - Parameter seconds: how long an answer may take.
    func send(
        _ method: String, _ path: String, _ body: Data?, type: String = "application/json", headers: [String: String] = [:], seconds: Double = 15
    ) async throws -> [String: Any] {
        guard let target = URL(string: url + path) else { throw fail(.configuration, "\(url) is not a URL") }
        var request = request(method, target, seconds: seconds)
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        if let body {
            request.httpBody = body
            request.setValue(type, forHTTPHeaderField: "Content-Type")
        }
        let (data, response): (Data, URLResponse)
        do {
            (data, response) = try await URLSession.shared.data(for: request)
        } catch {
            throw fail(.unavailable, "\(url) does not answer (\(error.localizedDescription)): is the control plane running?")
        }
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        let answer = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
        guard (200..<300).contains(status) else {
            let detail = answer["detail"] as? String ?? answer["title"] as? String ?? String(decoding: data, as: UTF8.self)
            throw fail(status == 401 || status == 403 ? .noPermission : .data, "\(method) \(path): \(status) \(detail)")
        }
        return answer
    }
    /// The bytes of a file.
    func download(_ path: String) async throws -> Data {
        guard let target = URL(string: url + path) else { throw fail(.configuration, "\(url) is not a URL") }
        let (data, response): (Data, URLResponse)
        do {
            (data, response) = try await URLSession.shared.data(for: request("GET", target, seconds: 120))
        } catch {
            throw fail(.unavailable, "\(url) does not answer (\(error.localizedDescription)): is the control plane running?")
        }
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard (200..<300).contains(status) else {
            let answer = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
            let detail = answer["detail"] as? String ?? answer["title"] as? String ?? ""
            throw fail(status == 401 || status == 403 ? .noPermission : .data, "GET \(path): \(status) \(detail)")
        }
        return data
    }

    private func request(_ method: String, _ target: URL, seconds: Double) -> URLRequest {
        var request = URLRequest(url: target, timeoutInterval: seconds)
        request.httpMethod = method
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        if !onBehalfOf.isEmpty { request.setValue(onBehalfOf, forHTTPHeaderField: "Ledgerline-On-Behalf-Of") }
        if !actAs.isEmpty { request.setValue(actAs, forHTTPHeaderField: "Act-As") }
        return request
    }
}

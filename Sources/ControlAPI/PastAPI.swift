package import ControlPlane
import HTTPTypes
package import Ledger
import Model
import Primitives
package import Projections
import Subjects

/// The API's questions about the past, asked of a data directory without a server.
package struct PastAPI: Sendable {
    package struct Answer: Sendable {
        /// As a server would have answered: 200, or the problem's.
        package let status: Int
        /// JSON.
        package let text: String
    }

    private let platform: Platform
    private let past: Past

    /// - Parameter states: as of the sequence that the moment stands for.
    package init(_ states: StateViews, at moment: Moment, views: Views, log: LMDBEventLog) throws(PastError) {
        platform = Platform(reading: views, log)
        past = Past(states: states, time: try Past.time(of: moment, at: states.sequence, in: log))
    }

    /// What can be listed and shown as of the past: `customers` and so on.
    package static let kinds = Set(
        RouteTable.operations.compactMap { operation -> String? in
            let parts = operation.path.split(separator: "/")
            guard operation.method == .get, operation.takesAsOf, parts.count == 2 || (parts.count == 3 && parts[2].hasPrefix("{")) else { return nil }
            return String(parts[1])
        }
    ).sorted()

    /// - Parameters:
    ///   - path: of the API, such as `/v1/customers/…/balance`.
    ///   - body: JSON; nil: GET.
    package func ask(
        _ path: String, _ query: [(name: String, value: String)] = [], body: String? = nil
    ) async -> Answer {
        do {
            let method: Operation.Method = body == nil ? .get : .post
            guard let operation = RouteTable.operations.first(where: { operation in
                operation.method == method && operation.takesAsOf && operation.matches(path)
            }) else { throw Problem(.notFound, "There is nothing at \(path) that can be asked as of the past.") }
            let reader = Caller(token: TokenID(.platform), name: "as-of", role: .platformAdmin, reach: .platform)
            let exchange = Exchange(
                platform: platform, past: past, caller: reader, path: operation.parameters(in: path),
                query: try Query(query, operation.allQuery), body: try body.map { try JSON(parsing: Array($0.utf8)) } ?? .null,
                ifMatch: nil, requestID: "", origin: Origin(), idempotencyKey: nil, fingerprint: [])
            let reply = try await operation.handle(exchange)
            switch reply.body {
            case .none: return Answer(status: reply.status.code, text: "null")
            case .json(let json): return Answer(status: reply.status.code, text: String(decoding: json.bytes, as: UTF8.self))
            case .text(let text): return Answer(status: reply.status.code, text: text)
            case .bytes(let bytes, _): return Answer(status: reply.status.code, text: String(decoding: bytes, as: UTF8.self))
            }
        } catch let problem as Problem {
            return PastAPI.answer(problem)
        } catch let error as ViewsError {
            return PastAPI.answer(Problem(.unavailable, "The views cannot be read: \(error)."))
        } catch {
            return PastAPI.answer(Problem(.badRequest, "\(error)"))
        }
    }

    private static func answer(_ problem: Problem) -> Answer {
        Answer(status: problem.kind.status.code, text: String(decoding: problem.body(requestID: "").bytes, as: UTF8.self))
    }
}

extension Operation {
    /// What stands in the path where the operation's has parameters.
    fileprivate func parameters(in path: String) -> [String: String] {
        var found: [String: String] = [:]
        for (own, given) in zip(self.path.split(separator: "/"), path.split(separator: "/")) where own.hasPrefix("{") {
            found[String(own.dropFirst().dropLast())] = String(given)
        }
        return found
    }
}

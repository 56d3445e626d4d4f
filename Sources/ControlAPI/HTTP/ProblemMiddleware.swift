import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Primitives

/// The outermost layer: gives every request an id, makes a problem of whatever goes wrong below, and counts the answers.
struct ProblemMiddleware: RouterMiddleware {
    let operations: [Operation]
    let counters: RequestCounters

    @concurrent func handle(
        _ request: Request, context: APIContext, next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.requestID = requestID(of: request)
        context.logger[metadataKey: "request"] = .string(context.requestID)
        let response = await answer(request, context, next)
        counters.count(response.status.code)
        return response
    }

    @concurrent private func answer(
        _ request: Request, _ context: APIContext, _ next: @concurrent (Request, APIContext) async throws -> Response
    ) async -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem {
            if problem.kind == .internalError { context.logger.error("\(problem.detail)") }
            return problem.response(requestID: context.requestID)
        } catch let error as HTTPError where error.status == .notFound {
            return unmatched(request).response(requestID: context.requestID)
        } catch let error as any HTTPResponseError where error.status.kind == .clientError {
            return Problem(.badRequest, "The request cannot be read.").response(requestID: context.requestID)
        } catch {
            // What it is stays in the log: it may name files and keys.
            context.logger.error("request failed", metadata: ["error": "\(error)", "path": "\(request.uri.path)"])
            let problem = Problem(.internalError, "The operator finds more under this request id.")
            return problem.response(requestID: context.requestID)
        }
    }

    /// The client's, if it is fit to stand in a log line and an event; else a new one.
    private func requestID(of request: Request) -> String {
        if let given = request.headers[.requestID], (1...64).contains(given.utf8.count),
            given.utf8.allSatisfy({ byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == 0x2D || byte == 0x2E || byte == 0x5F
            })
        {
            return given
        }
        var random = RandomSource.system
        return UUIDv7(at: .now, random: &random).description
    }

    /// No operation took it: either nothing is there, or it is there for other methods (RFC 9110 §15.5.6).
    private func unmatched(_ request: Request) -> Problem {
        let methods = operations.filter { $0.matches(request.uri.path) }.map(\.method.rawValue)
        guard !methods.isEmpty else { return Problem(.notFound, "There is nothing at \(request.uri.path).") }
        let allowed = methods.map { $0.uppercased() }.sorted() + (methods.contains("get") ? ["HEAD"] : [])
        return Problem(
            .methodNotAllowed, "Allowed here: \(allowed.joined(separator: ", ")).",
            headers: [.allow: allowed.joined(separator: ", ")])
    }
}

extension Operation {
    func matches(_ path: String) -> Bool {
        let own = self.path.split(separator: "/")
        let given = path.split(separator: "/")
        return own.count == given.count && zip(own, given).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}

extension WallTime {
    /// The machine's clock, at the edge of the program.
    static var now: WallTime { WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }
}

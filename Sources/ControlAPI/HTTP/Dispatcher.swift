import ControlPlane
import HTTPTypes
import Hummingbird
import Logging
import Model
import OpenSSL
import Primitives
import Projections
import Subjects

/// Takes a request through the checks that all operations have in common, in the order in which they matter to a client:
/// who it is, whether it may, what it accepts, what it sends.
struct Dispatcher: Sendable {
    let platform: Platform
    let operation: Operation

    func respond(to request: Request, context: APIContext) async throws -> Response {
        let caller = operation.access == .open ? nil : try Caller(of: request, on: platform)
        try authorise(caller)
        let offered = [operation.success.mediaType] + operation.success.otherMediaTypes
        guard offered.contains(where: { ContentNegotiation.accepts($0, request.headers[.accept]) }) else {
            throw Problem(.notAcceptable, "This is \(offered.joined(separator: " or ")).")
        }
        let query = try Query(pairs(request.uri.query), operation.allQuery)
        let key = try idempotencyKey(request)
        let bytes = try await body(request)
        let past = try await Past(query, of: platform)
        let exchange = Exchange(
            platform: platform, past: past, caller: caller,
            path: Dictionary(context.parameters.map { (String($0.key), String($0.value)) }, uniquingKeysWith: { $1 }),
            query: query, body: try json(bytes), ifMatch: try condition(request, .ifMatch),
            requestID: context.requestID,
            origin: Origin(
                address: context.peer, onBehalfOf: try onBehalfOf(request),
                actingFor: caller?.actsFor?.description ?? ""),
            idempotencyKey: key,
            fingerprint: MAC.sha256(
                Array("\(request.method.rawValue) \(request.uri.string)\n".utf8)
                    + Array((caller?.actsFor?.description ?? "").utf8) + bytes, key: platform.identity?.fingerprintKey ?? []),
            file: operation.body?.isFile == true ? bytes : [])
        do {
            let reply = try await operation.handle(exchange)
            if let what = operation.reading { try await exchange.record(reading: what, by: operation, reply) }
            if let version = reply.version, operation.method == .get,
                let condition = try condition(request, .ifNoneMatch), condition.allows(version)
            {
                let unchanged = Reply(.notModified, .none, version: version)
                return past.marked(unchanged.response(requestID: context.requestID))
            }
            return past.marked(reply.response(requestID: context.requestID))
        } catch let problem as Problem {
            var marked = problem
            if let past { marked.headers[.asOf] = String(past.states.sequence) }
            throw marked
        } catch let rejection as AdminRejection {
            throw Problem(rejection)
        } catch let error as ViewsError {
            context.logger.error("the views cannot be read", metadata: ["error": "\(error)"])
            throw Problem(error)
        }
    }
}

extension Dispatcher {
    /// The one place in which an operation's right is asked of a token.
    private func authorise(_ caller: Caller?) throws {
        guard let right = operation.access.right else { return }
        if let caller, !right.isAllowed(to: caller.status) {
            throw Problem(
                .forbidden, "The party of this token, or one above it, is \(caller.status.literal): it reads, and changes nothing.")
        }
        guard let caller, caller.holds(right) else {
            throw Problem(
                .forbidden,
                "This needs the right \(right.rawValue): a token with \(right.holders), for a \(right.rule.level.word) or higher up.")
        }
    }

    private func pairs(_ query: String?) throws -> [(name: String, value: String)] {
        guard let query, !query.isEmpty else { return [] }
        return try query.split(separator: "&").map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = String(sides[0]).percentDecoded,
                let value = String(sides.count == 2 ? sides[1] : "").percentDecoded
            else { throw Problem(.badRequest, "The query is not percent-encoded UTF-8.") }
            return (name, value)
        }
    }

    private func condition(_ request: Request, _ name: HTTPField.Name) throws -> EntityTag.Condition? {
        let values = request.headers[values: name]
        guard !values.isEmpty, operation.isConditional || name == .ifNoneMatch else { return nil }
        guard let condition = EntityTag.Condition(values.joined(separator: ",")) else {
            throw Problem(
                .badRequest, "\(name.canonicalName) is not a list of entity tags.",
                faults: [FieldFault(.header(name.canonicalName), "must be * or tags such as \"3\"")])
        }
        return condition
    }

    /// With or without the quotes of a structured field (draft-ietf-httpapi-idempotency-key-header).
    private func idempotencyKey(_ request: Request) throws -> String? {
        let reason = "must be 1 to 128 printable characters, such as a UUID; without spaces"
        guard operation.takesIdempotencyKey else { return nil }
        guard var key = request.headers[.idempotencyKey]?.trimmed else {
            guard !operation.needsIdempotencyKey else {
                throw Problem(
                    .badRequest, "A repetition of this request could move money twice; it needs an idempotency key.",
                    faults: [FieldFault(.header("Idempotency-Key"), reason)])
            }
            return nil
        }
        if key.count >= 2, key.hasPrefix("\""), key.hasSuffix("\"") { key = String(key.dropFirst().dropLast()) }
        guard (1...128).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x22 })
        else {
            throw Problem(
                .badRequest, "The idempotency key cannot be accepted.",
                faults: [FieldFault(.header("Idempotency-Key"), reason)])
        }
        return key
    }

    /// A name or an id; it stands in the log for ever.
    private func onBehalfOf(_ request: Request) throws -> String {
        guard let text = request.headers[.onBehalfOf]?.trimmed else { return "" }
        guard (1...128).contains(text.utf8.count), text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else {
            throw Problem(
                .badRequest, "Ledgerline-On-Behalf-Of cannot be accepted.",
                faults: [FieldFault(.header("Ledgerline-On-Behalf-Of"), "must be 1 to 128 bytes without control characters")])
        }
        return text
    }

    private func body(_ request: Request) async throws -> [UInt8] {
        guard let expected = operation.body else { return [] }
        guard ContentNegotiation.isOne(of: expected.mediaTypes, request.headers[.contentType]) else {
            var headers: HTTPFields = [.accept: expected.mediaTypes.joined(separator: ", ")]
            if operation.method == .patch { headers[.acceptPatch] = expected.mediaTypes.joined(separator: ", ") }
            throw Problem(
                .unsupportedMediaType, "Send \(expected.mediaTypes.joined(separator: " or "))\(expected.isFile ? "" : " in UTF-8").",
                headers: headers)
        }
        let tooLarge = Problem(.tooLarge, "The body may have \(expected.bytesMax) bytes at most.")
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > expected.bytesMax {
            throw tooLarge
        }
        var bytes: [UInt8] = []
        for try await part in request.body {
            guard bytes.count + part.readableBytes <= expected.bytesMax else { throw tooLarge }
            bytes += part.readableBytesView
        }
        return bytes
    }

    private func json(_ bytes: [UInt8]) throws -> JSON {
        guard let body = operation.body, !body.isFile else { return .null }
        do throws(JSONSyntaxError) {
            return try JSON(parsing: bytes)
        } catch {
            throw Problem(
                .malformedJSON, "At \(error).",
                faults: [FieldFault(.pointer(""), "byte \(error.offset): \(error.reason.text)")])
        }
    }
}

extension String {
    /// RFC 3986 §2.1: a + is itself, as in a number, and not a space; nil for broken escapes and for bytes that are not UTF-8.
    var percentDecoded: String? {
        var decoded: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case 0x25:
                guard rest.count >= 2,
                    let value = Primitives.bytes(hex: String(decoding: rest.prefix(2), as: UTF8.self))
                else { return nil }
                decoded += value
                rest = rest.dropFirst(2)
            default: decoded.append(byte)
            }
        }
        return String(validating: decoded, as: UTF8.self)
    }
}

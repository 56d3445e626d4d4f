import Hummingbird
import Primitives

/// What an operation answers when it succeeds.
struct Reply: Sendable {
    enum Body: Sendable {
        case none
        case json(JSON)
        case text(String)
        case bytes([UInt8], mediaType: String)
    }
    var status: HTTPResponse.Status
    var body: Body
    /// Of the entity's stream; it is the entity tag.
    var version: UInt64?
    var location: String?
    /// The outcome is that of an earlier request with the same idempotency key.
    var isReplayed = false
    /// How many records it shows, for the event that says so.
    var shown = 1
    /// The calls that it shows, if they were asked for one by one.
    var shownCalls: [UUIDv7] = []

    init(_ status: HTTPResponse.Status, _ body: Body, version: UInt64? = nil, location: String? = nil) {
        self.status = status
        self.body = body
        self.version = version
        self.location = location
    }

    static func ok(_ json: JSON, version: UInt64? = nil) -> Reply { Reply(.ok, .json(json), version: version) }

    static let done = Reply(.noContent, .none)

    func replayed(_ isReplayed: Bool) -> Reply {
        var reply = self
        reply.isReplayed = isReplayed
        return reply
    }

    func showing(_ call: UUIDv7?) -> Reply {
        var reply = self
        reply.shownCalls = call.map { [$0] } ?? []
        return reply
    }

    func response(requestID: String) -> Response {
        var headers: HTTPFields = [.requestID: requestID, .cacheControl: "no-store"]
        // A client may keep what has a tag, as long as it asks whether it is still so.
        if let version {
            headers[.eTag] = EntityTag.text(version)
            headers[.cacheControl] = "private, no-cache"
        }
        headers[.location] = location
        if isReplayed { headers[.idempotencyReplayed] = "true" }
        switch body {
        case .none:
            return Response(status: status, headers: headers)
        case .json(let json):
            headers[.contentType] = "application/json"
            return Response(
                status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
        case .text(let text):
            headers[.contentType] = "text/plain; charset=utf-8"
            return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        case .bytes(let bytes, let mediaType):
            headers[.contentType] = mediaType
            // What a person opens in a browser runs nothing and loads nothing.
            headers[.contentSecurityPolicy] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
            return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
    }
}

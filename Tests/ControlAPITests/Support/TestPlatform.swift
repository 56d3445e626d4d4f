import ControlPlane
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Ledger
import Logging
import Model
import NIOCore
import Primitives
import Testing

@testable import ControlAPI

/// A control node on a directory of its own, and the API over it. Everything but the sockets of the API is real.
final class TestPlatform: Sendable {
    let service: ControlPlaneService
    let directory: String
    /// Of the platform's administrator.
    let admin: String

    convenience init() throws {
        try self.init(directory: NSTemporaryDirectory() + "ledgerline-api-" + UUID().uuidString, admin: nil)
    }

    /// With mail, users, or other settings.
    convenience init(_ configure: (inout ControlPlaneConfiguration) -> Void) throws {
        try self.init(directory: NSTemporaryDirectory() + "ledgerline-api-" + UUID().uuidString, admin: nil, configure)
    }

    private init(directory: String, admin: String?, _ configure: (inout ControlPlaneConfiguration) -> Void = { _ in }) throws {
        self.directory = directory
        var configuration = ControlPlaneConfiguration(directory: directory)
        configuration.platform = "test.example/log"
        // Many platforms at a time share the address space.
        configuration.logBytesMax = 1 << 34
        configuration.deskEndpoint = "tcp://127.0.0.1:*"
        configuration.feedEndpoint = "tcp://127.0.0.1:*"
        // No worker ever comes here: calls of the past run on, however long the test takes.
        configuration.settings.startGrace = .seconds(3_600)
        configure(&configuration)
        service = try ControlPlaneService(configuration, logger: quiet)
        try service.start()
        self.admin = try #require(admin ?? service.firstToken?.text)
    }

    /// The platform after it has stopped, these facts have been added to its log, and a copy of it has started.
    func reopened(after events: [(stream: UUIDv7, event: Event)]) throws -> TestPlatform {
        service.stop()
        let commit = Commit(
            events: events.map { stream, event in
                NewEvent(
                    stream: stream, type: event.storedType, schemaVersion: event.schemaVersion,
                    payload: event.serialized())
            }, actor: "test", cause: "test", time: WallTime(microseconds: 1_800_000_000_000_000))
        if !events.isEmpty { _ = try service.log.append([commit]) }
        let copy = directory + "-copy"
        try FileManager.default.copyItem(atPath: directory, toPath: copy)
        return try TestPlatform(directory: copy, admin: admin)
    }

    /// The platform after it has stopped, as a copy of it starts with other settings.
    func reopened(_ configure: (inout ControlPlaneConfiguration) -> Void) throws -> TestPlatform {
        service.stop()
        let copy = directory + "-copy"
        try FileManager.default.copyItem(atPath: directory, toPath: copy)
        return try TestPlatform(directory: copy, admin: admin, configure)
    }

    deinit {
        service.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Runs `body` with a client of the API.
    static func with(_ body: @Sendable (Client) async throws -> Void) async throws {
        try await with(try TestPlatform(), body)
    }

    static func with(_ platform: TestPlatform, _ body: @Sendable (Client) async throws -> Void) async throws {
        try await with(platform, Platform(platform.service), body)
    }

    /// Over an API that stands on something else than a platform usually does.
    static func with(_ platform: TestPlatform, _ api: Platform, _ body: @Sendable (Client) async throws -> Void) async throws {
        let server = APIServer(api, logger: quiet)
        try await server.application(host: "127.0.0.1", port: 0).test(.router) { client in
            try await body(Client(client: client, platform: platform, token: platform.admin))
        }
    }
}

private var quiet: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}

struct Answer {
    let status: Int
    let json: JSON
    let text: String
    let headers: HTTPFields
    let bytes: [UInt8]

    subscript(name: String) -> JSON? { json[name] }
    var id: String { json["id"]?.text ?? "" }
    /// The end of a problem's type.
    var problem: String { json["type"]?.text.map { String($0.dropFirst("/problems/".count)) } ?? "" }
    /// Where a problem's faults are.
    var places: [String] {
        (json["errors"]?.items ?? []).compactMap { $0["pointer"]?.text ?? $0["parameter"]?.text ?? $0["header"]?.text }
    }
}

/// A client with a token.
struct Client: Sendable {
    let client: any TestClientProtocol
    let platform: TestPlatform
    let token: String?

    func with(_ token: String?) -> Client { Client(client: client, platform: platform, token: token) }

    func get(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
        try await send(.get, path, nil, headers)
    }

    func post(_ path: String, _ body: JSON? = nil, _ headers: [String: String] = [:]) async throws -> Answer {
        try await send(.post, path, body.map(\.bytes), headers)
    }

    func patch(_ path: String, _ body: JSON, _ headers: [String: String] = [:]) async throws -> Answer {
        try await send(
            .patch, path, body.bytes, ["Content-Type": "application/merge-patch+json"].merging(headers) { $1 })
    }

    func delete(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
        try await send(.delete, path, nil, headers)
    }

    /// Makes something that has to be accepted, and gives back its id.
    func made(_ path: String, _ body: JSON) async throws -> String {
        let answer = try await post(path, body)
        try #require(answer.status == 201, "\(path): \(answer.text)")
        return answer.id
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]?, _ headers: [String: String] = [:]
    ) async throws -> Answer {
        var fields: HTTPFields = [:]
        if let token { fields[.authorization] = "Bearer \(token)" }
        if body != nil { fields[.contentType] = "application/json" }
        for (name, value) in headers { fields[try #require(HTTPField.Name(name))] = value }
        return try await client.execute(
            uri: path, method: method, headers: fields, body: body.map { ByteBuffer(bytes: $0) }
        ) {
            response in
            let bytes = Array(response.body.readableBytesView)
            return Answer(
                status: response.status.code, json: (try? JSON(parsing: bytes)) ?? .null,
                text: String(decoding: bytes, as: UTF8.self), headers: response.headers, bytes: bytes)
        }
    }
}

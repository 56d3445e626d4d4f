import ControlPlane
import Foundation
import Model
import Primitives
import SwiftProtobuf

extension Exchange {
    /// Says in the log what the caller is about to be shown. Durable when it returns: what cannot be recorded is not shown.
    ///
    /// One event for a request, whatever it found: that somebody looked for calls of a person is worth knowing even if there
    /// were none.
    func record(reading what: String, by operation: Operation, _ reply: Reply) async throws {
        let token = try token.token
        let inPath = operation.pathParameters.filter { $0 != "call_id" && $0.hasSuffix("_id") }.compactMap { UUIDv7(path[$0] ?? "") }
        let inQuery = operation.query.filter { $0.name != "call_id" }.compactMap { query.id($0.name) }
        let calls = reply.shownCalls.isEmpty ? query.id("call_id").map { [$0] } ?? [] : reply.shownCalls
        let reading = RecordsRead.with {
            $0.what = what
            $0.scopeID = (inPath + inQuery).first.map { Data($0.bytes) } ?? Data()
            $0.filter = query.recorded
            $0.count = UInt64(reply.shown)
            $0.tokenID = token.data
            $0.ids = calls.map { Data($0.bytes) }
        }
        _ = try await platform.submit(AdminRequest(.recordReading(reading), actor: try self.token.name, requestID: requestID, origin: origin, authority: try self.token.authority))
    }
}

import ControlPlane
import HTTPTypes
import Hummingbird
import Ledger
import Model

/// `GET /tile/…` of C2SP tlog-tiles: the tree's hashes, and the entries that they are made of.
///
/// Hashes are for everybody: they show that nothing was rewritten and tell nothing else. Entries are events with names,
/// numbers and amounts, so they need a token of the platform (a reader will do, which is what an auditor gets), unless
/// the operator publishes them.
struct TileEndpoint: Sendable {
    let platform: Platform

    func respond(to request: Request, context: APIContext) async throws -> Response {
        guard request.uri.query == nil, let path = TilePath(request.uri.path.dropFirst("/tile/".count)) else {
            throw Problem(.notFound, "This is no address of a tile. One is tile/0/x001/234 or tile/0/x001/234.p/56.")
        }
        let needsToken = path.kind == .entries && !platform.publishesEntries
        if needsToken {
            guard try Caller(of: request, on: platform).holds(.readPlatform) else {
                throw Problem(.forbidden, "Entries need a token without a scope; read_only will do.")
            }
        }
        guard let bytes = try bytes(path) else { throw Problem(.notFound, "The tree has not grown that far.") }
        let headers: HTTPFields = [
            .contentType: "application/octet-stream", .requestID: context.requestID,
            // What is served under an address never changes.
            .cacheControl: "\(needsToken ? "private" : "public"), max-age=31536000, immutable",
        ]
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private func bytes(_ path: TilePath) throws -> [UInt8]? {
        do throws(LedgerError) {
            return try platform.published(path)
        } catch .eventTooLarge(let have, let limit) {
            // A bundle's entries have two bytes for their length; a large price list has more than they can say.
            throw Problem(
                .notFound,
                "An event here has \(have) bytes, more than the \(limit) that the format of bundles can hold; prove it by `ledgerline log prove`.")
        }
    }
}

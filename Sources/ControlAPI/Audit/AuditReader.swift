package import Ledger
import ControlPlane
import Model
import Primitives
package import Projections
import Subjects

/// The audit of a data directory, without a server: for whoever may read its files.
package struct AuditReader: Sendable {
    package struct Page: Sendable {
        package let entries: [JSON]
        /// To be given as `after` for the page behind it; nil: this is the last.
        package let next: String?
    }

    /// What in the question cannot be answered, for a person.
    package struct Refusal: Error, CustomStringConvertible {
        package let description: String
    }

    private let platform: Platform

    package init(views: Views, log: LMDBEventLog) { platform = Platform(reading: views, log) }

    /// - Parameter query: as `GET /v1/audit` takes it.
    package func page(_ query: [(name: String, value: String)]) throws(Refusal) -> Page {
        do {
            guard let operation = AuditEndpoint.operations.first else { return Page(entries: [], next: nil) }
            let reader = Caller(token: TokenID(.platform), name: "audit", role: .platformAdmin, reach: .platform)
            let exchange = Exchange(
                platform: platform, past: nil, caller: reader, path: [:], query: try Query(query, operation.query), body: .null,
                ifMatch: nil, requestID: "", origin: Origin(), idempotencyKey: nil, fingerprint: [])
            guard case .json(let json) = try AuditEndpoint.list(exchange).body else { return Page(entries: [], next: nil) }
            return Page(entries: json["items"]?.items ?? [], next: json["next"]?.text)
        } catch let problem as Problem {
            let faults = problem.faults.map { fault in
                switch fault.place {
                case .pointer(let name), .parameter(let name), .header(let name): "\(name) \(fault.reason)"
                case .line(let line, _): "line \(line) \(fault.reason)"
                }
            }
            throw Refusal(description: faults.isEmpty ? problem.detail : faults.joined(separator: "; "))
        } catch {
            throw Refusal(description: "\(error)")
        }
    }
}

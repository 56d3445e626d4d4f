import Foundation
import OpenSSL
import Primitives

/// The certificates of a directory, `DOMAIN.crt` beside `DOMAIN.key` in PEM, followed while they change: connections that begin
/// after a change are shown the new ones.
struct Certificates {
    private static let lookEvery = Duration.seconds(5)
    private let directory: String
    private let authorities: String?
    private var seen: [String]
    private var nextLook: Instant
    private(set) var server: TLSContext
    /// For connections that we begin.
    private(set) var client: TLSContext

    init(directory: String, authorities: String?, now: Instant) throws(TLSError) {
        self.directory = directory
        self.authorities = authorities
        seen = Certificates.marks(of: directory)
        nextLook = now + Certificates.lookEvery
        (server, client) = try Certificates.load(directory, authorities)
    }

    /// Looks now and then whether files have changed.
    /// - Returns: nil when there is nothing to tell; else what was loaded, or why the old ones stay.
    mutating func refresh(now: Instant) -> Result<Int, TLSError>? {
        guard now >= nextLook else { return nil }
        nextLook = now + Certificates.lookEvery
        let marks = Certificates.marks(of: directory)
        guard marks != seen else { return nil }
        seen = marks
        do throws(TLSError) {
            (server, client) = try Certificates.load(directory, authorities)
            return .success(Certificates.files(of: directory).count)
        } catch {
            return .failure(error)
        }
    }

    private static func load(_ directory: String, _ authorities: String?) throws(TLSError) -> (TLSContext, TLSContext) {
        let files = files(of: directory)
        let own = files.first { $0.domain == "default" } ?? files.first
        return (try TLSContext(serving: files), try TLSContext(trusting: authorities, presenting: own))
    }

    private static func files(of directory: String) -> [TLSContext.Files] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(".crt") }.sorted().map { name in
            let domain = String(name.dropLast(4))
            return TLSContext.Files(
                domain: domain.lowercased(), certificate: "\(directory)/\(name)", key: "\(directory)/\(domain).key")
        }
    }

    /// Changes when a file is written, replaced, added or removed.
    private static func marks(of directory: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.sorted().map { name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")
            let time = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            return "\(name) \(attributes?[.systemFileNumber] ?? 0) \(attributes?[.size] ?? 0) \(time)"
        }
    }
}

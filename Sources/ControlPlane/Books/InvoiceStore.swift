internal import Foundation
internal import Logging
internal import Model
internal import Primitives
internal import Projections
package import Subjects

/// PDF files as they were first made, each sealed under its buyer's key: whoever is forgotten is forgotten here as well. What is
/// missing is made again, so that nothing depends on this folder but that old files stay as they were when the tool has changed.
package struct InvoiceStore: Sendable {
    private let folder: String
    private let keys: SubjectKeys?
    /// Part of the associated data; never changes.
    private static let mark: UInt8 = 101
    private static let logger = Logger(label: "ledgerline.invoices")

    package init(folder: String, keys: SubjectKeys?) {
        self.folder = folder
        self.keys = keys
    }

    func load(_ invoice: InvoiceIssued) -> [UInt8]? {
        guard let keys, let path = path(of: invoice), let sealed = FileManager.default.contents(atPath: path) else { return nil }
        return (try? keys.open(Array(sealed), mark: Self.mark, record: invoice.id)) ?? nil
    }

    /// What cannot be kept is logged, and made again when it is wanted.
    func save(_ bytes: [UInt8], of invoice: InvoiceIssued) {
        var random = RandomSource.system
        guard let keys, let path = path(of: invoice), let buyer = invoice.buyerSubject else { return }
        do {
            guard let sealed = try keys.seal(bytes, mark: Self.mark, subject: buyer, record: invoice.id, &random) else { return }
            let directory = URL(fileURLWithPath: path).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try Data(sealed).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            Self.logger.error("an invoice's file could not be kept", metadata: ["invoice": "\(hex(invoice.id))", "reason": "\(error)"])
        }
    }

    /// A folder to every seller.
    private func path(of invoice: InvoiceIssued) -> String? {
        guard let id = UUIDv7(bytes: invoice.id), let seller = ProviderID(seller: invoice.providerID) else { return nil }
        return "\(folder)/\(seller)/\(id).pdf.sealed"
    }
}

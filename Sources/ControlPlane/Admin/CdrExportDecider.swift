import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Exports of call records: what they are, and the chain of their files.
enum CdrExportDecider {
    static let exportsMax = 1_000

    static func create<State: ViewQueries & ~Copyable>(
        _ export: CdrExport, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var export = export
        let id = try Checks.newID(export.id, &decision)
        guard try state.cdrExport(CdrExportID(id)) == nil else { throw AdminRejection.taken("id", id.description) }
        guard try state.cdrExports(limit: exportsMax).count < exportsMax else {
            throw AdminRejection.limitReached(field: "id", limit: UInt64(exportsMax))
        }
        export.id = CdrExportID(id).data
        if !export.customerID.isEmpty {
            let customerID = CustomerID(try Checks.reference(export.customerID, field: "customer_id"))
            guard let customer = try state.customer(customerID),
                export.providerID.isEmpty || export.providerID == customer.providerID
            else { throw AdminRejection.unknownReference("customer_id", customerID.description) }
            export.providerID = customer.providerID
        }
        if !export.providerID.isEmpty { _ = try Ownership.provider(export.providerID, in: state) }
        export.createdAt = decision.wall.microseconds
        try check(&export)
        decision.record(.cdrExportCreated(.with { $0.export = export }), in: id)
        return id
    }

    static func change<State: ViewQueries & ~Copyable>(
        _ export: CdrExport, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var export = export
        let id = try Checks.existingID(export.id)
        guard let before = try state.cdrExport(CdrExportID(id)) else {
            throw AdminRejection.notFound("export of call records", id.description)
        }
        try Checks.unchanged(export.providerID, before.providerID, field: "provider_id")
        try Checks.unchanged(export.customerID, before.customerID, field: "customer_id")
        export.createdAt = before.createdAt
        try check(&export)
        decision.record(.cdrExportChanged(.with { $0.export = export }), in: id)
        return id
    }

    /// A file is taken if it goes on exactly where the last one ended, so that two writers cannot both go on.
    static func record<State: ViewQueries & ~Copyable>(
        _ file: CdrFileExported, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(file.exportID)
        guard try state.cdrExport(CdrExportID(id)) != nil else {
            throw AdminRejection.notFound("export of call records", id.description)
        }
        let last = try state.lastExportFile(of: CdrExportID(id))
        guard file.file == (last?.file ?? 0) + 1, file.firstRecord == (last.map { $0.firstRecord + $0.records } ?? 1),
            file.previousSha256 == last?.sha256 ?? Data(count: 32), file.cdrCursor >= last?.cdrCursor ?? 0,
            file.correctionCursor >= last?.correctionCursor ?? 0, file.sha256.count == 32,
            file.cdrCursor < (try state.nextCDRNumber()), file.correctionCursor < (try state.nextCorrectionNumber())
        else { throw AdminRejection.invalid("file", "does not go on where file \(last?.file ?? 0) ended") }
        decision.record(.cdrFileExported(file), in: id)
        return id
    }

    static func record<State: ViewQueries & ~Copyable>(
        _ delivery: CdrFileDelivered, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(delivery.exportID)
        let exportID = CdrExportID(id)
        guard try state.exportFile(of: exportID, delivery.file) != nil,
            delivery.file > (try state.delivered(of: exportID))
        else { throw AdminRejection.invalid("file", "is not one that waits to be delivered") }
        decision.record(.cdrFileDelivered(delivery), in: id)
        return id
    }

    private static func check(_ export: inout CdrExport) throws {
        try Checks.name(export.name)
        try Checks.recognised(export.format.isRecognised, field: "format")
        try Checks.recognised(export.interval.isRecognised, field: "interval")
        if export.timeZone.isEmpty { export.timeZone = "UTC" }
        guard TimeZone(identifier: export.timeZone) != nil else {
            throw AdminRejection.invalid("time_zone", "must be an IANA name, such as Europe/Berlin")
        }
        if export.sftp.host.isEmpty {
            export.clearSftp()
            return
        }
        // All of it goes into a command line and a batch of sftp, so only what needs no quoting there is taken.
        try plain(export.sftp.host, first: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:", rest: ".-:", 253, "sftp_host")
        try plain(export.sftp.user, first: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", rest: "._-", 64, "sftp_user")
        if !export.sftp.directory.isEmpty {
            try plain(export.sftp.directory, first: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.", rest: "._-/", 256, "sftp_directory")
        }
        guard export.sftp.port <= 65_535 else { throw AdminRejection.invalid("sftp_port", "at most 65535") }
        let key = export.sftp.hostKey.split(separator: " ")
        guard key.count >= 2, key[0].hasPrefix("ssh-") || key[0].hasPrefix("ecdsa-") || key[0].hasPrefix("sk-"),
            key[0].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-@.".contains($0)) }),
            let bytes = Data(base64Encoded: String(key[1])), bytes.count >= 32
        else {
            throw AdminRejection.invalid("sftp_host_key", "must be the server's key as ssh-keyscan prints it without the host: ssh-ed25519 AAAA…")
        }
        export.sftp.hostKey = "\(key[0]) \(key[1])"
    }

    private static func plain(_ text: String, first: String, rest: String, _ max: Int, _ field: String) throws {
        guard let head = text.first, first.contains(head), text.utf8.count <= max,
            text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || rest.contains($0)) })
        else {
            throw AdminRejection.invalid(field, "must be 1 to \(max) letters, digits and \(rest), and not begin with a hyphen")
        }
    }
}

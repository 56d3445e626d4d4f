import ControlPlane
import Model
import Primitives
import Projections

enum CdrExports: ChangeableResource {
    static let kind = EntityKind.cdrExport
    static let noun = "export of call records"
    static let segment = "cdr-exports"
    static let rights = ResourceRights(read: .readExports, write: .writeExports)
    static let shape = Shape<CdrExport>.cdrExport

    static func levels(below node: EntityKind) -> [EntityKind]? {
        node == .provider || node == .customer ? [kind] : nil
    }

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> CdrExport? {
        try views.cdrExport(CdrExportID(id))
    }

    static func all(after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot) throws(ViewsError) -> [CdrExport] {
        try views.cdrExports(after: id.map(CdrExportID.init), limit: limit)
    }

    static func id(of export: CdrExport) -> UUIDv7? { UUIDv7(bytes: export.id) }

    static func place(of export: CdrExport, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(of: export)
    }

    static func references(of export: CdrExport, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference] {
        [
            Reference("provider_id", .provider, UUIDv7(bytes: export.providerID)),
            Reference("customer_id", .customer, UUIDv7(bytes: export.customerID)),
        ]
    }

    static func create(_ export: CdrExport) -> AdminCommand { .createCdrExport(export) }

    static func change(_ export: CdrExport, expectedVersion: UInt64?) -> AdminCommand {
        .changeCdrExport(export, expectedVersion: expectedVersion)
    }
}

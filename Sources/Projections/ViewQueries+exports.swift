public import Model
import Primitives

extension ViewQueries where Self: ~Copyable {
    /// Files of an export in their order.
    public func exportFiles(
        of id: CdrExportID, after file: UInt64 = 0, limit: Int
    ) throws(ViewsError) -> [CdrFileExported] {
        let prefix = Key(id.value)
        return try messages(
            CdrFileExported.self, in: .exportFiles, prefix: prefix, after: prefix.adding(file), limit: limit)
    }

    public func exportFile(of id: CdrExportID, _ file: UInt64) throws(ViewsError) -> CdrFileExported? {
        try message(CdrFileExported.self, Key(id.value).adding(file), in: .exportFiles)
    }

    /// nil: there is none yet.
    public func lastExportFile(of id: CdrExportID) throws(ViewsError) -> CdrFileExported? {
        let prefix = Key(id.value)
        guard let (key, bytes) = try last(in: .exportFiles, atOrBefore: prefix.adding(UInt64.max)), key.hasPrefix(prefix)
        else { return nil }
        return try decoded(CdrFileExported.self, bytes, of: .exportFiles)
    }

    /// Number of the last file that the export's server has; 0: none.
    public func delivered(of id: CdrExportID) throws(ViewsError) -> UInt64 {
        try number(Key(id.value), in: .exportDeliveries) ?? 0
    }
}

internal import Foundation
package import Model
internal import OpenSSL
internal import Primitives
internal import Tables

/// What makes a file of an export beside its records. The same settings and records give the same bytes, always: nothing here
/// reads a clock.
package struct ExportLayout: Sendable {
    package var format: CdrExportFormat
    /// IANA name.
    package var timeZone: String
    package var guardsFormulas: Bool

    package init(_ format: CdrExportFormat, timeZone: String = "UTC", guardsFormulas: Bool = false) {
        self.format = format
        self.timeZone = timeZone
        self.guardsFormulas = guardsFormulas
    }

    package init(_ export: CdrExport) {
        self.init(export.format, timeZone: export.timeZone, guardsFormulas: export.guardFormulas)
    }

    package init(_ file: CdrFileExported) {
        self.init(file.format, timeZone: file.timeZone, guardsFormulas: file.guardFormulas)
    }

    /// Of one file. Sipwise's importers take no more than 5 000.
    package var recordsMax: Int {
        switch format {
        case .sipwiseAdmin, .sipwiseReseller: 5_000
        case .csv, .jsonLines, .ivozBrand, .ivozClient, .ivozDocumented, .UNRECOGNIZED: 100_000
        }
    }

    /// `cdrs_20261121000000_0000000001.csv`; Sipwise's `ngcp_007_20261121000000_0000000001.cdr`.
    package func name(file: UInt64, dueAt: Int64) -> String {
        var clock = CivilTime(zone: timeZone)
        let stamp = clock.stamp(dueAt)
        let number = String(file)
        let sequence = String(repeating: "0", count: max(0, 10 - number.count)) + number
        return switch format {
        case .csv, .UNRECOGNIZED: "cdrs_\(stamp)_\(sequence).csv"
        case .jsonLines: "cdrs_\(stamp)_\(sequence).jsonl"
        case .sipwiseAdmin, .sipwiseReseller: "ngcp_\(SipwiseLayout.version)_\(stamp)_\(sequence).cdr"
        case .ivozBrand, .ivozClient, .ivozDocumented: "ivoz_\(stamp)_\(sequence).csv"
        }
    }

    /// - Parameter firstRecord: the export's number of the first of them.
    package func bytes(_ records: [ExportRecord], firstRecord: UInt64, _ names: ExportNames) -> [UInt8] {
        switch format {
        case .csv, .UNRECOGNIZED: csv(records, firstRecord)
        case .jsonLines: jsonLines(records, firstRecord)
        case .sipwiseAdmin: SipwiseLayout(isReseller: false, timeZone: timeZone).bytes(records, names)
        case .sipwiseReseller: SipwiseLayout(isReseller: true, timeZone: timeZone).bytes(records, names)
        case .ivozBrand: ivoz(.brand, records, names)
        case .ivozClient: ivoz(.client, records, names)
        case .ivozDocumented: ivoz(.documented, records, names)
        }
    }

    private func csv(_ records: [ExportRecord], _ first: UInt64) -> [UInt8] {
        var writer = CSVWriter()
        writer.append(CDRColumn.all.map(\.name))
        var fields: [String] = []
        for (index, record) in records.enumerated() {
            let row = CDRRow(record, number: first + UInt64(index))
            fields.removeAll(keepingCapacity: true)
            for column in CDRColumn.all {
                let cell = column.cell(row)
                if guardsFormulas, case .text(let text) = cell {
                    fields.append(Self.guarded(text))
                } else {
                    fields.append(cell.text)
                }
            }
            writer.append(fields)
        }
        return writer.take()
    }

    private func jsonLines(_ records: [ExportRecord], _ first: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, record) in records.enumerated() {
            let row = CDRRow(record, number: first + UInt64(index))
            var separator = UInt8(ascii: "{")
            for column in CDRColumn.all {
                bytes.append(separator)
                separator = UInt8(ascii: ",")
                bytes.append(0x22)
                bytes.append(contentsOf: column.name.utf8)
                bytes.append(0x22)
                bytes.append(UInt8(ascii: ":"))
                bytes.append(contentsOf: column.cell(row).json.utf8)
            }
            bytes.append(UInt8(ascii: "}"))
            bytes.append(0x0A)
        }
        return bytes
    }

    private func ivoz(_ kind: IvozLayout.Kind, _ records: [ExportRecord], _ names: ExportNames) -> [UInt8] {
        var writer = CSVWriter()
        var layout = IvozLayout(kind, timeZone: timeZone)
        writer.append(layout.fields)
        for record in records {
            let row = layout.row(record, names)
            writer.append(guardsFormulas ? zip(layout.fields, row).map { IvozLayout.typed.contains($0) ? Self.guarded($1) : $1 } : row)
        }
        return writer.take()
    }

    /// A spreadsheet computes text that begins so (OWASP, CSV injection).
    static func guarded(_ text: String) -> String {
        switch text.utf8.first {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0D: "'" + text
        default: text
        }
    }
}

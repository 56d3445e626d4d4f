internal import Foundation
internal import OpenSSL
internal import Primitives

/// Checks a folder of exported files by their manifests alone: every file is there and has its hash, numbers and records go on
/// without gaps, and each names the hash of the one before. Needs nothing of the platform.
package struct ChainVerifier {
    package private(set) var faults: [String] = []
    package private(set) var files = 0
    package private(set) var records: UInt64 = 0
    package private(set) var lastHash = ""

    package init(folder: String) {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        var manifests: [ExportManifest] = []
        var known: Set<String> = []
        for name in names where name.hasSuffix(".json") && !name.hasPrefix(".") {
            known.insert(name)
            guard let data = FileManager.default.contents(atPath: folder + "/" + name), let manifest = ExportManifest.read(data) else {
                faults.append("\(name) is not a manifest")
                continue
            }
            if manifest.name + ".json" != name { faults.append("\(name) describes another file: \(manifest.name)") }
            known.insert(manifest.name)
            manifests.append(manifest)
        }
        for name in names where !known.contains(name) && !name.hasPrefix(".") { faults.append("\(name) has no manifest") }
        manifests.sort { $0.file < $1.file }
        var last: ExportManifest?
        for manifest in manifests {
            check(manifest, after: last, folder)
            last = manifest
        }
        files = manifests.count
        lastHash = last?.sha256 ?? ""
        if manifests.isEmpty { faults.append("there are no manifests in \(folder)") }
    }

    private mutating func check(_ manifest: ExportManifest, after last: ExportManifest?, _ folder: String) {
        let name = manifest.name
        records += manifest.records
        if let data = FileManager.default.contents(atPath: folder + "/" + name) {
            if hex(Hash.sha256(Array(data))) != manifest.sha256 { faults.append("\(name) has been changed: its hash is not that of its manifest") }
            if data.count != manifest.bytes { faults.append("\(name) has \(data.count) bytes, its manifest says \(manifest.bytes)") }
        } else {
            faults.append("\(name) is missing")
        }
        let zero = String(repeating: "0", count: 64)
        guard let last else {
            if manifest.file == 1, manifest.previous_sha256 != zero || manifest.first_record != 1 {
                faults.append("\(name) is the first file and names one before it")
            }
            if manifest.file != 1 { faults.append("files 1 to \(manifest.file - 1) are missing") }
            return
        }
        if last.export != manifest.export { faults.append("\(name) is of another export") }
        if manifest.file != last.file + 1 { faults.append("between \(last.name) and \(name) \(Int64(manifest.file) - Int64(last.file) - 1) files are missing") }
        if manifest.file == last.file + 1, manifest.previous_sha256 != last.sha256 { faults.append("\(name) does not name the hash of \(last.name)") }
        if manifest.file == last.file + 1, manifest.first_record != last.first_record + last.records {
            faults.append("\(name) begins with record \(manifest.first_record), the one before ended with \(last.first_record + last.records - 1)")
        }
        if manifest.cdr_cursor < last.cdr_cursor || (manifest.first_cdr != 0 && manifest.first_cdr <= last.cdr_cursor) {
            faults.append("\(name) goes back behind \(last.name)")
        }
    }
}

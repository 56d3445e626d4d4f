internal import Foundation
internal import Logging

/// The worker's folder of sounds: music on hold, by its name. Each is read when it is first wanted, and again when its file has changed.
struct SoundFolder: Sendable {
    private static let bytesMax = 200 << 20

    private let path: String?
    private var known: [String: (sound: Recording, changedAt: Date)] = [:]

    init(_ path: String?) { self.path = path }

    /// nil: there is no such sound, which the log then says.
    subscript(name: String, logger: Logger) -> Recording? {
        mutating get {
            guard let path, !name.contains("/"), !name.hasPrefix(".") else {
                logger.error("a sound is wanted, and this media worker has no folder of sounds (--sounds)", metadata: ["sound": "\(name)"])
                return nil
            }
            let file = "\(path)/\(name).wav"
            let attributes = try? FileManager.default.attributesOfItem(atPath: file)
            guard let attributes, let changedAt = attributes[.modificationDate] as? Date, let size = attributes[.size] as? Int, size <= Self.bytesMax else {
                logger.error("a sound is not there, or too long", metadata: ["file": "\(file)"])
                return nil
            }
            if let sound = known[name], sound.changedAt == changedAt { return sound.sound }
            guard let bytes = FileManager.default.contents(atPath: file) else {
                logger.error("a sound cannot be read", metadata: ["file": "\(file)"])
                return nil
            }
            do throws(Recording.FileError) {
                let sound = try Recording(anyWave: [UInt8](bytes))
                known[name] = (sound, changedAt)
                return sound
            } catch {
                logger.error("a sound \(error)", metadata: ["file": "\(file)"])
                return nil
            }
        }
    }
}

internal import Dispatch
internal import Foundation
internal import Logging
internal import Model
internal import OpenSSL

/// Announcements of the operator's own: files in the folder of sounds take the place of those in the binary.
///
/// `PROMPT.LANGUAGE.wav` is played as it is; `PROMPT.LANGUAGE.txt` is spoken by espeak-ng, once: what it said is kept in the folder `.spoken` under a
/// digest of voice and text. All of it happens when the worker starts, and never while a call waits.
struct SpokenPrompts {
    private static let program = "/usr/bin/espeak-ng"
    private static let textMax = 1_000
    /// Bound for the program, which needs a tenth of a second.
    private static let secondsMax = 20.0

    private let folder: String
    private let logger: Logger

    init(folder: String, logger: Logger) {
        self.folder = folder
        self.logger = logger
    }

    func add(to library: inout PromptLibrary) {
        for name in ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() {
            let parts = name.split(separator: ".").map(String.init)
            guard parts.count == 3, let prompt = Prompt(name: parts[0]), !parts[1].isEmpty else { continue }
            let language = parts[1].lowercased()
            do {
                switch parts[2] {
                case "wav": library.add(try recording("\(folder)/\(name)"), for: prompt, in: language)
                case "txt": library.add(try spoken("\(folder)/\(name)", language), for: prompt, in: language)
                default: continue
                }
                logger.info("an announcement of the operator's own", metadata: ["file": "\(name)"])
            } catch {
                logger.error("an announcement cannot be used", metadata: ["file": "\(name)", "reason": "\(error)"])
            }
        }
    }

    private func recording(_ path: String) throws -> Recording {
        guard let bytes = FileManager.default.contents(atPath: path) else { throw SpeechError.unreadable(path) }
        return try Recording(anyWave: [UInt8](bytes))
    }

    private func spoken(_ path: String, _ language: String) throws -> Recording {
        guard let bytes = FileManager.default.contents(atPath: path), let text = String(data: bytes, encoding: .utf8) else { throw SpeechError.unreadable(path) }
        guard text.count <= Self.textMax else { throw SpeechError.tooLong(Self.textMax) }
        let digest = Hash.sha256(Array("\(language)\n\(text)".utf8)).prefix(16).map { String(format: "%02x", $0) }.joined()
        let cache = "\(folder)/.spoken"
        let kept = "\(cache)/\(digest).wav"
        if !FileManager.default.fileExists(atPath: kept) {
            guard FileManager.default.isExecutableFile(atPath: Self.program) else { throw SpeechError.noProgram(Self.program) }
            try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
            try speak(path, language, to: kept)
        }
        return try recording(kept)
    }

    private func speak(_ text: String, _ language: String, to file: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.program)
        // The text is read from the file: nothing of it is an argument.
        process.arguments = ["-v", language, "-s", "150", "-w", file + ".part", "-f", text]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        guard ended.wait(timeout: .now() + Self.secondsMax) == .success else {
            process.terminate()
            throw SpeechError.failed(language)
        }
        guard process.terminationStatus == 0 else { throw SpeechError.failed(language) }
        try FileManager.default.moveItem(atPath: file + ".part", toPath: file)
    }

    private enum SpeechError: Error, CustomStringConvertible {
        case unreadable(String)
        case tooLong(Int)
        case noProgram(String)
        case failed(String)

        var description: String {
            switch self {
            case .unreadable(let path): "\(path) cannot be read as text in UTF-8 or as sound"
            case .tooLong(let most): "it has more than \(most) letters"
            case .noProgram(let path): "\(path) is not there: install espeak-ng, or put a WAV file beside it"
            case .failed(let language): "espeak-ng does not speak it: is there a voice \"\(language)\" (espeak-ng --voices)?"
            }
        }
    }
}

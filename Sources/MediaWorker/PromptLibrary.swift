internal import CPrompts
package import Model

/// What can be said, in which languages.
package struct PromptLibrary: Equatable, Sendable {
    private static let fallback = "en"

    private var recordings: [Prompt: [String: Recording]] = [:]

    package init() {}

    /// - Parameter language: a primary language subtag, such as `pt`.
    package mutating func add(_ recording: Recording, for prompt: Prompt, in language: String) {
        recordings[prompt, default: [:]][language] = recording
    }

    /// In that language, or in English; nil: it cannot be said.
    ///
    /// - Parameter language: a BCP 47 tag; what follows its first subtag makes no difference yet.
    package subscript(prompt: Prompt, language: String) -> Recording? {
        let primary = language.split(separator: "-").first.map { $0.lowercased() } ?? PromptLibrary.fallback
        return recordings[prompt]?[primary] ?? recordings[prompt]?[PromptLibrary.fallback]
    }

    package func languages(of prompt: Prompt) -> [String] { (recordings[prompt] ?? [:]).keys.sorted() }

    /// Those in the binary.
    package static let carried: PromptLibrary = {
        var library = PromptLibrary()
        var place = 0
        while true {
            let entry = unsafe prompts_at(place)
            guard let name = unsafe entry.prompt, let language = unsafe entry.language, let file = unsafe entry.file else {
                return library
            }
            let bytes = unsafe UnsafeRawBufferPointer(start: file, count: entry.count)
            guard let prompt = Prompt(name: unsafe String(cString: name)), let recording = try? Recording(wave: unsafe bytes.bytes)
            else { preconditionFailure("a prompt in the binary is not one") }
            library.add(recording, for: prompt, in: unsafe String(cString: language))
            place += 1
        }
    }()
}

extension Prompt {
    /// As its files are called.
    init?(name: String) {
        switch name {
        case "credit_used_up": self = .creditUsedUp
        case "call_recorded": self = .callRecorded
        case "conference_pin": self = .conferencePin
        case "conference_wrong_pin": self = .conferenceWrongPin
        case "conference_full": self = .conferenceFull
        default: return nil
        }
    }
}

package import Ledger

/// Somebody outside who cosigns our checkpoints: name and key, and where they are sent.
package struct Witness: Hashable, Sendable {
    package let key: WitnessKey
    /// The submission prefix, without a slash at the end.
    package let url: String

    package init(key: WitnessKey, url: String) {
        self.key = key
        self.url = url
    }

    /// `VKEY,URL`; nil if the key is not one of a witness or the address is not HTTP.
    package init?(_ text: String) {
        let parts = text.split(separator: ",", maxSplits: 1).map(String.init)
        guard parts.count == 2, let key = WitnessKey(noteKey: parts[0]),
            parts[1].hasPrefix("https://") || parts[1].hasPrefix("http://")
        else { return nil }
        self.init(key: key, url: parts[1].hasSuffix("/") ? String(parts[1].dropLast()) : parts[1])
    }
}

/// Who cosigns, and how many must before a checkpoint is shown.
package struct WitnessPolicy: Sendable {
    package var witnesses: [Witness] = []
    /// A checkpoint with fewer cosignatures is not published; the one before stays.
    package var quorum = 0
    package var interval: Duration = .seconds(10)
    /// Without growth a checkpoint is cosigned again after this long, so that it does not look abandoned.
    package var refresh: Duration = .seconds(60)
    package var transport: WitnessTransport

    package init() {
        transport = { url, body in try await HTTPWitnessTransport.send(url, body) }
    }
}

package struct WitnessAnswer: Hashable, Sendable {
    package let status: Int
    package let body: String

    package init(status: Int, body: String) {
        self.status = status
        self.body = body
    }
}

/// Posts a body to an address; throws if nobody answers.
package typealias WitnessTransport = @Sendable (_ url: String, _ body: String) async throws -> WitnessAnswer

/// What is known of a witness.
package struct WitnessState: Hashable, Sendable {
    package let witness: Witness
    /// Of the newest checkpoint that it cosigned; nil: none yet since the start.
    package var size: UInt64?
    /// Its clock at that, seconds since 1970.
    package var time: UInt64?
    /// Why the last attempt came to nothing.
    package var fault: String?
}

/// All that a worker has to be given: who it is, whom to trust, and where to connect.
public struct WorkerKeyFile: Sendable {
    /// Under which the key is enrolled.
    public let name: String
    /// What the worker was enrolled as, for a clear error when it is started as something else.
    public let kind: String
    public let keys: CurveKeyPair
    /// The key that the control plane must have.
    public let control: CurvePublicKey
    /// Endpoints of the control plane, `tcp://host:port`.
    public let desk: String
    public let feed: String

    private static let names = ["name", "kind", "public", "secret", "control", "desk", "feed"]

    public init(
        name: String, kind: String, keys: CurveKeyPair, control: CurvePublicKey, desk: String, feed: String
    ) {
        precondition([name, kind, desk, feed].allSatisfy { !$0.isEmpty && !$0.contains("\n") })
        self.name = name
        self.kind = kind
        self.keys = keys
        self.control = control
        self.desk = desk
        self.feed = feed
    }

    /// Reads what `store` wrote; the format is in `docs/wire/bus.md`.
    public static func load(from path: String) throws(KeyFileError) -> WorkerKeyFile {
        let text = try KeyFileText(reading: path, names: names)
        return WorkerKeyFile(
            name: text.text("name"), kind: text.text("kind"), keys: try text.keyPair(),
            control: try text.publicKey("control"), desk: text.text("desk"), feed: text.text("feed"))
    }

    /// Makes a new file of mode 0600; never overwrites one.
    public func store(at path: String) throws(KeyFileError) {
        let text = """
            # Ledgerline worker key. Keep it secret: whoever has it can speak as this worker.
            name \(name)
            kind \(kind)
            public \(keys.publicKey)
            secret \(keys.secretText)
            control \(control)
            desk \(desk)
            feed \(feed)

            """
        try KeyFileText.write(text, to: path)
    }
}

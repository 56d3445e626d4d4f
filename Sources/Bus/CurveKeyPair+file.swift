extension CurveKeyPair {
    private static let names = ["public", "secret"]

    /// Reads what `store` wrote; the format is in `docs/wire/bus.md`.
    public static func load(from path: String) throws(KeyFileError) -> CurveKeyPair {
        try KeyFileText(reading: path, names: names).keyPair()
    }

    /// Makes a new file of mode 0600; never overwrites one.
    public func store(at path: String) throws(KeyFileError) {
        let text = """
            # Ledgerline bus key. Keep it secret: whoever has it can speak as this process.
            public \(publicKey)
            secret \(secretText)

            """
        try KeyFileText.write(text, to: path)
    }
}

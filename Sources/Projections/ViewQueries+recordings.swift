public import Model
public import Primitives

extension ViewQueries where Self: ~Copyable {
    public func recording(_ id: UUIDv7) throws(ViewsError) -> RecordingState? {
        try message(RecordingState.self, Key(id), in: .recordings)
    }

    /// Of everybody, in the order of their ids, which is that of their beginnings.
    public func recordings(after id: UUIDv7? = nil, limit: Int) throws(ViewsError) -> [RecordingState] {
        try messages(RecordingState.self, in: .recordings, prefix: Key(), after: id.map { Key($0) }, limit: limit)
    }

    public func recordings(ofCall call: UUIDv7) throws(ViewsError) -> [RecordingState] {
        try recordings(in: .recordingsByCall, of: call, after: nil, limit: 100)
    }

    /// - Parameter party: a provider, customer, tenant, subscriber or carrier.
    public func recordings(ofParty party: UUIDv7, after id: UUIDv7?, limit: Int) throws(ViewsError) -> [RecordingState] {
        try recordings(in: .recordingsByParty, of: party, after: id, limit: limit)
    }

    private func recordings(in table: Table, of owner: UUIDv7, after id: UUIDv7?, limit: Int) throws(ViewsError) -> [RecordingState] {
        let prefix = Key(owner)
        var found: [RecordingState] = []
        for (key, _) in try page(table, prefix: prefix, after: id.map { prefix.adding($0) }, limit: limit) {
            if let state = try message(RecordingState.self, Key(Array(key.bytes.dropFirst(16))), in: .recordings) { found.append(state) }
        }
        return found
    }
}

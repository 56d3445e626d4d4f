public import Model
public import Primitives

extension ViewQueries where Self: ~Copyable {
    /// nil: the log has never held anything of it under its own name.
    public func subject(_ id: UUIDv7) throws(ViewsError) -> SubjectState? {
        try message(SubjectState.self, Key(id), in: .subjects)
    }

    public func subjects(after: UUIDv7? = nil, limit: Int) throws(ViewsError) -> [SubjectState] {
        try messages(SubjectState.self, in: .subjects, after: after.map { Key($0) }, limit: limit)
    }

    /// Erased ones, by id: their keys must not be there any more.
    public func erasedSubjects(after: UUIDv7? = nil, limit: Int) throws(ViewsError) -> [UUIDv7] {
        var ids: [UUIDv7] = []
        for (key, _) in try page(.subjectsErased, after: after.map { Key($0) }, limit: limit) {
            guard let id = UUIDv7(bytes: key.bytes) else { throw .unreadable(table: .subjectsErased) }
            ids.append(id)
        }
        return ids
    }
}

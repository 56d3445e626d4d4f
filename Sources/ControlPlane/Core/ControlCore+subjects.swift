import Model
import Primitives
import Projections
import Subjects

// The keys of erased subjects are destroyed after the erasure is durable and the views have taken it in: names that lead to
// the subject are then found and forgotten. A kill in between is made up for at the next start.
extension ControlCore {
    /// Erasures that the log knows and the key file does not: after a kill, or when the key file came from a backup.
    mutating func destroyKeysOfErased() throws(ViewsError) {
        guard let keys = views.keys else { return }
        let erased = try views.read { snapshot throws(ViewsError) in try snapshot.erasedSubjects(limit: .max) }
        condemned += erased.filter { keys.status(of: $0) != .erased }
    }

    /// What is left stays condemned.
    mutating func destroyCondemned() -> SubjectKeyError? {
        guard let keys = views.keys else { return nil }
        while let subject = condemned.last {
            do throws(SubjectKeyError) {
                try keys.destroy(subject)
            } catch {
                return error
            }
            condemned.removeLast()
        }
        return nil
    }
}

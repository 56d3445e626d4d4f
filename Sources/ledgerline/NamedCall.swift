import ArgumentParser
import Model
import Projections

/// Which call a command is about.
struct NamedCall: ParsableArguments {
    @Argument(help: "The call's id.") var call: String?
    @Option(help: "Number of the call's record.") var cdr: UInt64?

    func validate() throws {
        guard (call == nil) != (cdr == nil) else { throw ValidationError("give a call's id or --cdr") }
    }

    func id(_ views: Views) throws -> CallID {
        if let call {
            guard let id = CallID(call) else { throw fail(.data, "\(call) is not a call's id") }
            return id
        }
        let number = cdr ?? 0
        let record = try readViews(views) { views throws(ViewsError) in try views.cdr(number: number) }
        guard let record, let id = CallID(record.callID) else { throw fail(.data, "there is no call record \(number)") }
        return id
    }
}

import Model

extension ViewsError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .storage(let error): "the views' storage refuses: \(error)"
        case .log(let error): "\(error)"
        case .file(let path, let code): "\(path) cannot be read or written (system error \(code))"
        case .untrusted(let condition): "the views have to be built anew first (\(condition)): start the control plane"
        case .withoutLog: "call records and postings stand in the log: open it beside the views"
        case .behind(let asked, let have): "the views have come to event \(have), not to \(asked) yet: ask again in a moment"
        case .unreadable(let table): "the view \(table.rawValue) is damaged: stop the control plane, remove the views' directory, and start it again"
        case .event(let sequence, .unknownType(let type)):
            "event \(sequence) is of a type that this version does not know (\(type)): a newer version wrote it, use that one"
        case .event(let sequence, .newerSchema(let type, let version)):
            "event \(sequence) is of version \(version) of \(type), which this version does not know: a newer version wrote it, use that one"
        case .event(let sequence, .malformedPayload(let type)):
            "event \(sequence) (\(type)) cannot be read: run `ledgerline log verify`"
        case .outOfOrder(let expected, let actual):
            "event \(actual) came where \(expected) was expected: run `ledgerline log verify`"
        case .personal(let error): "\(error)"
        case .broken(let sequence, let rule): "event \(sequence) breaks a rule that every event keeps (\(rule)): run `ledgerline log verify`"
        }
    }
}

public import Ledger
public import Primitives
import Synchronization

/// An event that rows of the views lead to. The log holds it for ever, so the views need not hold it a second time.
public struct StoredFact {
    public let time: WallTime
    public let payload: [UInt8]

    init(time: WallTime, payload: [UInt8]) {
        self.time = time
        self.payload = payload
    }

    /// - Parameter log: nil: the views were opened without theirs.
    init(at sequence: UInt64, in log: (any EventLog)?) throws(ViewsError) {
        guard let log else { throw .withoutLog }
        let stored: [UInt8]?
        do {
            stored = try log.bytes(at: sequence)
        } catch {
            throw .log(error)
        }
        guard let stored, let header = unsafe EnvelopeHeader(parsing: stored.span.bytes), header.sequence == sequence else {
            throw .log(.damaged(sequence: sequence))
        }
        self.init(time: header.time, payload: Array(stored[header.payload]))
    }
}

extension StoredFact {
    /// The events of a stream that is short, as a call's is; the newest first.
    static func stream(_ id: UUIDv7, in log: (any EventLog)?) throws(ViewsError) -> [Envelope] {
        guard let log else { throw .withoutLog }
        do {
            return try log.history(of: id, before: nil, limit: .max)
        } catch {
            throw .log(error)
        }
    }
}

extension Views {
    /// Where the log is that these views are of. Records and postings are read from there; `catchUp` says it too.
    public func attach(_ log: any EventLog) { self.log.withLock { $0 = log } }
}

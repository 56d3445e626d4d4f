package import Model
import Primitives
import SwiftProtobuf

/// What the credit of a running call is decided by. A call on the phone asks for more every few seconds, so its row is
/// walked in place: who is in the call and what the worker last reported is neither decoded nor opened.
package struct LiveCallTerms: Sendable {
    /// The signal worker that carries the call.
    package private(set) var worker = ""
    /// Of the caller; of a call from outside, of the called.
    package private(set) var customer: CustomerID?
    /// Of the same party.
    package private(set) var line: SubscriberID?
    /// They are of the called.
    package private(set) var isOfCalled = false
    /// That the call was judged by, and whose limits hold while it lasts.
    package private(set) var securityGroup: SecurityGroupID?
    /// What is held now; nil: the call is not limited.
    package private(set) var hold: CreditHold?
    /// The price of the edge that was asked for; nil: it has none.
    package private(set) var rate: RateLock?

    /// nil: the bytes are not a `LiveCall`.
    fileprivate init?(_ row: [UInt8], edge: String) {
        let bytes = unsafe row.span.bytes
        var started = 0..<0
        var reader = WireReader(bytes)
        while reader.next(in: bytes) {
            switch reader.tag {
            case UInt64(LiveCallRow.started): started = reader.range
            case UInt64(LiveCallRow.worker): worker = String(decoding: row[reader.range], as: UTF8.self)
            case UInt64(LiveCallRow.hold):
                guard let found = try? CreditHold(serializedBytes: Array(row[reader.range])) else { return nil }
                hold = found
            default: break
            }
        }
        guard !reader.isMalformed else { return nil }
        reader = WireReader(started)
        while reader.next(in: bytes) {
            switch reader.tag {
            // The caller stands before the called.
            case 4 << 3 | 2, 5 << 3 | 2:
                var party = WireReader(reader.range)
                while party.next(in: bytes) {
                    if party.tag == 1 << 3 | 2, line == nil { line = party.id(in: bytes).map(SubscriberID.init) }
                    if party.tag == 3 << 3 | 2, customer == nil {
                        customer = party.id(in: bytes).map(CustomerID.init)
                        isOfCalled = reader.tag == 5 << 3 | 2
                    }
                }
                guard !party.isMalformed else { return nil }
            case 11 << 3 | 2:
                guard rate == nil, let name = Self.edge(of: reader.range, in: bytes), row[name].elementsEqual(edge.utf8) else { break }
                guard let found = try? RateLock(serializedBytes: Array(row[reader.range])) else { return nil }
                rate = found
            case 50 << 3 | 2: securityGroup = reader.id(in: bytes).map(SecurityGroupID.init)
            default: break
            }
        }
        guard !reader.isMalformed else { return nil }
    }

    private static func edge(of rate: Range<Int>, in bytes: RawSpan) -> Range<Int>? {
        var range: Range<Int>?
        var reader = WireReader(rate)
        while reader.next(in: bytes) {
            if reader.tag == 8 << 3 | 2 { range = reader.range }
        }
        return range
    }
}

extension ViewQueries where Self: ~Copyable {
    /// nil: the call has ended, or never was.
    ///
    /// - Parameter edge: whose price is asked for, as in `RateLock.edge`.
    package func liveCallTerms(_ id: CallID, edge: String) throws(ViewsError) -> LiveCallTerms? {
        guard let row = try value(Key(id.value), in: .liveCalls) else { return nil }
        guard let terms = LiveCallTerms(row, edge: edge) else { throw .unreadable(table: .liveCalls) }
        return terms
    }

    /// The plan that a customer is on; the customer's own data stay closed.
    package func servicePlan(of id: CustomerID) throws(ViewsError) -> ServicePlan? {
        guard let customer = try message(Customer.self, Key(id.value), in: .customers),
            let plan = ServicePlanID(customer.servicePlanID)
        else { return nil }
        return try servicePlan(plan)
    }
}

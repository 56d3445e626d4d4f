public import Model
import Primitives
import SwiftProtobuf

/// What the credit of a running call is decided by. A call on the phone asks for more every few seconds, so rows are walked in
/// place, and what was said when the call started is decoded once: what the worker last reported is not opened.
public struct LiveCallTerms {
    /// What is held now; nil: the call is not limited.
    public let hold: Hold?
    fileprivate let start: Start

    public struct Hold {
        public fileprivate(set) var micros: Int64 = 0
        /// Talk time that it covers.
        public fileprivate(set) var seconds: UInt32 = 0
        /// Free units that are set aside for the call.
        public fileprivate(set) var allowances: [AllowanceUse] = []
    }

    /// The signal worker that carries the call.
    public var worker: String { start.worker }
    /// Of the caller; of a call from outside, of the called.
    public var customer: CustomerID? { start.customer }
    /// Of the same party.
    public var line: SubscriberID? { start.line }
    /// They are of the called.
    public var isOfCalled: Bool { start.isOfCalled }
    /// That the call was judged by, and whose limits hold while it lasts.
    public var securityGroup: SecurityGroupID? { start.securityGroup }
    /// The price of the edge that was asked for; nil: it has none.
    public var rate: Rate? { start.rate }

    /// What of a price a renewal asks for.
    public final class Rate {
        public let tariff: Tariff
        public let payer: AccountRef
        /// Free units that the call may use.
        public let allowances: [AllowanceUse]
        fileprivate let account: Key?

        fileprivate init(_ lock: RateLock) {
            (tariff, payer, allowances) = (Tariff(lock), lock.payer, lock.allowances)
            account = Key(lock.payer)
        }
    }

    fileprivate init(hold: Hold?, start: Start) { (self.hold, self.start) = (hold, start) }

    /// What does not change while one worker carries the call.
    fileprivate final class Start {
        /// In the tables of calls.
        let key: Key
        let worker: String
        let edge: String
        let customer: CustomerID?
        let line: SubscriberID?
        let isOfCalled: Bool
        let securityGroup: SecurityGroupID?
        let rate: Rate?
        /// Of the customer, when it was last asked for, and of which time of the entities it is.
        var plan: (plan: ServicePlan, generation: UInt64)?

        /// nil: the row is not a `LiveCall`.
        init?(_ row: RawSpan, _ key: Key, edge: String) {
            var (worker, started) = (0..<0, 0..<0)
            var fields = WireReader(row)
            while fields.next(in: row) {
                switch fields.tag {
                case UInt64(LiveCallRow.started): started = fields.range
                case UInt64(LiveCallRow.worker): worker = fields.range
                default: break
                }
            }
            guard !fields.isMalformed else { return nil }
            let bytes = row.extracting(started)
            var (customer, line, isOfCalled): (CustomerID?, SubscriberID?, Bool) = (nil, nil, false)
            var (group, rate): (SecurityGroupID?, Rate?) = (nil, nil)
            var reader = WireReader(bytes)
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
                    guard rate == nil else { break }
                    guard let found = try? RateLock(wireBytes: bytes.array(reader.range)) else { return nil }
                    if found.edge == edge { rate = Rate(found) }
                case 50 << 3 | 2: group = reader.id(in: bytes).map(SecurityGroupID.init)
                default: break
                }
            }
            guard !reader.isMalformed else { return nil }
            self.worker = unsafe row.extracting(worker).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
            (self.key, self.edge) = (key, edge)
            (self.customer, self.line, self.isOfCalled) = (customer, line, isOfCalled)
            (securityGroup, self.rate) = (group, rate)
        }
    }
}

extension LiveCallTerms.Hold {
    /// nil: the bytes are not those of a `CreditHold`.
    fileprivate init?(_ bytes: RawSpan) {
        var reader = WireReader(bytes)
        while reader.next(in: bytes) {
            switch reader.tag {
            case 2 << 3: micros = reader.signed
            case 3 << 3: seconds = UInt32(truncatingIfNeeded: reader.number)
            case 90 << 3 | 2:
                guard let use = try? AllowanceUse(wireBytes: bytes.array(reader.range)) else { return nil }
                allowances.append(use)
            default: break
            }
        }
        guard !reader.isMalformed else { return nil }
    }
}

extension RawSpan {
    fileprivate func array(_ range: Range<Int>) -> [UInt8] {
        unsafe extracting(range).withUnsafeBytes { unsafe Array($0) }
    }
}

extension ViewQueries where Self: ~Copyable {
    /// nil: the call has ended, or never was.
    ///
    /// - Parameter edge: whose price is asked for, as in `RateLock.edge`.
    public func liveCallTerms(_ id: CallID, edge: String) throws(ViewsError) -> LiveCallTerms? {
        var start = entities?.ofCall(LiveCallTerms.Start.self, id.value)
        if start?.edge != edge {
            let key = Key(id.value)
            start = try withValue(key, in: .liveCalls) { row throws(ViewsError) in
                guard let start = LiveCallTerms.Start(row, key, edge: edge) else { throw .unreadable(table: .liveCalls) }
                return start
            }
            if let start { entities?.keep(start, ofCall: id.value) }
        }
        guard let start else { return nil }
        let hold: LiveCallTerms.Hold? = try withValue(start.key, in: .holds) { row throws(ViewsError) in
            guard let hold = LiveCallTerms.Hold(row) else { throw .unreadable(table: .holds) }
            return hold
        }
        return LiveCallTerms(hold: hold, start: start)
    }

    /// The same plan, which the call remembers as long as no entity changes.
    public func servicePlan(of id: CustomerID, on call: LiveCallTerms) throws(ViewsError) -> ServicePlan? {
        guard let entities else { return try servicePlan(of: id) }
        let generation = entities.generation(keys)
        if let known = call.start.plan, known.generation == generation { return known.plan }
        let plan = try servicePlan(of: id)
        call.start.plan = plan.map { ($0, generation) }
        return plan
    }

    /// Balance, and what of it is set aside for calls that run, of the account that pays for a call.
    public func funds(of rate: LiveCallTerms.Rate) throws(ViewsError) -> (balance: Int64, held: Int64) {
        guard let account = rate.account else { return (0, 0) }
        return try funds(at: account)
    }

    /// The plan that a customer is on; the customer's own data stay closed.
    public func servicePlan(of id: CustomerID) throws(ViewsError) -> ServicePlan? {
        if let known = entities?.made(PlanOfCustomer.self, id.value, keys) { return known.plan }
        guard let customer = try message(Customer.self, Key(id.value), in: .customers),
            let planID = ServicePlanID(customer.servicePlanID), let plan = try servicePlan(planID)
        else { return nil }
        entities?.keep(PlanOfCustomer(plan), id.value)
        return plan
    }
}

/// Every renewal asks for it.
private final class PlanOfCustomer {
    let plan: ServicePlan
    init(_ plan: ServicePlan) { self.plan = plan }
}

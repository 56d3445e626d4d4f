import Foundation
public import Model
public import Primitives
import SwiftProtobuf

/// What customers have used of their free units in each period, what is set aside for calls that run, and which packages they
/// have.
public enum AllowancesProjection: Projection {
    public static let name = "allowances"
    public static let version: UInt32 = 1
    public static let tables: [Table] = [.allowances, .allowanceHolds, .packages, .packageEnds]

    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .packageBought(let event):
            let key = try views.key(event.customerID, "customer_id", context)
            let id = try views.key(event.id, "id", context)
            try forgetEnd(of: Key(key.bytes + id.bytes), id, in: &views)
            var state = PackageState()
            state.bought = event
            try views.putMessage(state, Key(key.bytes + id.bytes), in: .packages)
            if event.package.isRenewing { try views.put(key.bytes, endKey(event, id), in: .packageEnds) }
        case .packageCancelled(let event):
            let customer = try views.key(event.customerID, "customer_id", context)
            let id = try views.key(event.id, "id", context)
            let key = Key(customer.bytes + id.bytes)
            guard var state = try views.message(PackageState.self, key, in: .packages) else { return }
            try forgetEnd(of: key, id, in: &views)
            state.isCancelled = true
            try views.putMessage(state, key, in: .packages)
        case .chargeCorrected(let event):
            guard event.charge.payer.kind == .customer else { return }
            for use in event.allowancesMoved { try move(use, of: event.charge.payer.ownerID, context, in: &views) }
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged,
            .rateDeckVersionPublished, .servicePlanCreated, .servicePlanChanged, .customerCreated, .customerChanged,
            .dialPlanCreated, .dialPlanChanged, .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged,
            .numberAdded, .numberChanged, .subscriberCreated, .subscriberChanged, .entityRemoved, .tokenIssued,
            .tokenRevoked, .registrationsCleared, .workerEnrolled, .workerRevoked, .journalPosted, .callStarted, .callAnswered, .callUpdated,
            .callAdopted, .creditRenewed, .callEnded, .cdrRecorded, .securityGroupCreated, .securityGroupChanged, .domainAdded, .domainChanged, .cdrExportCreated, .cdrExportChanged,
            .cdrFileExported, .cdrFileDelivered, .subjectErased, .subjectHoldChanged, .recordsRead, .rerateStepped, .rateDeckRowsAdded,
            .userCreated, .userChanged, .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .feeCharged, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            break
        }
    }

    private static func endKey(_ bought: PackageBought, _ id: Key) -> Key {
        var key = Key()
        key.add(WallTime(microseconds: bought.endsAt))
        return Key(key.bytes + id.bytes)
    }

    private static func forgetEnd(of key: Key, _ id: Key, in views: inout ViewTransaction) throws(ViewsError) {
        guard let before = try views.message(PackageState.self, key, in: .packages) else { return }
        try views.remove(endKey(before.bought, id), in: .packageEnds)
    }

    // MARK: - facts of calls

    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool {
        switch fact {
        case .callStarted: try hold(12 << 3 | 2, fact, payload, context, in: &views)
        case .creditRenewed: try hold(2 << 3 | 2, fact, payload, context, in: &views)
        case .callEnded: try release(FixedKey(try views.callID(fact, payload, context)), context, in: &views)
        case .cdrRecorded: try use(payload, context, in: &views)
        case .callAnswered, .callUpdated, .callAdopted, .journalPosted: break
        }
        return true
    }

    private static let allowances: UInt64 = 90 << 3 | 2

    /// A hold replaces what was set aside for the call before. Most calls have none.
    private static func hold(
        _ tag: UInt64, _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let call = FixedKey(try views.callID(fact, payload, context))
        try release(call, context, in: &views)
        var hold = 0..<0
        var reader = WireReader(payload)
        while reader.next(in: payload) {
            if reader.tag == tag { hold = reader.range }
        }
        guard !reader.isMalformed else { throw fact.malformed(context) }
        var isHeld = false
        var inner = WireReader(hold)
        while inner.next(in: payload) { isHeld = isHeld || inner.tag == allowances }
        guard isHeld else { return }
        try change(unsafe payload.extracting(hold).withUnsafeBytes { unsafe Array($0) }, by: 1, context, in: &views)
        views.buffers.allowanceHolds.put(call, payload.extracting(hold))
    }

    private static func release(_ call: FixedKey, _ context: EventContext, in views: inout ViewTransaction) throws(ViewsError) {
        let holds = views.buffers.allowanceHolds
        guard let row = try views.find(call, in: .allowanceHolds, holds) else { return }
        try change(holds.withValue(row) { value in unsafe value.withUnsafeBytes { unsafe Array($0) } }, by: -1, context, in: &views)
        holds.remove(call)
    }

    private static func change(
        _ hold: [UInt8], by sign: Int64, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        guard let hold = try? CreditHold(serializedBytes: hold) else { throw .unreadable(table: .allowanceHolds) }
        for use in hold.allowances {
            try add(use, of: hold.account.ownerID, context, in: &views) { state in
                state.heldSeconds &+= sign * Int64(use.seconds)
                state.heldMicros &+= sign * use.micros
            }
        }
    }

    private static func use(
        _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        var cdr = 0..<0
        var outer = WireReader(payload)
        while outer.next(in: payload) {
            if outer.tag == 1 << 3 | 2 { cdr = outer.range }
        }
        var reader = WireReader(cdr)
        while reader.next(in: payload) {
            guard reader.tag == 16 << 3 | 2 else { continue }
            var isUsed = false
            var charge = WireReader(reader.range)
            while charge.next(in: payload) { isUsed = isUsed || charge.tag == allowances }
            guard isUsed else { continue }
            let bytes = unsafe payload.extracting(reader.range).withUnsafeBytes { unsafe Array($0) }
            guard let charge = try? Charge(serializedBytes: bytes) else { throw CallFact.cdrRecorded.malformed(context) }
            for use in charge.allowances { try move(use, of: charge.payer.ownerID, context, in: &views) }
        }
        guard !outer.isMalformed, !reader.isMalformed else { throw CallFact.cdrRecorded.malformed(context) }
    }

    private static func move(
        _ use: AllowanceUse, of customer: Data, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        try add(use, of: customer, context, in: &views) { state in
            state.usedSeconds &+= use.isReturned ? -Int64(use.seconds) : Int64(use.seconds)
            state.usedMicros &+= use.isReturned ? -use.micros : use.micros
        }
    }

    private static func add(
        _ use: AllowanceUse, of customer: Data, _ context: EventContext, in views: inout ViewTransaction,
        _ body: (inout AllowanceState) -> Void
    ) throws(ViewsError) {
        let key = Key.allowance(
            try views.key(customer, "customer_id", context), try views.key(use.sourceID, "source_id", context), use.number,
            WallTime(microseconds: use.periodStart))
        var state = try views.allowanceState(key)
        body(&state)
        try views.put(state.bytes, key, in: .allowances)
    }
}

extension Key {
    static func allowance(_ customer: Key, _ source: Key, _ number: UInt32, _ start: WallTime) -> Key {
        var key = Key(customer.bytes + source.bytes).adding(number)
        key.add(start)
        return key
    }
}

/// Of one allowance of a customer in one period.
public struct AllowanceState: Equatable, Sendable {
    public var usedSeconds: Int64 = 0
    public var usedMicros: Int64 = 0
    /// Set aside for calls that run.
    public var heldSeconds: Int64 = 0
    public var heldMicros: Int64 = 0

    public init() {}

    fileprivate var bytes: [UInt8] {
        [usedSeconds, usedMicros, heldSeconds, heldMicros].reduce(into: Key()) { $0.add(UInt64(bitPattern: $1)) }.bytes
    }
}

extension ViewQueries where Self: ~Copyable {
    public func allowance(
        of customer: CustomerID, _ source: UUIDv7, _ number: UInt32, from start: WallTime
    ) throws(ViewsError) -> AllowanceState {
        try allowanceState(Key.allowance(Key(customer.value), Key(source), number, start))
    }

    /// Whether a call of the customer ever had free units to use.
    public func hasFreeUnits(_ customer: CustomerID) throws(ViewsError) -> Bool {
        try !page(.allowances, prefix: Key(customer.value), limit: 1).isEmpty
    }

    fileprivate func allowanceState(_ key: Key) throws(ViewsError) -> AllowanceState {
        var state = AllowanceState()
        guard let bytes = try value(key, in: .allowances) else { return state }
        var reader = KeyReader(bytes)
        guard let a = reader.number64(), let b = reader.number64(), let c = reader.number64(), let d = reader.number64() else {
            throw .unreadable(table: .allowances)
        }
        (state.usedSeconds, state.usedMicros) = (Int64(bitPattern: a), Int64(bitPattern: b))
        (state.heldSeconds, state.heldMicros) = (Int64(bitPattern: c), Int64(bitPattern: d))
        return state
    }

    /// What a customer has bought, in the order in which it was; what is over is there too.
    public func packages(
        of customer: CustomerID, after: UUIDv7? = nil, limit: Int = .max
    ) throws(ViewsError) -> [PackageState] {
        let prefix = Key(customer.value)
        return try messages(PackageState.self, in: .packages, prefix: prefix, after: after.map(prefix.adding), limit: limit)
    }

    public func package(of customer: CustomerID, _ id: UUIDv7) throws(ViewsError) -> PackageState? {
        try message(PackageState.self, Key(customer.value).adding(id), in: .packages)
    }

    /// Packages that are renewed and have ended, the oldest end first.
    public func packagesEnded(by time: WallTime, limit: Int) throws(ViewsError) -> [PackageState] {
        var found: [PackageState] = []
        try scan(.packageEnds, from: Key()) { key, customer throws(ViewsError) in
            var reader = KeyReader(key.bytes)
            guard let end = reader.time(), let id = reader.id() else { throw .unreadable(table: .packageEnds) }
            guard end <= time, found.count < limit else { return false }
            if let state = try message(PackageState.self, Key(customer).adding(id), in: .packages) { found.append(state) }
            return true
        }
        return found
    }
}

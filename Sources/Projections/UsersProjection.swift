import Foundation
public import Model
public import Primitives

/// How users log in, and the mail that is on its way to them: what is due next, and which links were used.
public enum UsersProjection: Projection {
    public static let name = "users"
    public static let version: UInt32 = 2
    public static let tables: [Table] = [.logins, .letters, .lettersDue]

    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .userLoggedIn(let event):
            let key = try views.key(event.userID, "user_id", context)
            var state = try views.message(LoginState.self, key, in: .logins) ?? LoginState()
            state.failures = 0
            state.lockedUntil = 0
            state.totpStep = max(state.totpStep, event.totpStep)
            state.sessions.removeAll { event.ended.contains($0) }
            if !event.tokenID.isEmpty { state.sessions.append(event.tokenID) }
            try views.putMessage(state, key, in: .logins)
        case .userLoginFailed(let event):
            let key = try views.key(event.userID, "user_id", context)
            var state = try views.message(LoginState.self, key, in: .logins) ?? LoginState()
            state.failures = event.failures
            state.lockedUntil = event.lockedUntil
            try views.putMessage(state, key, in: .logins)
        case .userChanged(let event):
            guard event.totpStep > 0 else { return }
            let key = try views.key(event.user.id, "user.id", context)
            var state = try views.message(LoginState.self, key, in: .logins) ?? LoginState()
            state.totpStep = max(state.totpStep, event.totpStep)
            try views.putMessage(state, key, in: .logins)
        case .entityRemoved(let event):
            guard event.kind == .user else { return }
            try views.remove(try views.key(event.id, "id", context), in: .logins)
        case .letterWanted(let event):
            var state = LetterState()
            state.letter = event.letter
            state.dueAt = event.letter.wantedAt
            let key = try views.key(event.letter.id, "letter.id", context)
            try views.put([], dueKey(state, key), in: .lettersDue)
            try views.putMessage(state, key, in: .letters)
        case .letterSent(let event):
            try change(event.letterID, context, in: &views) { state in
                state.attempts = event.attempt
                state.sentAt = context.time.microseconds
                state.dueAt = 0
                state.fault = ""
            }
        case .letterFailed(let event):
            try change(event.letterID, context, in: &views) { state in
                state.attempts = event.attempt
                state.dueAt = event.retryAt
                state.fault = event.reason
            }
        case .letterUsed(let event):
            try change(event.letterID, context, in: &views) { $0.usedAt = context.time.microseconds }
            // Whoever reads the user's mail is not whom the lock keeps out.
            let key = try views.key(event.userID, "user_id", context)
            guard var state = try views.message(LoginState.self, key, in: .logins) else { return }
            state.failures = 0
            state.lockedUntil = 0
            try views.putMessage(state, key, in: .logins)
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged, .rateDeckVersionPublished,
            .servicePlanCreated, .servicePlanChanged, .customerCreated, .customerChanged, .dialPlanCreated,
            .dialPlanChanged, .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged, .numberAdded,
            .numberChanged, .subscriberCreated, .subscriberChanged, .tokenIssued, .tokenRevoked, .registrationsCleared,
            .domainAdded, .domainChanged, .workerEnrolled, .workerRevoked, .journalPosted, .callStarted, .callAnswered,
            .callUpdated, .callAdopted, .creditRenewed, .callEnded, .cdrRecorded, .subjectErased, .subjectHoldChanged,
            .recordsRead, .securityGroupCreated, .securityGroupChanged, .cdrExportCreated, .cdrExportChanged,
            .cdrFileExported, .cdrFileDelivered, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved, .feeCharged, .packageBought, .packageCancelled,
            .userCreated:
            break
        }
    }

    /// Facts of calls change nothing here.
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool { true }

    private static func change(
        _ id: Data, _ context: EventContext, in views: inout ViewTransaction, _ body: (inout LetterState) -> Void
    ) throws(ViewsError) {
        let key = try views.key(id, "letter_id", context)
        guard var state = try views.message(LetterState.self, key, in: .letters) else { return }
        let before = state
        body(&state)
        if state.dueAt != before.dueAt {
            if before.dueAt != 0 { try views.remove(dueKey(before, key), in: .lettersDue) }
            if state.dueAt != 0 { try views.put([], dueKey(state, key), in: .lettersDue) }
        }
        try views.putMessage(state, key, in: .letters)
    }

    /// Invoices stand behind everything else that is due, whatever the time.
    private static func dueKey(_ state: LetterState, _ letter: Key) -> Key {
        let time = UInt64(bitPattern: max(0, state.dueAt))
        return Key(Key(state.letter.kind == .invoice ? time | bulkBit : time).bytes + letter.bytes)
    }

    fileprivate static let bulkBit: UInt64 = 1 << 63
}

extension ViewQueries where Self: ~Copyable {
    public func logins(of user: UserID) throws(ViewsError) -> LoginState {
        try message(LoginState.self, Key(user.value), in: .logins) ?? LoginState()
    }

    public func letter(_ id: LetterID) throws(ViewsError) -> LetterState? {
        guard let state = try message(LetterState.self, Key(id.value), in: .letters) else { return nil }
        return try opened(state)
    }

    /// Those that are to be sent, the earliest first.
    ///
    /// - Parameter isBulk: invoices, instead of everything else.
    public func letters(dueBy time: WallTime, isBulk: Bool = false, limit: Int) throws(ViewsError) -> [LetterState] {
        var states: [LetterState] = []
        let bit = isBulk ? UsersProjection.bulkBit : 0
        // Nothing is due at time zero.
        for (key, _) in try page(.lettersDue, prefix: Key([]), after: isBulk ? Key(bit) : nil, limit: limit) {
            guard key.bytes.count == 24, let id = UUIDv7(bytes: key.bytes[8...]) else { throw .unreadable(table: .lettersDue) }
            let due = key.bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
            guard due <= UInt64(bitPattern: max(0, time.microseconds)) | bit else { break }
            if let state = try letter(LetterID(id)) { states.append(state) }
        }
        return states
    }
}

package import Model
package import Primitives
package import Projections

/// By which token something is asked. The API has checked it against a view that may be a moment old; the core checks it
/// again, against the state that the decision is made on, so that a token that is revoked moves no money any more.
package struct Authority: Equatable, Sendable {
    package var token: TokenID
    /// The node that the token's holder acts for; nil: its own scope.
    package var actingFor: UUIDv7?

    package init(token: TokenID, actingFor: UUIDv7? = nil) {
        self.token = token
        self.actingFor = actingFor
    }
}

/// A token as it stands: what its holder may do, and where.
package struct Standing: Sendable {
    package var token: Token
    package var role: Role
    package var reach: Reach
    /// Of the party whose scope it is, or of one above it: the gravest.
    package var status: Status

    package func holds(_ right: Right) -> Bool { right.isHeld(by: role, at: reach.level) && right.isAllowed(to: status) }
}

package enum StandingError: Error, Equatable {
    case gone
    case expired
    /// The node that is to be acted for is not below the token's scope, or the role acts for nobody.
    case mayNotAct
    /// The party was terminated, or one above it.
    case terminated
}

extension ViewQueries where Self: ~Copyable {
    /// - Parameter token: nil: there is no such token.
    package func standing(of token: Token?, actingFor node: UUIDv7?, at time: WallTime) throws -> Standing {
        guard let token, let reach = try reach(scope: UUIDv7(bytes: token.scopeID)) else { throw StandingError.gone }
        guard token.expiresAt == 0 || token.expiresAt > time.microseconds else { throw StandingError.expired }
        let own = Standing(token: token, role: token.role, reach: reach, status: try status(of: reach))
        guard own.status.allows(.read) else { throw StandingError.terminated }
        guard let node else { return own }
        guard own.holds(.actFor), let target = try self.reach(scope: node), let place = try place(of: target),
            reach.holds(place), let role = token.role.acting(at: target.level)
        else { throw StandingError.mayNotAct }
        return Standing(token: token, role: role, reach: target, status: try status(of: target))
    }

    /// The gravest of a node's status and those above it. The platform has none.
    package func status(of reach: Reach) throws(ViewsError) -> Status {
        guard let place = try place(of: reach) else { return .active }
        var status = Status.active
        for id in place.providers { status = status.worse(try provider(id)?.status ?? .active) }
        if let id = place.customer { status = status.worse(try customer(id)?.status ?? .active) }
        if let id = place.tenant { status = status.worse(try tenant(id)?.status ?? .active) }
        if let id = place.subscriber { status = status.worse(try subscriber(id)?.status ?? .active) }
        return status
    }
}

extension Authority {
    /// Throws if the command is one that moves money or secrets, and the token does not allow it now.
    func check<State: ViewQueries & ~Copyable>(
        _ command: AdminCommand, in state: borrowing State, at time: WallTime
    ) throws {
        let standing: Standing
        do {
            standing = try state.standing(of: try state.token(token), actingFor: actingFor, at: time)
        } catch let error as StandingError {
            switch error {
            case .gone: throw AdminRejection.forbidden(reason: "the token was revoked in the meantime")
            case .expired: throw AdminRejection.forbidden(reason: "the token has expired")
            case .mayNotAct: throw AdminRejection.forbidden(reason: "the token does not allow to act for this party")
            case .terminated: throw AdminRejection.forbidden(reason: "the party of the token is terminated")
            }
        }
        guard let demand = try command.demand(in: state) else { return }
        guard standing.holds(demand.right) else {
            throw AdminRejection.forbidden(reason: "this needs the right \(demand.right.rawValue)")
        }
        // What is not there is the decider's to say.
        for place in demand.places where !standing.reach.holds(place) {
            throw AdminRejection.forbidden(reason: "this is outside of the token's scope")
        }
        if case .identity(.createUser(let user)) = command, !standing.role.mayGrant(user.role) {
            throw AdminRejection.forbidden(
                reason: "a token with the role \(standing.role.literal) makes no user with \(user.role.literal)")
        }
        if case .issueToken(let issued) = command, !standing.role.mayGrant(issued.role) {
            throw AdminRejection.forbidden(
                reason: "a token with the role \(standing.role.literal) issues none with \(issued.role.literal)")
        }
    }
}

extension AdminCommand {
    /// The right and the places of commands that move money or secrets; nil for all others.
    fileprivate func demand<State: ViewQueries & ~Copyable>(
        in state: borrowing State
    ) throws -> (right: Right, places: [Place])? {
        func place(_ kind: EntityKind, _ id: UUIDv7?) throws -> [Place] {
            guard let id else { return [] }
            return try state.place(of: kind, id).map { [$0] } ?? []
        }
        /// Where what a debtor owes is booked: a provider's debt in the books of the one above, so that it cannot credit itself.
        func place(of debtor: Debtor?) throws -> [Place] {
            switch debtor {
            case .customer(let id)?: try place(.customer, id.value)
            case .provider(let id)?: try state.provider(id).map { [try state.place(provider: $0.parentID)] } ?? []
            case nil: []
            }
        }
        switch self {
        case .topUp(let id, _, _): return (.postMoney, try place(.customer, id.value))
        case .pay(let id, _, _): return (.postMoney, try place(of: .provider(id)))
        case .adjust(let debtor, _, _): return (.postMoney, try place(of: debtor))
        case .buyPackage(let id, _), .cancelPackage(let id, _, _): return (.buyPackages, try place(.customer, id.value))
        case .rerate(let step): return (.postMoney, try place(.rateDeck, step.terms.deck.value))
        case .issueToken(let token):
            let scope = try state.reach(scope: UUIDv7(bytes: token.scopeID))
            return (.writeTokens, try scope.flatMap { try state.place(of: $0) }.map { [$0] } ?? [])
        case .revokeToken(let id):
            guard let token = try state.token(id) else { return (.writeTokens, []) }
            let scope = try state.reach(scope: UUIDv7(bytes: token.scopeID))
            return (.writeTokens, try scope.flatMap { try state.place(of: $0) }.map { [$0] } ?? [])
        case .createSubscriber(let subscriber, _):
            return (.writeSubscribers, try place(.tenant, UUIDv7(bytes: subscriber.tenantID)))
        case .changeSubscriber(let subscriber, _, _):
            return (.changeSubscribers, try place(.subscriber, UUIDv7(bytes: subscriber.id)))
        case .createCarrier(let carrier):
            return (.writeNetwork, [try state.place(provider: carrier.providerID)])
        case .changeCarrier(let carrier, _): return (.writeNetwork, try place(.carrier, UUIDv7(bytes: carrier.id)))
        case .identity(.createUser(let user)):
            let scope = try state.reach(scope: UUIDv7(bytes: user.scopeID))
            return (.writeTokens, try scope.flatMap { try state.place(of: $0) }.map { [$0] } ?? [])
        case .identity(.changeUser(let user, _)): return (.writeTokens, try place(.user, UUIDv7(bytes: user.id)))
        case .remove(.user, let id, _): return (.writeTokens, try place(.user, id))
        // The user's own, and shown to be by a password, a code or a link.
        case .identity: return nil
        case .approveAdjustment(let id), .refuseAdjustment(let id, _):
            return (.postMoney, try place(of: try state.adjustment(id)?.requested.debtor))
        case .makeVouchers(let batch, _): return (.postMoney, [try state.place(provider: batch.providerID)])
        case .redeemVoucher(let id, _): return (.redeemVouchers, try place(.customer, id.value))
        case .issueInvoice(let invoice): return (.postMoney, try place(of: invoice.debtor))
        case .mailInvoice(let id): return (.postMoney, try place(of: try state.invoice(id)?.debtor))
        case .changeBilling(let billing): return (.writePrices, [try state.place(provider: billing.providerID)])
        case .eraseSubject: return (.eraseSubjects, [])
        case .removeRecording(let id, _):
            guard let started = try state.recording(id)?.started else { return nil }
            var places: [Place] = []
            if started.isCallers { places += try place(.tenant, UUIDv7(bytes: started.caller.tenantID)) }
            if started.isCalled { places += try place(.tenant, UUIDv7(bytes: started.called.tenantID)) }
            return (.removeRecordings, places)
        case .createProvider, .changeProvider, .createContact, .changeContact, .createRateDeck, .changeRateDeck, .publishDeckVersion, .addDeckRows,
            .createServicePlan, .changeServicePlan, .createCustomer, .changeCustomer, .createDialPlan, .changeDialPlan,
            .createTenant, .changeTenant, .addNumber, .addNumbers, .reserveNumber,
            .reserveNumbers, .freeNumber, .freeNumbers, .createSecurityGroup, .changeSecurityGroup, .changeNumber, .assignNumber, .releaseNumber, .createCdrExport,
            .changeCdrExport, .recordCdrFile, .recordCdrDelivery, .remove, .enrollWorker, .revokeWorker, .drainWorker,
            .hangUp, .holdSubject, .recordReading, .publishInvoiceTemplate, .expireAdjustment, .watchBalance, .watchSpend, .recordAlertSent,
            .recordInvoicePrint, .clearRegistrations, .addDomain, .recordDomainCheck:
            return nil
        }
    }
}

package import Primitives

/// The client side (RFC 3261 §17.1).
extension TransactionLayer {
    /// Sends a request in a transaction of its own. The request has its own Via on top, with a branch that was
    /// never used before.
    ///
    /// - Parameter otherwise: the same request, with the same branch, and the hop that it takes when the first is unreachable
    ///   before anything was heard (RFC 3261 §18.1.1: a large request that cannot go by TCP).
    /// - Returns: nil when the table is full, or for an ACK, which has no transaction: see `acknowledge`.
    package mutating func send(
        _ request: SIPMessage, to hop: Hop, otherwise: (request: SIPMessage, hop: Hop)? = nil, now: Instant,
        into effects: inout [Effect]
    ) -> ClientTransactionID? {
        guard let method = request.method, method != .ack, clients.count < clientsMax else { return nil }
        return start(request, method, to: hop, otherwise: otherwise, isSilent: false, now: now, into: &effects)
    }

    /// Begins again by the other way, if there is one and nothing has been heard yet.
    mutating func takeOtherWay(client number: UInt64, now: Instant, into effects: inout [Effect]) -> Bool {
        guard let entry = clients[number], let (request, hop) = entry.sent?.otherwise, !entry.hasProvisional,
            let method = request.method
        else { return false }
        switch entry.machine {
        case .invite(let machine):
            guard case .calling = machine.state else { return false }
        case .plain(let machine):
            guard case .trying = machine.state else { return false }
        }
        let bytes = request.bytes
        clients[number] = ClientEntry(
            origin: .init(key: entry.origin.key, hop: hop, isSilent: entry.origin.isSilent), sent: .init(request, bytes),
            machine: machine(method, on: hop, now: now))
        change(client: number) { $0.wantsCancel = entry.wantsCancel }
        effects.append(.send(bytes, hop))
        schedule(client: number)
        return true
    }

    private func machine(_ method: Method, on hop: Hop, now: Instant) -> ClientEntry.Machine {
        // Both machines begin by sending the request.
        if method == .invite {
            var actions: [InviteClientMachine.Action] = []
            return .invite(
                InviteClientMachine(now: now, timers: timers, isReliable: hop.transport.isReliable, into: &actions))
        }
        var actions: [ClientMachine.Action] = []
        return .plain(ClientMachine(now: now, timers: timers, isReliable: hop.transport.isReliable, into: &actions))
    }

    /// Sends the ACK for a 2xx, and again each time that 2xx is repeated.
    package mutating func acknowledge(
        _ ack: SIPMessage, of id: ClientTransactionID?, to hop: Hop, into effects: inout [Effect]
    ) {
        let bytes = ack.bytes
        if let number = id?.number {
            let tag = ack.to.tag
            change(client: number) { entry in
                guard entry.acknowledgements.count < 16, !entry.acknowledgements.contains(where: { $0.toTag == tag }) else { return }
                entry.acknowledgements.append(.init(toTag: tag, bytes: bytes, hop: hop))
            }
        }
        effects.append(.send(bytes, hop))
    }

    /// Cancels an INVITE (§9.1): at once if a provisional response has come, else when the first one comes. The
    /// INVITE's own final response (487, or a 2xx that was faster) still arrives, or `failed` after 64·T1.
    ///
    /// - Parameter reason: value of the CANCEL's Reason header (RFC 3326).
    /// - Returns: false when there is nothing to cancel any more.
    @discardableResult
    package mutating func cancel(
        _ id: ClientTransactionID, reason: String? = nil, now: Instant, into effects: inout [Effect]
    ) -> Bool {
        guard let entry = clients[id.number], case .invite(let machine) = entry.machine, !entry.wantsCancel else {
            return false
        }
        switch machine.state {
        case .calling, .proceeding: break
        case .completed, .accepted, .ended: return false
        }
        change(client: id.number) { ($0.wantsCancel, $0.cancelReason) = (true, reason) }
        if entry.hasProvisional {
            sendCancel(of: id.number, now: now, into: &effects)
        } else {
            drive(client: id.number, .cancelled, now: now, into: &effects)
        }
        return true
    }

    private mutating func sendCancel(of number: UInt64, now: Instant, into effects: inout [Effect]) {
        guard let entry = clients[number], let sent = entry.sent else { return }
        _ = start(sent.request.cancellation(reason: entry.cancelReason), .cancel, to: entry.origin.hop, isSilent: true, now: now, into: &effects)
        drive(client: number, .cancelled, now: now, into: &effects)
    }

    private mutating func start(
        _ request: SIPMessage, _ method: Method, to hop: Hop, otherwise: (request: SIPMessage, hop: Hop)? = nil, isSilent: Bool,
        now: Instant, into effects: inout [Effect]
    ) -> ClientTransactionID? {
        let key = ClientKey(branch: request.branch ?? "", method: method)
        guard clientKeys[key] == nil else { return nil }
        let number = takeNumber()
        let bytes = request.bytes
        clients[number] = ClientEntry(
            origin: .init(key: key, hop: hop, isSilent: isSilent), sent: .init(request, bytes, otherwise: otherwise),
            machine: machine(method, on: hop, now: now))
        clientKeys[key] = number
        effects.append(.send(bytes, hop))
        schedule(client: number)
        return ClientTransactionID(number: number)
    }

    /// Whether a transaction here waits for this response, or has had it.
    package func expects(response: SIPMessage) -> Bool {
        response.branch.map { clientKeys[ClientKey(branch: $0, method: response.cseq.method)] != nil } ?? false
    }

    mutating func receive(response: SIPMessage, on hop: Hop, now: Instant, into effects: inout [Effect]) {
        guard let branch = response.branch, let number = clientKeys[ClientKey(branch: branch, method: response.cseq.method)] else {
            effects.append(.stray(response, hop))
            return
        }
        if response.isSuccess, response.cseq.method == .invite, let entry = clients[number] {
            if entry.successTags.contains(response.to.tag) {
                // Before the application has acknowledged there is nothing to repeat, and it knows already.
                guard let sent = entry.acknowledgements.first(where: { $0.toTag == response.to.tag }) else { return }
                effects.append(.send(sent.bytes, sent.hop))
                return
            }
            // A fork of this width is an attack.
            guard entry.successTags.count < 16 else { return }
            change(client: number) { $0.successTags.append(response.to.tag) }
        }
        drive(client: number, .response(response, hop), now: now, into: &effects)
    }

    mutating func drive(client number: UInt64, _ input: ClientEntry.Input, now: Instant, into effects: inout [Effect]) {
        guard let (machine, hadProvisional) = change(client: number, { ($0.machine, $0.hasProvisional) }) else { return }
        if !hadProvisional, case .response(let response, _) = input, response.isProvisional { change(client: number) { $0.hasProvisional = true } }
        switch machine {
        case .invite(let machine): drive(invite: machine, number, input, now, &effects)
        case .plain(let machine): drive(plain: machine, number, input, now, &effects)
        }
        schedule(client: number)
        if !hadProvisional, change(client: number, { $0.wantsCancel && $0.hasProvisional }) == true {
            sendCancel(of: number, now: now, into: &effects)
        }
    }

    private mutating func drive(
        invite machine: InviteClientMachine, _ number: UInt64, _ input: ClientEntry.Input, _ now: Instant, _ effects: inout [Effect]
    ) {
        var machine = machine
        var actions: [InviteClientMachine.Action] = []
        let machineInput: InviteClientMachine.Input =
            switch input {
            case .response(let response, _) where response.isProvisional: .provisional
            case .response(let response, _) where response.isSuccess: .success
            case .response: .failure
            case .cancelled: .cancel
            case .unreachable: .unreachable
            case .tick: .tick
            }
        machine.handle(machineInput, now: now, timers: timers, into: &actions)
        change(client: number) {
            $0.machine = .invite(machine)
            if case .accepted = machine.state { $0.sent = nil }
        }
        for action in actions {
            switch action {
            case .transmit: transmit(number, &effects)
            case .acknowledge:
                guard case .response(let response, _) = input, let (sent, origin) = change(client: number, { ($0.sent, $0.origin) }), let sent else { continue }
                effects.append(.send(sent.request.acknowledgement(of: response).bytes, origin.hop))
            case .deliver: deliver(input, number, &effects)
            case .timeOut: report(.timeout, number, &effects)
            case .reportUnreachable: report(.unreachable, number, &effects)
            case .end: remove(client: number)
            }
        }
    }

    private mutating func drive(
        plain machine: ClientMachine, _ number: UInt64, _ input: ClientEntry.Input, _ now: Instant, _ effects: inout [Effect]
    ) {
        var machine = machine
        var actions: [ClientMachine.Action] = []
        let machineInput: ClientMachine.Input
        switch input {
        case .response(let response, _): machineInput = response.isProvisional ? .provisional : .final
        case .unreachable: machineInput = .unreachable
        case .tick: machineInput = .tick
        case .cancelled: return
        }
        machine.handle(machineInput, now: now, timers: timers, into: &actions)
        change(client: number) {
            $0.machine = .plain(machine)
            if case .final = machineInput { $0.sent = nil }
        }
        for action in actions {
            switch action {
            case .transmit: transmit(number, &effects)
            case .deliver: deliver(input, number, &effects)
            case .timeOut: report(.timeout, number, &effects)
            case .reportUnreachable: report(.unreachable, number, &effects)
            case .end: remove(client: number)
            }
        }
    }

    private mutating func transmit(_ number: UInt64, _ effects: inout [Effect]) {
        guard let (sent, origin) = change(client: number, { ($0.sent, $0.origin) }), let sent else { return }
        effects.append(.send(sent.bytes, origin.hop))
    }

    private mutating func deliver(_ input: ClientEntry.Input, _ number: UInt64, _ effects: inout [Effect]) {
        guard case .response(let response, let hop) = input, change(client: number, { $0.origin.isSilent }) == false else { return }
        effects.append(.response(ClientTransactionID(number: number), response, hop))
    }

    private mutating func report(_ failure: Failure, _ number: UInt64, _ effects: inout [Effect]) {
        guard change(client: number, { $0.origin.isSilent }) == false else { return }
        effects.append(.failed(ClientTransactionID(number: number), failure))
    }

    private mutating func remove(client number: UInt64) {
        guard let entry = clients.removeValue(forKey: number) else { return }
        clientKeys[entry.origin.key] = nil
        clients.shrinkIfSparse()
        clientKeys.shrinkIfSparse()
    }
}

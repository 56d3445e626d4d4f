package import Primitives

/// The server side (RFC 3261 §17.2).
extension TransactionLayer {
    /// Answers a request: as many provisional responses as wanted, then one final response.
    ///
    /// - Returns: false when the transaction is over or already has its final response; nothing was sent then.
    @discardableResult
    package mutating func respond(
        _ response: SIPMessage, to id: ServerTransactionID, now: Instant, into effects: inout [Effect]
    ) -> Bool {
        keepArrival()
        guard change(server: id.number, { $0.machine.isOpen }) == true else { return false }
        drive(server: id.number, .respond(response), now: now, into: &effects)
        return true
    }

    /// Answers a request and forgets it (RFC 3261 §8.2.7): what anybody may send leaves nothing here, and its answer is not sent again, so that
    /// nobody has us send to somebody else. A sender that misses the answer repeats its request, which is a new one then.
    package mutating func respondOnce(_ response: SIPMessage, to id: ServerTransactionID, into effects: inout [Effect]) {
        if let arrival, arrival.number == id.number {
            effects.append(.send(response.bytes, arrival.hop))
            self.arrival = nil
            return
        }
        guard let origin = change(server: id.number, { $0.origin }) else { return }
        effects.append(.send(response.bytes, origin.hop))
        remove(server: id.number)
    }

    /// Puts the newest request into the tables: it was not answered once and for all.
    mutating func keepArrival() {
        guard let kept = arrival else { return }
        arrival = nil
        let number = kept.number
        servers[number] = ServerEntry(
            origin: .init(key: kept.key, mergeKey: kept.mergeKey, hop: kept.hop), request: kept.request, machine: kept.machine)
        serverKeys[kept.key] = number
        if let mergeKey = kept.mergeKey { merges[mergeKey] = number }
        schedule(server: number)
    }

    /// Whether a transaction here is the one that this request repeats, acknowledges or cancels.
    package func expects(_ request: SIPMessage) -> Bool {
        guard let method = request.method, let via = request.topVia else { return false }
        let target: Method = method == .ack || method == .cancel ? .invite : method
        guard let key = ServerKey(request, via: via, as: target) else { return false }
        return serverKeys[key] != nil || arrival?.key == key
    }

    mutating func receive(
        request: consuming SIPMessage, _ method: Method, on hop: Hop, now: Instant, into effects: inout [Effect]
    ) {
        keepArrival()
        guard let via = request.topVia, let key = ServerKey(copy request, via: via, as: method == .ack ? .invite : method)
        else { return }
        if method == .ack { return receive(ack: request, key, on: hop, now: now, into: &effects) }
        if let number = serverKeys[key] { return drive(server: number, .repeated, now: now, into: &effects) }

        request.vias[0].stamp(source: hop.remote)
        var back = hop
        if !hop.transport.isReliable {
            back.remote = request.vias[0].responseAddress(source: hop.remote)
            // Who names our own address as the one to answer would have its request taken for one that we sent to ourselves.
            guard back.remote != back.listener || hop.remote == hop.listener else { return }
        }
        // A CANCEL of nothing is answered and forgotten (§9.2).
        var cancelled: UInt64?
        if method == .cancel {
            cancelled = ServerKey(copy request, via: via, as: .invite).flatMap { serverKeys[$0] }
            guard cancelled != nil else { return effects.append(.refused(request.response(481, toTag: "none"), back)) }
        }
        // Calls that go on can be ended while strangers have filled the table.
        let most = request.to.tag == nil && method != .cancel ? serversMax : serversMax + serversMax / 8
        guard servers.count < most else {
            var response = request.response(503, toTag: "full")
            response.headers.append(.retryAfter, "5")
            return effects.append(.refused(response, back))
        }
        var mergeKey: MergeKey?
        if request.to.tag == nil, method != .cancel {
            let key = MergeKey(callID: request.callID, fromTag: request.from.tag, cseq: request.cseq)
            guard merges[key] == nil else {
                return effects.append(.refused(request.response(482, toTag: "merged"), back))
            }
            mergeKey = key
        }
        let number = takeNumber()
        let isReliable = hop.transport.isReliable
        arrival = Arrival(
            number: number, key: key, mergeKey: mergeKey, hop: back, request: copy request,
            machine: method == .invite
                ? .invite(InviteServerMachine(now: now, timers: timers, isReliable: isReliable)) : .plain(ServerMachine(isReliable: isReliable)))
        if let cancelled {
            keepArrival()
            receive(cancel: request, of: cancelled, as: number, now: now, into: &effects)
        } else {
            effects.append(.request(ServerTransactionID(number: number), request, back))
        }
    }

    /// §9.2: answered here, with the tag of the INVITE's transaction.
    private mutating func receive(
        cancel: SIPMessage, of target: UInt64, as number: UInt64, now: Instant, into effects: inout [Effect]
    ) {
        drive(server: number, .respond(cancel.response(200, toTag: "cancel")), now: now, into: &effects)
        // Too late when there is a final response: that stands.
        if change(server: target, { $0.machine.isOpen }) == true { effects.append(.cancelled(ServerTransactionID(number: target), cancel)) }
    }

    private mutating func receive(
        ack: SIPMessage, _ key: ServerKey, on hop: Hop, now: Instant, into effects: inout [Effect]
    ) {
        // For a failure the ACK has the INVITE's branch; for a 2xx a new one, and the dialog tells.
        if let number = serverKeys[key], change(server: number, { $0.answer.isEmpty }) != false {
            return drive(server: number, .acknowledged, now: now, into: &effects)
        }
        let answer = ack.to.tag.flatMap { tag in
            answers[AnswerKey(callID: ack.callID, localTag: tag, sequence: ack.cseq.number)]
        }
        guard let answer else {
            effects.append(.acknowledged(nil, ack, hop))
            return
        }
        if change(server: answer, { $0.answer.isEmpty ? false : $0.answer[0].machine.acknowledge() }) == true {
            effects.append(.acknowledged(ServerTransactionID(number: answer), ack, hop))
        }
    }

    mutating func drive(server number: UInt64, _ input: ServerEntry.Input, now: Instant, into effects: inout [Effect]) {
        guard let machine = change(server: number, { $0.machine }) else { return }
        switch machine {
        case .invite(let machine): drive(invite: machine, number, input, now, &effects)
        case .plain(let machine): drive(plain: machine, number, input, now, &effects)
        }
        schedule(server: number)
    }

    private mutating func drive(
        invite machine: InviteServerMachine, _ number: UInt64, _ input: ServerEntry.Input, _ now: Instant, _ effects: inout [Effect]
    ) {
        if case .tick = input { repeatAnswer(number, now, &effects) }
        var machine = machine
        var actions: [InviteServerMachine.Action] = []
        let machineInput: InviteServerMachine.Input =
            switch input {
            case .repeated: .repeated
            case .respond(let response) where response.isProvisional: .provisional
            case .respond(let response) where response.isSuccess: .success
            case .respond: .failure
            case .acknowledged: .acknowledged
            case .unreachable: .unreachable
            case .tick: .tick
            }
        machine.handle(machineInput, now: now, timers: timers, into: &actions)
        change(server: number) { $0.machine = .invite(machine) }
        let id = ServerTransactionID(number: number)
        for action in actions {
            switch action {
            case .transmit:
                guard case .respond(let response) = input else { continue }
                transmit(response, number, &effects)
                if response.isSuccess, let tag = response.to.tag {
                    let key = AnswerKey(callID: response.callID, localTag: tag, sequence: response.cseq.number)
                    let answer = AnswerMachine(now: now, timers: timers)
                    change(server: number) { $0.answer = [.init(key: key, machine: answer)] }
                    answers[key] = number
                }
            case .retransmit: retransmit(number, &effects)
            case .sendTrying:
                guard let request = change(server: number, { $0.request }) ?? nil else { continue }
                transmit(request.response(100), number, &effects)
            case .reportUnreachable:
                switch change(server: number, { $0.answer.first?.machine.state }) ?? nil {
                case nil: effects.append(.unreachable(id))
                // Once the ACK is there, the dialog stands on its own, whatever becomes of the way by which it began.
                case .acknowledged: break
                case .some: effects.append(.unacknowledged(id))
                }
            case .end: remove(server: number)
            }
        }
    }

    private mutating func repeatAnswer(_ number: UInt64, _ now: Instant, _ effects: inout [Effect]) {
        var actions: [AnswerMachine.Action] = []
        let timers = timers
        change(server: number) { if !$0.answer.isEmpty { $0.answer[0].machine.tick(now: now, timers: timers, into: &actions) } }
        for action in actions {
            switch action {
            case .retransmit: retransmit(number, &effects)
            case .reportUnacknowledged: effects.append(.unacknowledged(ServerTransactionID(number: number)))
            }
        }
    }

    private mutating func drive(
        plain machine: ServerMachine, _ number: UInt64, _ input: ServerEntry.Input, _ now: Instant, _ effects: inout [Effect]
    ) {
        var machine = machine
        var actions: [ServerMachine.Action] = []
        let machineInput: ServerMachine.Input
        switch input {
        case .repeated: machineInput = .repeated
        case .respond(let response): machineInput = response.isProvisional ? .provisional : .final
        case .unreachable: machineInput = .unreachable
        case .tick: machineInput = .tick
        case .acknowledged: return
        }
        machine.handle(machineInput, now: now, timers: timers, into: &actions)
        change(server: number) { $0.machine = .plain(machine) }
        for action in actions {
            switch action {
            case .transmit:
                guard case .respond(let response) = input else { continue }
                transmit(response, number, &effects)
            case .retransmit: retransmit(number, &effects)
            case .reportUnreachable: break  // the client asks again, or not
            case .end: remove(server: number)
            }
        }
    }

    private mutating func transmit(_ response: SIPMessage, _ number: UInt64, _ effects: inout [Effect]) {
        let bytes = response.bytes
        let isFinal = response.isFinal
        let origin = change(server: number) { entry in
            entry.response = bytes
            if isFinal { entry.request = nil }
            return entry.origin
        }
        if let origin { effects.append(.send(bytes, origin.hop)) }
    }

    private mutating func retransmit(_ number: UInt64, _ effects: inout [Effect]) {
        guard let (response, origin) = change(server: number, { ($0.response, $0.origin) }), !response.isEmpty else { return }
        effects.append(.send(response, origin.hop))
    }

    private mutating func remove(server number: UInt64) {
        guard let entry = servers.removeValue(forKey: number) else { return }
        serverKeys[entry.origin.key] = nil
        if let key = entry.origin.mergeKey { merges[key] = nil }
        if let answer = entry.answer.first { answers[answer.key] = nil }
        servers.shrinkIfSparse()
        serverKeys.shrinkIfSparse()
        merges.shrinkIfSparse()
        answers.shrinkIfSparse()
    }
}

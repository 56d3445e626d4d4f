import Foundation
import Model
import Primitives
import Rating
import SwiftProtobuf

/// Steps of calls, of their recordings, and of the gateways that they go by.
extension History {
    mutating func watchGateway() -> Step {
        let carrier = carriers.randomElement(using: &random)!
        let gateway = carrier.gateways.last!.id
        let registered = GatewayRegistrationChanged.with {
            $0.gatewayID = gateway
            $0.carrierID = carrier.id
            $0.state = Bool.random(using: &random) ? .registered : .failing
            $0.worker = "s1"
        }
        let seen = GatewayServiceChanged.with {
            $0.gatewayID = gateway
            $0.carrierID = carrier.id
            $0.inService = Bool.random(using: &random)
            $0.worker = "s1"
        }
        return [(.gatewayRegistrationChanged(registered), stream(gateway)), (.gatewayServiceChanged(seen), stream(gateway))]
    }

    mutating func recordCall() -> Step {
        let (kept, removed) = (id(), id())
        let line = subscribers.randomElement(using: &random)!
        func started(_ id: Data, of call: Data) -> RecordingStarted {
            .with {
                $0.recordingID = id
                $0.callID = call
                $0.caller.subscriberID = line.id
                $0.caller.tenantID = line.tenantID
                $0.isCallers = true
                $0.mediaWorker = "m1"
                $0.sealedKey = Data(repeating: 7, count: 45)
            }
        }
        let finished = RecordingFinished.with {
            $0.recordingID = kept
            $0.sha256 = Data(repeating: 1, count: 32)
            $0.milliseconds = 12_000
        }
        let call = id()
        return [
            (.recordingStarted(started(kept, of: call)), stream(kept)), (.recordingFinished(finished), stream(kept)),
            (.recordingStarted(started(removed, of: call)), stream(removed)),
            (.recordingRemoved(.with { $0.recordingID = removed }), stream(removed)),
        ]
    }

    func party(_ subscriber: Subscriber) -> CallParty {
        let tenant = tenants.first { $0.id == subscriber.tenantID }!
        let customer = customers.first { $0.id == tenant.customerID }!
        return .with {
            $0.subscriberID = subscriber.id
            $0.tenantID = tenant.id
            $0.customerID = customer.id
            $0.providerID = customer.providerID
        }
    }

    mutating func startCall() -> Step {
        var call = CallStarted()
        call.callID = id()
        call.worker = "signal\(Int.random(in: 1...3, using: &random))"
        call.startedAt = now.microseconds
        call.caller = party(subscribers.randomElement(using: &random)!)
        if Bool.random(using: &random) {
            call.called = party(subscribers.randomElement(using: &random)!)
        } else {
            call.direction = .outbound
            let carrier = carriers.randomElement(using: &random)!
            call.called.carrierID = carrier.id
            // Every other call has gateways with limits.
            if Bool.random(using: &random) {
                call.route = carrier.gateways.map { gateway in .with { $0.gatewayID = gateway.id; $0.isCounted = true } }
                call.route[0].isPaced = true
                call.route.append(.with { $0.carrierID = carrier.id; $0.verdict = .noRule })
            }
            let payer = AccountRef.customer(CustomerID(call.caller.customerID)!, currency)
            call.rates = [
                .with {
                    $0.edge = "retail"
                    $0.currency = currency.code
                    $0.decimals = 4
                    $0.entry.firstIncrementSeconds = 30
                    $0.entry.nextIncrementSeconds = 6
                    $0.entry.perMinuteMicros = 6_000
                    $0.payer = payer
                    $0.payee = .providerRevenue(ProviderID(call.caller.providerID)!, currency)
                }
            ]
            call.hold = .with {
                $0.account = payer
                $0.amountMicros = 12_000
                $0.grantedSeconds = 120
                if counter % 3 == 0 { $0.allowances = [freeMinute(of: call)] }
            }
            if let group = groups.randomElement(using: &random) { call.securityGroupID = group.id }
        }
        live.append(call)
        return [(.callStarted(call), stream(call.callID))]
    }

    /// Sixty seconds of some plan's first allowance, since the beginning of time.
    func freeMinute(of call: CallStarted) -> AllowanceUse {
        .with {
            $0.sourceID = call.caller.providerID
            $0.number = 1
            $0.seconds = 60
        }
    }

    mutating func updateCall() -> Step {
        guard let index = live.indices.randomElement(using: &random) else { return startCall() }
        let call = live[index]
        let snapshot = CallSnapshot.with { $0.sdpA = "v=0 \(counter)" }
        switch Int.random(in: 0..<4, using: &random) {
        case 0 where call.hasHold:
            let renewed = CreditRenewed.with {
                $0.callID = call.callID
                $0.hold = call.hold
                $0.hold.amountMicros = Int64.random(in: 0...100_000, using: &random)
            }
            return [(.creditRenewed(renewed), stream(call.callID))]
        case 1:
            let adopted = CallAdopted.with {
                $0.callID = call.callID
                $0.worker = "signal\(Int.random(in: 1...3, using: &random))"
            }
            return [(.callAdopted(adopted), stream(call.callID))]
        case 2:
            let updated = CallUpdated.with {
                $0.callID = call.callID
                $0.snapshot = snapshot
            }
            return [(.callUpdated(updated), stream(call.callID))]
        default: return answer(call, snapshot)
        }
    }

    mutating func answer(_ call: CallStarted, _ snapshot: CallSnapshot) -> Step {
        answered.insert(call.callID)
        let event = CallAnswered.with {
            $0.callID = call.callID
            $0.answeredAt = now.microseconds
            $0.snapshot = snapshot
            $0.gatewayID = call.route.filter { $0.verdict == .planned }.randomElement(using: &random)?.gatewayID ?? Data()
        }
        return [(.callAnswered(event), stream(call.callID))]
    }

    /// A step on the way to a first charge: a call to a carrier starts, is answered, ends.
    mutating func chargeCall() -> Step {
        guard let index = live.firstIndex(where: { !$0.rates.isEmpty }) else { return startCall() }
        if answered.contains(live[index].callID) { return endCall(at: index) }
        return answer(live[index], CallSnapshot())
    }

    mutating func endCall() -> Step { endCall(at: live.indices.randomElement(using: &random)!) }

    mutating func endCall(at index: Int) -> Step {
        let call = live.remove(at: index)
        cdrs += 1
        var cdr = Cdr()
        cdr.number = cdrs
        cdr.callID = call.callID
        cdr.startedAt = call.startedAt
        cdr.caller = call.caller
        cdr.called = call.called
        cdr.endedAt = now.microseconds
        cdr.securityGroupID = call.securityGroupID
        cdr.direction = call.direction
        cdr.destinationPrefix = call.direction == .outbound ? "120\(Int.random(in: 0...9, using: &random))" : ""
        for (index, step) in call.route.enumerated() where step.verdict == .planned {
            cdr.attempts.append(
                .with {
                    $0.gatewayID = step.gatewayID
                    $0.startedAt = call.startedAt
                    $0.ringingAt = index == 0 ? 0 : call.startedAt + 1_200_000
                    $0.endedAt = now.microseconds
                    $0.sipStatus = index == 0 ? 503 : 200
                })
        }
        cdr.cause = cdr.attempts.isEmpty ? .refused : .callerHungUp
        cdr.durationMs = answered.contains(call.callID) ? UInt64.random(in: 0...400_000, using: &random) : 0
        var steps: Step = [(.callEnded(.with { $0.callID = call.callID }), stream(call.callID))]
        if answered.remove(call.callID) != nil, !call.rates.isEmpty,
            let charges = try? Rater.charges(call.rates, milliseconds: cdr.durationMs),
            let postings = try? Rater.postings(for: charges)
        {
            cdr.charges = charges
            cdr.charges[0].allowances = call.hold.allowances
            cdr.journalID = id()
            let journal = JournalPosted.with {
                $0.id = cdr.journalID
                $0.callID = call.callID
                $0.postings = postings
            }
            charged.append(cdr)
            steps.append((.cdrRecorded(.with { $0.cdr = cdr }), stream(call.callID)))
            steps.append((.journalPosted(journal), stream(journal.id)))
        } else {
            steps.append((.cdrRecorded(.with { $0.cdr = cdr }), stream(call.callID)))
        }
        return steps
    }
}

import Model

/// What the router makes of a StartCall.
struct Routing {
    enum Outcome {
        case plan(CallPlan)
        /// `reason` is for an operator.
        case refused(Refusal, reason: String)
    }

    /// The fact, complete for a plan; for a refusal as far as it was decided. nil: the caller is not one of
    /// ours, and nothing is recorded.
    var started: CallStarted?
    var outcome: Outcome
    /// Of a refusal, as it stays in the record: which rule it was, without numbers.
    var detail = ""
    /// Another final response than the refusal's own, as a rule says it.
    var status: UInt32?
    /// Of a call to a carrier: every gateway that was looked at.
    var steps: [RouteStep] = []
}

extension Refusal {
    /// The final response that the caller gets.
    var sipStatus: UInt32 {
        switch self {
        case .none: 500
        case .unknownNumber: 404
        case .notPermitted: 403
        case .noCredit: 402
        case .limitReached: 486
        case .notRated: 403
        case .notRegistered: 480
        case .locked: 403
        case .noRoute: 503
        case .invalidNumber: 484
        case .unknownSource: 403
        case .numberBlocked: 403
        case .outsideHours: 403
        case .spendLimit: 403
        case .premiumNumber: 403
        case .gatewaysBusy: 503
        case .inboundRule: 603
        case .atALoss: 503
        case .doNotDisturb: 486
        case .callerBlocked: 603
        case .anonymous: 433
        case .forwardLoop: 482
        case .closed: 480
        case .nothingToPickUp: 404
        case .UNRECOGNIZED: 500
        }
    }
}

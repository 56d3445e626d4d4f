/// A value of a fixed list, written as a word that never changes.
public protocol Literal: CaseIterable, Sendable {
    var literal: String { get }
}

extension Literal {
    /// nil for a word that is not on the list.
    public init?(literal: String) {
        guard let match = Self.allCases.first(where: { $0.literal == literal }) else { return nil }
        self = match
    }

    public static var literals: [String] { allCases.map(\.literal) }
}

extension Role: Literal {}

extension Status: Literal {
    public var literal: String {
        switch self {
        case .active: "active"
        case .pending: "pending"
        case .locked: "locked"
        case .terminated: "terminated"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension LetterKind: Literal {
    public var literal: String {
        switch self {
        case .signUp: "sign_up"
        case .alreadyRegistered: "already_registered"
        case .passwordReset: "password_reset"
        case .invitation: "invitation"
        case .passwordChanged: "password_changed"
        case .invoice: "invoice"
        case .alert: "alert"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension PaymentMode: Literal {
    public var literal: String {
        switch self {
        case .postpaid: "postpaid"
        case .prepaid: "prepaid"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension LegType: Literal {
    public var literal: String {
        switch self {
        case .pstn: "pstn"
        case .did: "did"
        case .tollFree: "toll_free"
        case .sip: "sip"
        case .mobile: "mobile"
        case .freephone: "freephone"
        case .premium: "premium"
        case .shortCode: "short_code"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension Proration: Literal {
    public var literal: String {
        switch self {
        case .wholeMonth: "whole_month"
        case .days: "days"
        case .daily: "daily"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension AllowancePeriod: Literal {
    public var literal: String {
        switch self {
        case .month: "month"
        case .day: "day"
        case .once: "once"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension FeeKind: Literal {
    public var literal: String {
        switch self {
        case .plan: "plan"
        case .subscriber: "subscriber"
        case .number: "number"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension SipTransport: Literal {
    public var literal: String {
        switch self {
        case .udp: "udp"
        case .tcp: "tcp"
        case .tls: "tls"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension GatewayProfile: Literal {
    public var literal: String {
        switch self {
        case .none: "none"
        case .teams: "teams"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension ApplyTo: Literal {
    public var literal: String {
        switch self {
        case .e164: "e164"
        case .dialled: "dialled"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension CdrExportFormat: Literal {
    public var literal: String {
        switch self {
        case .csv: "csv"
        case .jsonLines: "jsonl"
        case .sipwiseAdmin: "sipwise-admin"
        case .sipwiseReseller: "sipwise-reseller"
        case .ivozBrand: "ivoz-brand"
        case .ivozClient: "ivoz-client"
        case .ivozDocumented: "ivoz-documented"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension CdrExportInterval: Literal {
    public var literal: String {
        switch self {
        case .hourly: "hourly"
        case .daily: "daily"
        case .weekly: "weekly"
        case .monthly: "monthly"
        case .everyMinute: "every_minute"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension NumberType: Literal {
    public var literal: String {
        switch self {
        case .local: "local"
        case .tollFree: "toll_free"
        case .mobile: "mobile"
        case .national: "national"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension InboundField: Literal {
    public var literal: String {
        switch self {
        case .caller: "caller"
        case .callerName: "caller_name"
        case .called: "called"
        case .received: "received"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension CarrierChoice: Literal {
    public var literal: String {
        switch self {
        case .priority: "priority"
        case .leastCost: "least_cost"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension RouteVerdict: Literal {
    public var literal: String {
        switch self {
        case .planned: "planned"
        case .disabled: "disabled"
        case .full: "full"
        case .paced: "paced"
        case .noRule: "no_rule"
        case .stopped: "stopped"
        case .noPrice: "no_price"
        case .atALoss: "at_a_loss"
        case .noGateway: "no_gateway"
        case .outOfService: "out_of_service"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension RegistrationState: Literal {
    public var literal: String {
        switch self {
        case .none: "none"
        case .registered: "registered"
        case .failing: "failing"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension Weekday: Literal {
    public var literal: String {
        switch self {
        case .unspecified: "unspecified"
        case .monday: "monday"
        case .tuesday: "tuesday"
        case .wednesday: "wednesday"
        case .thursday: "thursday"
        case .friday: "friday"
        case .saturday: "saturday"
        case .sunday: "sunday"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension MediaSecurity: Literal {
    public var literal: String {
        switch self {
        case .plain: "plain"
        case .sdes: "sdes"
        case .dtls: "dtls"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension MediaPath: Literal {
    public var literal: String {
        switch self {
        case .anchored: "anchored"
        case .direct: "direct"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension RecordingMode: Literal {
    public var literal: String {
        switch self {
        case .unspecified: "default"
        case .off: "off"
        case .all: "all"
        case .onDemand: "on_demand"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension WorkerKind: Literal {
    public var literal: String {
        switch self {
        case .signal: "signal"
        case .media: "media"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension ForwardKind: Literal {
    public var literal: String {
        switch self {
        case .none: "none"
        case .always: "always"
        case .busy: "busy"
        case .noAnswer: "no_answer"
        case .notRegistered: "not_registered"
        case .outsideHours: "outside_hours"
        case .redirected: "redirected"
        case .transferred: "transferred"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension CallDirection: Literal {
    public var literal: String {
        switch self {
        case .onNet: "on_net"
        case .outbound: "outbound"
        case .inbound: "inbound"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension EndCause: Literal {
    public var literal: String {
        switch self {
        case .unspecified: "unspecified"
        case .callerHungUp: "caller_hung_up"
        case .calledHungUp: "called_hung_up"
        case .cancelled: "cancelled"
        case .busy: "busy"
        case .noAnswer: "no_answer"
        case .rejected: "rejected"
        case .unreachable: "unreachable"
        case .refused: "refused"
        case .creditExhausted: "credit_exhausted"
        case .mediaTimeout: "media_timeout"
        case .workerLost: "worker_lost"
        case .operator: "operator"
        case .failed: "failed"
        case .sessionExpired: "session_expired"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension Refusal: Literal {
    public var literal: String {
        switch self {
        case .none: "none"
        case .unknownNumber: "unknown_number"
        case .notPermitted: "not_permitted"
        case .noCredit: "no_credit"
        case .limitReached: "limit_reached"
        case .notRated: "not_rated"
        case .notRegistered: "not_registered"
        case .locked: "locked"
        case .noRoute: "no_route"
        case .invalidNumber: "invalid_number"
        case .unknownSource: "unknown_source"
        case .numberBlocked: "number_blocked"
        case .outsideHours: "outside_hours"
        case .spendLimit: "spend_limit"
        case .premiumNumber: "premium_number"
        case .gatewaysBusy: "gateways_busy"
        case .inboundRule: "inbound_rule"
        case .atALoss: "at_a_loss"
        case .doNotDisturb: "do_not_disturb"
        case .callerBlocked: "caller_blocked"
        case .anonymous: "anonymous"
        case .forwardLoop: "forward_loop"
        case .closed: "closed"
        case .nothingToPickUp: "nothing_to_pick_up"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension AccountKind: Literal {
    public var literal: String {
        switch self {
        case .customer: "customer"
        case .providerRevenue: "provider_revenue"
        case .providerPayable: "provider_payable"
        case .platformRevenue: "platform_revenue"
        case .carrierPayable: "carrier_payable"
        case .carrierCost: "carrier_cost"
        case .cash: "cash"
        case .providerCost: "provider_cost"
        case .providerTax: "provider_tax"
        case .providerReceivable: "provider_receivable"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension JournalKind: Literal {
    public var literal: String {
        switch self {
        case .call: "call"
        case .topUp: "top_up"
        case .adjustment: "adjustment"
        case .rerating: "rerating"
        case .fee: "fee"
        case .package: "package"
        case .voucher: "voucher"
        case .invoice: "invoice"
        case .creditNote: "credit_note"
        case .payment: "payment"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension AdjustmentOutcome: Literal {
    public var literal: String {
        switch self {
        case .pending: "pending"
        case .approved: "approved"
        case .refused: "refused"
        case .expired: "expired"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension AlertKind: Literal {
    public var literal: String {
        switch self {
        case .lowBalance: "low_balance"
        case .spend: "spend"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension InvoiceKind: Literal {
    public var literal: String {
        switch self {
        case .invoice: "invoice"
        case .creditNote: "credit_note"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension InvoiceLineKind: Literal {
    public var literal: String {
        switch self {
        case .usage: "usage"
        case .item: "item"
        case .correction: "correction"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension VATTreatment: Literal {
    public var literal: String {
        switch self {
        case .ownRate: "own_rate"
        case .byCountry: "by_country"
        case .domestic: "domestic"
        case .reverseCharge: "reverse_charge"
        case .exempt: "exempt"
        case .zero: "zero"
        case .export: "export"
        case .outsideScope: "outside_scope"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension VATClass: Literal {
    public var literal: String {
        switch self {
        case .standard: "standard"
        case .reduced: "reduced"
        case .zero: "zero"
        case .exempt: "exempt"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension VATItemKind: Literal {
    public var literal: String {
        switch self {
        case .calls: "calls"
        case .fees: "fees"
        case .packages: "packages"
        case .adjustments: "adjustments"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension MailChoice: Literal {
    public var literal: String {
        switch self {
        case .providers: "providers"
        case .always: "always"
        case .never: "never"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension SignUpRule: Literal {
    public var literal: String {
        switch self {
        case .closed: "closed"
        case .pending: "pending"
        case .open: "open"
        case .UNRECOGNIZED(let value): unrecognised(value)
        }
    }
}

extension JournalKind {
    /// Another fact beside the journal says what it is for, and is what people look at.
    public var isOfOtherFact: Bool {
        switch self {
        case .call, .rerating, .fee, .package, .voucher, .invoice, .creditNote: true
        case .topUp, .adjustment, .payment, .UNRECOGNIZED: false
        }
    }
}

/// A value that a newer binary wrote: shown as what it is, never accepted.
private func unrecognised(_ value: Int) -> String { "unrecognised_\(value)" }

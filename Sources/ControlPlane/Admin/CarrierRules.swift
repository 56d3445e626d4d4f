import Model

/// Which calls a carrier takes and which of its own are taken: rules that operators write.
enum CarrierRules {
    static let rulesMax = 100

    static func check(_ carrier: Carrier) throws {
        guard carrier.inboundRules.count <= rulesMax else { throw AdminRejection.limitReached(field: "inbound_rules", limit: UInt64(rulesMax)) }
        guard carrier.outboundRules.count <= rulesMax else { throw AdminRejection.limitReached(field: "outbound_rules", limit: UInt64(rulesMax)) }
        for (index, rule) in carrier.inboundRules.enumerated() {
            let field = "inbound_rules[\(index)]"
            try Checks.recognised(rule.field.isRecognised, field: field + ".field")
            guard !rule.pattern.isEmpty else { throw AdminRejection.invalid(field + ".pattern", "must not be empty") }
            _ = try DialPlanDecider.compiled(rule.pattern, field: field + ".pattern")
            guard (400...699).contains(rule.rejectCode) else {
                throw AdminRejection.invalid(field + ".reject_code", "must be a final response of SIP that refuses, 400 to 699")
            }
            try Checks.shortText(rule.reason, field: field + ".reason")
        }
        for (index, rule) in carrier.outboundRules.enumerated() {
            let field = "outbound_rules[\(index)]"
            try Checks.shortText(rule.description_p, field: field + ".description")
            let digits = rule.calleePrefix.dropFirst()
            guard rule.calleePrefix.isEmpty || rule.calleePrefix.hasPrefix("+") && digits.count <= 15 && digits.allSatisfy({ $0.isASCII && $0.isNumber })
            else { throw AdminRejection.invalid(field + ".callee_prefix", "must be + and at most 15 digits, such as +1209") }
            if !rule.calleePattern.isEmpty { _ = try DialPlanDecider.compiled(rule.calleePattern, field: field + ".callee_pattern") }
            if !rule.callerPattern.isEmpty { _ = try DialPlanDecider.compiled(rule.callerPattern, field: field + ".caller_pattern") }
        }
    }
}

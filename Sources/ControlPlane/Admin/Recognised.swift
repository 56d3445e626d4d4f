import Model

// A value of an enum that a newer client sent: kept by protobuf, refused here.

extension Status {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension PaymentMode {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension ApplyTo {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension GatewayProfile {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension NumberType {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension InboundField {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension CarrierChoice {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension Weekday {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { self != .unspecified } }
}

extension MediaSecurity {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension MediaPath {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension WorkerKind {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension CdrExportFormat {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension CdrExportInterval {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension LegType {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension Proration {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension AllowancePeriod {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension InvoiceKind {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension VATTreatment {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension VATClass {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension VATItemKind {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension MailChoice {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension SignUpRule {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

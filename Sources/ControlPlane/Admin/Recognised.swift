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

extension RecordingMode {
    var isRecognised: Bool { if case .UNRECOGNIZED = self { false } else { true } }
}

extension Checks {
    /// Names files of media workers, so it has nothing in it that a path could be made of.
    static func sound(_ name: String, field: String) throws {
        let isName = name.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
        guard isName, name.utf8.count <= 64 else { throw AdminRejection.invalid(field, "must be the name of a sound: a to z, 0 to 9, - and _, at most 64") }
    }
}

import Primitives

/// What one attempt of a call counts for, at a fixed width: ten million are looked at for one question.
///
///     0  when the call came in, seconds since 1970      4  milliseconds of talk       (32 bits each, least byte first)
///     8  milliseconds until this attempt rang          12  until the call first rang  (all ones: never)
///    16  provider  20 customer  24 tenant  28 carrier  32 gateway                     (numbers of `statisticsParties`; 0: none)
///    36  a 1 and the first digits of the number called, as a number; 0: unknown
///    40  final status of SIP, 16 bits                  42  nothing
///    44  cause  45 refusal  46 flags  47 outcome                                      (a byte each)
///
/// A call has a row for every gateway that it was sent to, else one. The last of a call is marked.
struct StatisticsRow {
    static let byteCount = 48
    static let never = UInt32.max

    enum Flag {
        static let direction: UInt8 = 0x03
        /// The call's last attempt: it says what became of the call.
        static let isLast: UInt8 = 0x04
        /// It was sent somewhere, or came from a carrier and was not refused by us.
        static let isSeizure: UInt8 = 0x08
        /// The network did its part: answered, busy, rang, declined by a person.
        static let isEffective: UInt8 = 0x10
    }

    enum Outcome: UInt8, CaseIterable {
        case answered
        case busy
        case noAnswer
        case rejected
        case cancelled
        case failed
        case refused
    }

    var startedSeconds: UInt32 = 0
    var talkMilliseconds: UInt32 = 0
    var attemptDelay = never
    var callDelay = never
    var provider: UInt32 = 0
    var customer: UInt32 = 0
    var tenant: UInt32 = 0
    var carrier: UInt32 = 0
    var gateway: UInt32 = 0
    var prefix: UInt32 = 0
    var sipStatus: UInt16 = 0
    var cause: UInt8 = 0
    var refusal: UInt8 = 0
    var flags: UInt8 = 0
    var outcome = Outcome.failed

    /// As it is stored, in words of 32 bits.
    var words: InlineArray<12, UInt32> {
        [
            startedSeconds.littleEndian, talkMilliseconds.littleEndian, attemptDelay.littleEndian, callDelay.littleEndian,
            provider.littleEndian, customer.littleEndian, tenant.littleEndian, carrier.littleEndian,
            gateway.littleEndian, prefix.littleEndian, UInt32(sipStatus).littleEndian,
            (UInt32(cause) | UInt32(refusal) << 8 | UInt32(flags) << 16 | UInt32(outcome.rawValue) << 24).littleEndian,
        ]
    }
}

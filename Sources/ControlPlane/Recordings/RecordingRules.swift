import Model
import Projections

/// What the rules of a call's two lines come to. The stricter wish holds: two channels only if nobody wants one, an announcement if
/// anybody does.
struct RecordingRules {
    private let caller: RecordingRule
    private let called: RecordingRule

    init(_ caller: Line?, _ called: Line?) {
        self.caller = caller?.recordingRule ?? RecordingRule()
        self.called = called?.recordingRule ?? RecordingRule()
    }

    init<State: ViewQueries & ~Copyable>(_ caller: CallParty, _ called: CallParty, in state: borrowing State) throws {
        self.init(
            try SubscriberID(caller.subscriberID).flatMap { id in try Line.of(id, in: state) },
            try SubscriberID(called.subscriberID).flatMap { id in try Line.of(id, in: state) })
    }

    var isOfCaller: Bool { caller.mode.records }
    var isOfCalled: Bool { called.mode.records }
    var isAlways: Bool { caller.mode == .all || called.mode == .all }
    var isMixed: Bool { isOfCaller && caller.mixed || isOfCalled && called.mixed }
    var isAnnounced: Bool { isOfCaller && caller.announced || isOfCalled && called.announced }

    func mayRecord(isDemanded: Bool) -> Bool { isDemanded ? isOfCaller || isOfCalled : isAlways }
}

extension RecordingMode {
    var records: Bool {
        switch self {
        case .all, .onDemand: true
        case .unspecified, .off, .UNRECOGNIZED: false
        }
    }
}

extension Line {
    /// Its own, else its tenant's.
    var recordingRule: RecordingRule { subscriber.recording.mode == .unspecified ? tenant.recording : subscriber.recording }
    /// What is heard by whom it holds; empty: silence.
    var music: String { subscriber.music.isEmpty ? tenant.music : subscriber.music }
    /// What is heard while it rings, and by whom it sends on.
    var ringBack: RingBack {
        let wanted = subscriber.ringBack.isEmpty ? tenant.ringBack : subscriber.ringBack
        var ringBack = RingBack()
        ringBack.sound = wanted == "phone" ? "" : wanted
        ringBack.countryCode = tenant.countryCode
        return ringBack
    }
    /// Its calls have something that only a media worker can do.
    var needsMediaWorker: Bool { recordingRule.mode.records || !music.isEmpty || !ringBack.sound.isEmpty }
}

extension CallPlan {
    /// What is done with the call's sound, beside passing it on.
    mutating func setTreatment(_ caller: Line?, _ called: Line?) {
        callerMusic = caller?.music ?? ""
        calledMusic = called?.music ?? ""
        if let caller { callerRingBack = caller.ringBack }
        if let called { calledRingBack = called.ringBack }
        let rules = RecordingRules(caller, called)
        guard rules.isOfCaller || rules.isOfCalled else { return }
        recording.always = rules.isAlways
        recording.callerMay = rules.isOfCaller
        recording.calledMay = rules.isOfCalled
        recording.mixed = rules.isMixed
        recording.announced = rules.isAnnounced
        recording.callerLanguage = caller?.language ?? called?.language ?? ""
        recording.calledLanguage = called?.language ?? caller?.language ?? ""
    }
}

import Model
import Primitives
import SIP

/// A worker that stops takes its registrations at carriers away, so that no call is sent where nobody is.
extension SignalMachine {
    /// Not if another worker will register the same Contact: it must not be taken away under its hands.
    mutating func leaveRegistrars() {
        hasLeftRegistrars = true
        let isAlone = !kit.colleagues.signalWorkers.contains { $0 != configuration.worker && kit.colleagues.isAlive($0) }
        for number in trunks.registrations.keys.sorted() {
            guard let registration = trunks.registrations[number], !registration.isLeaving, isAlone || !place(of: registration.entry).isShared else { continue }
            trunks.registrations[number]?.isLeaving = true
            drive(number, .leave)
        }
        trunks.settle()
    }
}

extension Trunks {
    /// A registration is being taken away.
    var isLeaving: Bool { registrations.values.contains(where: \.isLeaving) }
}

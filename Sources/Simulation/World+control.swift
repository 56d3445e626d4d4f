import Bus
import ControlPlane
import Foundation
import Ledger
import Model
import Primitives
import SwiftProtobuf

extension World {
    func startControl() throws {
        starts += 1
        control = try ControlNode(directory: directory, seed: seed &* 7_919 &+ starts, now: now, wall: wall)
        schedule("control", at: now)
    }

    /// A request of a worker, as the control plane's driver takes it.
    func decide(_ worker: String, _ id: RequestID, _ body: [UInt8]) throws {
        guard let control else { return }
        switch control.replies.admit(id, from: worker, now: now) {
        case .inProgress: return
        case .repeated(let answer): return reply(worker, id, answer)
        case .new: break
        }
        guard let request = try? DeskRequest(serializedBytes: body) else { return }
        carryOut(control.core.decide([.desk(worker: worker, requestID: id.bytes, request)], now: now, wall: wall))
        expectDisk(of: control)
    }

    /// The disk of this start of the control plane has written a batch.
    func written(_ number: UInt64, start: UInt64) {
        guard let control, start == starts else { return }
        control.disk.write(number)
        carryOut(control.core.advance())
        expectDisk(of: control)
    }

    private func expectDisk(of control: ControlNode) {
        schedule("control", at: control.core.nextWake)
        guard control.core.isAppending, control.disk.number > control.awaited else { return }
        control.awaited = control.disk.number
        timeline.add(.disk(control.awaited, start: starts), at: now + .microseconds(Int64(200 + random.next() % 3_000)))
    }

    /// Everything is durable, answered and seen by readers.
    func finishControl() {
        guard let control else { return }
        carryOut(control.core.finish())
    }

    func tickControl() {
        guard let control else { return }
        carryOut(control.core.tick(now: now, wall: wall))
        expectDisk(of: control)
    }

    private func carryOut(_ outputs: [Output]) {
        for output in outputs {
            switch output {
            case .reply(let worker, let requestID, let answer, _):
                guard let id = RequestID(bytes: requestID) else { continue }
                if case .recorded(let recorded) = answer.kind { acknowledged.append(recorded.logPosition) }
                let body = bytes(of: answer)
                if case .error(let error) = answer.kind, [.unavailable, .sayHello, .notEnrolled].contains(error.code) {
                    control?.replies.forget(id, from: worker)
                } else {
                    control?.replies.record(body, to: id, from: worker)
                }
                reply(worker, id, body)
            case .feed(let message):
                let body = bytes(of: message)
                for name in ["s1", "s2", "m1", "m2"] { post(.feed(to: name, body), on: "feed>\(name)") }
            case .adminResult, .admission, .note: break
            }
        }
    }

    private func reply(_ worker: String, _ id: RequestID, _ body: [UInt8]) {
        post(.deskAnswer(to: worker, id, body), on: "control>\(worker)")
    }

    // MARK: Faults

    func kill(_ target: WorldPlan.Kill.Target) {
        switch target {
        case .control:
            // What was on its way to the disk has reached it, or not; nobody was told.
            if let control, random.next() % 2 == 0 { control.disk.write(control.disk.number) }
            control = nil
        case .signal(let index):
            signals[index].machine = nil
            wakes[signals[index].name] = nil
        case .media(let index):
            medias[index].studio = nil
            medias[index].desk = nil
            wakes[medias[index].name] = nil
        }
    }

    func start(_ target: WorldPlan.Kill.Target) throws {
        switch target {
        case .control: try startControl()
        case .signal(let index): startSignal(index)
        case .media(let index): startMedia(index)
        }
    }
}

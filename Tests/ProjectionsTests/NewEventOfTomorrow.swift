import Ledger
import Primitives

enum NewEventOfTomorrow {
    static func event(_ stream: UUIDv7) -> NewEvent {
        NewEvent(stream: stream, type: "tomorrow.came", schemaVersion: 1, payload: [])
    }
}

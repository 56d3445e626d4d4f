import ControlPlane
import Foundation
import HTTPTypes
import Model
import OpenSSL
import Primitives
import Projections
import Recordings

/// Recordings of calls: which there are, what is in them, and their end.
enum RecordingEndpoints {
    private struct Reason: Blank {
        var text = ""
    }

    private static let shape = Shape<Reason>("RecordingReason", [.text("reason", \.text, isRequired: true, max: 256, "For people: which request, which rule. Not personal.")])
    private static let path = "/v1/recordings/{recording_id}"
    private static let after = QueryParameter("after", .id, "The `next` of the page before.")

    static let operations = [
        Operation(
            method: .get, path: "/v1/recordings", name: "listRecordings", tag: "recordings",
            summary: "Lists recordings in the order in which they began. A page may be short, and is the last only if next is null.",
            access: .needs(.listen),
            query: [
                QueryParameter("call_id", .id, "Only those of this call."), QueryParameter("tenant_id", .id, "Only those of this tenant's lines."),
                QueryParameter("subscriber_id", .id, "Only those of this line."), after, .limit,
            ],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("RecordingPage")),
            past: .never, reading: "recordings", handle: { try list($0) }),
        Operation(
            method: .get, path: path, name: "getRecording", tag: "recordings", summary: "What is known of a recording, and by which digest its file is known.",
            access: .needs(.listen), success: .init(status: .ok, about: "The recording.", schema: Schema.reference("Recording")),
            past: .never, reading: "recording", handle: { exchange in
                let found = try recording(exchange)
                return Reply.ok(json(found)).showing(UUIDv7(bytes: found.started.callID))
            }),
        Operation(
            method: .get, path: path + "/audio", name: "getRecordingAudio", tag: "recordings",
            summary: "What was said, as a WAV file of 16 bits a sample. It is compared with its digest in the log first. That it was heard is recorded.",
            access: .needs(.listen),
            success: .init(status: .ok, about: "The sound.", schema: ["type": "string", "format": "binary"], mediaType: "audio/wav"),
            past: .never, reading: "recording_audio", handle: { try audio($0) }),
        Operation(
            method: .post, path: path + "/remove", name: "removeRecording", tag: "recordings",
            summary: "Removes the recording's file. That there was one, and its digest, stay in the log.",
            access: .needs(.removeRecordings), body: .init(schema: Schema.reference("RecordingReason")),
            success: .init(status: .ok, about: "It is removed.", schema: Schema.reference("Recording")), handle: { try await remove($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        (
            "Recording",
            Schema.object(
                [
                    ("id", Schema.uuid), ("call_id", Schema.uuid), ("state", Schema.choice(["running", "finished", "failed", "removed"])),
                    ("started_at", Schema.text(max: 32)), ("channels", Schema.sequence), ("announced", Schema.flag), ("demanded", Schema.flag),
                    ("milliseconds", Schema.sequence), ("bytes", Schema.sequence), ("sha256", Schema.text(max: 64)), ("cut_off", Schema.flag),
                    ("lost_packets", Schema.sequence), ("failure", Schema.text(max: 256)), ("removed_reason", Schema.text(max: 256)),
                ],
                required: [
                    "id", "call_id", "state", "started_at", "channels", "announced", "demanded", "milliseconds", "bytes", "sha256", "cut_off",
                    "lost_packets", "failure", "removed_reason",
                ])
        ), ("RecordingPage", Schema.page(of: Schema.reference("Recording"))), ("RecordingReason", shape.newSchema),
    ]

    private static func list(_ exchange: Exchange) throws -> Reply {
        let reach = try exchange.reach
        return try exchange.read { views in
            let redaction = try Redaction(reach, in: views)
            let after = exchange.query.id("after")
            let limit = exchange.query.limit
            let page: [RecordingState]
            if let call = exchange.query.id("call_id") {
                page = try views.recordings(ofCall: call)
            } else if let party = exchange.query.id("subscriber_id") ?? exchange.query.id("tenant_id") ?? reach.party {
                page = try views.recordings(ofParty: party, after: after, limit: limit)
            } else {
                page = try views.recordings(after: after, limit: limit)
            }
            let isEnd = exchange.query.id("call_id") != nil || page.count < limit
            let next = isEnd ? nil : page.last.flatMap { UUIDv7(bytes: $0.started.recordingID) }
            return .page(page.filter { isVisible($0.started, to: redaction) }.map(json), next: next.map(\.description))
        }
    }

    /// Whoever may see the calls of the line by whose rule it was made.
    private static func isVisible(_ started: RecordingStarted, to redaction: Redaction) -> Bool {
        started.isCallers && redaction.sees(started.caller) || started.isCalled && redaction.sees(started.called)
    }

    private static func recording(_ exchange: Exchange) throws -> RecordingState {
        let id = try exchange.id("recording_id")
        let reach = try exchange.reach
        return try exchange.read { views in
            guard let found = try views.recording(id), try isVisible(found.started, to: Redaction(reach, in: views)) else {
                throw Problem(.notFound, "There is no such recording.")
            }
            return found
        }
    }

    private static func audio(_ exchange: Exchange) throws -> Reply {
        let found = try recording(exchange)
        guard found.removedAt == 0 else { throw Problem(.conflict, "The recording was removed: \(found.removedReason).") }
        guard found.hasFinished, found.finished.bytes > 0 else { throw Problem(.conflict, "The recording has no file yet, or none was written.") }
        guard let keys = exchange.platform.views.keys, let key = try RecordingKey.open(found.started, with: keys) else {
            throw Problem(.conflict, "A side of the call was erased: nobody can read what was said.")
        }
        guard let file = file(of: found, exchange.platform) else {
            throw Problem(.notFound, "The recording's file is not in the folder of media worker \(found.started.mediaWorker).")
        }
        do {
            guard try RecordingReader.digest(of: file) == Array(found.finished.sha256) else {
                throw Problem(.internalError, "The recording's file is not the one that was recorded: its digest differs from the one in the log.")
            }
            let wave = try RecordingReader(file).wave(key: key, allowingCut: found.finished.cutOff)
            return Reply(.ok, .bytes(wave, mediaType: "audio/wav")).showing(UUIDv7(bytes: found.started.callID))
        } catch let error as RecordingError {
            throw Problem(.internalError, "The recording cannot be read: \(error).")
        }
    }

    /// Its name depends on whether the media worker has heard that its digest is known.
    private static func file(of recording: RecordingState, _ platform: Platform) -> String? {
        guard let id = UUIDv7(bytes: recording.started.recordingID) else { return nil }
        return ["rec", "done"].map { "\(platform.recordings)/\(recording.started.mediaWorker)/\(id).\($0)" }
            .first { FileManager.default.fileExists(atPath: $0) }
    }

    private static func remove(_ exchange: Exchange) async throws -> Reply {
        let reason = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        let before = try recording(exchange)
        let outcome = try await exchange.submit(.removeRecording(try exchange.id("recording_id"), reason: reason.text))
        if let file = file(of: before, exchange.platform) { try? FileManager.default.removeItem(atPath: file) }
        return Reply.ok(json(try recording(exchange))).replayed(outcome.repeated)
    }

    private static func json(_ recording: RecordingState) -> JSON {
        let (started, finished) = (recording.started, recording.finished)
        let state =
            if recording.removedAt > 0 { "removed" } else if !recording.hasFinished { "running" } else { finished.failure.isEmpty ? "finished" : "failed" }
        return [
            "id": id(started.recordingID), "call_id": id(started.callID), "state": .string(state), "started_at": .time(microseconds: started.startedAt),
            "channels": .integer(UInt64(started.mixed ? 1 : 2)), "announced": .bool(started.announced), "demanded": .bool(started.demanded),
            "milliseconds": .integer(finished.milliseconds), "bytes": .integer(finished.bytes), "sha256": .string(hex(Array(finished.sha256))),
            "cut_off": .bool(finished.cutOff), "lost_packets": .integer(finished.lostPackets), "failure": .string(finished.failure),
            "removed_reason": .string(recording.removedReason),
        ]
    }

    private static func id(_ bytes: Data) -> JSON { .string(UUIDv7(bytes: bytes)?.description ?? "") }
}

extension Reach {
    /// Whose records stand in the lists by party; nil: there is no such list.
    fileprivate var party: UUIDv7? {
        switch self {
        case .platform, .provider: nil
        case .customer(let id): id.value
        case .tenant(let id): id.value
        case .subscriber(let id): id.value
        }
    }
}

import Codecs
import Foundation
import Logging
import Model
import Primitives
import Recordings
import Synchronization
import Testing

@testable import MediaWorker

private let alice = address("198.51.100.7:4000")
private let bob = address("203.0.113.9:6000")

/// A recorder with a spool of its own, and what it reports.
private final class Studio {
    let spool: RecordingSpool
    let reports = Letterbox<RecordingReport>()
    let troubles = Letterbox<String>()
    let recorder: Recorder
    let key = [UInt8](repeating: 5, count: 32)

    /// - Parameter inside: of the folder of temporary files.
    init(hasSpool: Bool = true, inside: String = "") {
        spool = RecordingSpool(NSTemporaryDirectory() + inside + "spool-" + UUID().uuidString)
        let (reports, troubles) = (reports, troubles)
        recorder = Recorder(spool: hasSpool ? spool : nil) { reports.put($0) } trouble: { troubles.put($0) }
    }

    deinit { try? FileManager.default.removeItem(atPath: spool.path) }

    func setup(_ number: UInt64 = 1, isMixed: Bool = false) -> RecordingSetup {
        RecordingSetup(
            id: UUIDv7(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 | number), key: key, sealedKey: [1, 2], isMixed: isMixed, beganAt: milliseconds(0))
    }

    func speech(_ path: String, allowingCut: Bool = false) throws -> [UInt8] {
        var speech: [UInt8] = []
        try RecordingReader(path).forEachChunk(key: key, allowingCut: allowingCut) { speech += $0 }
        return speech
    }
}

/// A packet of 20 ms that is full of one byte.
private func packet(_ number: Int, _ byte: UInt8, ssrc: UInt32, type: UInt8 = 0) -> [UInt8] {
    var bytes = rtpPacket(sequence: UInt16(number), ssrc: ssrc, payload: [UInt8](repeating: byte, count: 160))
    bytes[1] = bytes[1] & 0x80 | type
    return bytes
}

@Suite struct RecordingTests {
    @Test func whatBothSidesSayIsInTheirChannelsAndPassesUnchanged() throws {
        let studio = Studio()
        // The recorder looks at the clock, and writes what is old enough: nothing of this before the end, however slow this machine is.
        let began = Instant.now + .seconds(3_600)
        var setup = studio.setup()
        setup.beganAt = began
        var core = RelayCore(ports: 30_000...30_015)
        try core.open(sessionID(1), portA: 30_000, portB: 30_002, a: LegSetup(remote: alice), b: LegSetup(remote: bob), at: milliseconds(0))
        studio.recorder.start()
        core.record(sessionID(1), into: studio.recorder.begin(setup), at: milliseconds(0))
        for number in 0..<100 {
            let (said, answered) = (packet(number, 0x10, ssrc: 1), packet(number, 0x20, ssrc: 2))
            let now = began + .milliseconds(number * 20)
            #expect(core.pass(said, to: 30_000, from: alice, at: now) == .forward(from: 30_002, to: bob, said))
            #expect(core.pass(answered, to: 30_002, from: bob, at: now) == .forward(from: 30_000, to: alice, answered))
        }
        _ = core.close(sessionID(1))
        studio.recorder.stop()
        let report = try #require(studio.reports.takeAll().first)
        #expect(report.failure.isEmpty && !report.cutOff && report.lostPackets == 0)
        #expect(try report.sha256 == Data(RecordingReader.digest(of: studio.spool.done(setup.id))))
        let speech = try studio.speech(studio.spool.done(setup.id))
        let left = stride(from: 0, to: 32_000, by: 2).map { speech[$0] }
        let right = stride(from: 1, to: 32_000, by: 2).map { speech[$0] }
        #expect(left.filter { $0 == 0x10 }.count == 16_000)
        #expect(right.filter { $0 == 0x20 }.count == 16_000)
    }

    @Test func anotherStreamIsPutWhereItCameAndGapsAreSilence() throws {
        let studio = Studio()
        let setup = studio.setup(isMixed: true)
        let tap = RecordingTap()
        try studio.spool.make()
        let job = try RecordingJob(setup, tap, path: studio.spool.part(setup.id), at: milliseconds(0))
        func hear(_ bytes: [UInt8], at time: Int) { tap.take(.a, bytes.span.bytes, at: milliseconds(time)) }
        for number in 0..<10 { hear(packet(number, 0x10, ssrc: 1), at: number * 20) }
        // A second later another source, whose timestamps begin anywhere.
        for number in 0..<10 { hear(packet(40_000 + number, 0x30, ssrc: 9), at: 1_000 + number * 20) }
        tap.end()
        try job.turn(at: milliseconds(1_200))
        _ = try job.finish()
        let speech = try studio.speech(studio.spool.part(setup.id))
        #expect(speech[0..<1_600].allSatisfy { $0 == 0x10 })
        #expect(speech[1_600..<8_000].allSatisfy { $0 == 0xFF })
        #expect(speech[8_000..<9_600].allSatisfy { $0 == 0x30 })
    }

    @Test func whatAKilledWorkerLeftIsReportedByTheNextOne() throws {
        let studio = Studio()
        let setup = studio.setup()
        let tap = RecordingTap()
        try studio.spool.make()
        var job: RecordingJob? = try RecordingJob(setup, tap, path: studio.spool.part(setup.id), at: milliseconds(0))
        for number in 0..<200 {
            tap.take(.a, packet(number, 0x10, ssrc: 1).span.bytes, at: milliseconds(number * 20))
            if number % 10 == 9 { try job?.turn(at: milliseconds(number * 20)) }
        }
        job = nil  // nothing is finished
        studio.recorder.start()
        studio.recorder.stop()
        let report = try #require(studio.reports.takeAll().first)
        #expect(report.cutOff)
        #expect((2_900...4_000).contains(report.milliseconds))
        #expect(try studio.speech(studio.spool.done(setup.id), allowingCut: true).count == Int(report.milliseconds) * 16)
        // Told again until it is noted, and not after.
        let again = Letterbox<RecordingReport>()
        let next = Recorder(spool: studio.spool) { again.put($0) } trouble: { Issue.record("\($0)") }
        next.start()
        next.stop()
        #expect(again.takeAll().map(\.sha256) == [report.sha256])
        next.note(setup.id)
        #expect(FileManager.default.fileExists(atPath: studio.spool.noted(setup.id)))
    }

    @Test func withoutAFolderARecordingFailsAndSaysSo() throws {
        let studio = Studio(hasSpool: false)
        studio.recorder.start()
        _ = studio.recorder.begin(studio.setup())
        studio.recorder.stop()
        #expect(studio.reports.takeAll().first?.failure.contains("--recordings") == true)
    }

    @Test func aFolderThatCannotBeMadeIsSaidAtTheStartAndByEachRecordingAndMadeWhenItCanBe() throws {
        let obstacle = "obstacle-" + UUID().uuidString
        let path = NSTemporaryDirectory() + obstacle
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let studio = Studio(inside: obstacle + "/")
        studio.recorder.start()
        _ = studio.recorder.begin(studio.setup())
        // The recorder's own thread tells it.
        var failures: [String] = []
        let deadline = ContinuousClock.now + .seconds(60)
        while failures.isEmpty, ContinuousClock.now < deadline {
            failures += studio.reports.takeAll().map(\.failure)
            Thread.sleep(forTimeInterval: 0.005)
        }
        #expect(failures.count == 1)
        #expect(failures.first?.contains(path) == true)
        #expect(studio.troubles.takeAll().first?.contains(path) == true)
        try FileManager.default.removeItem(atPath: path)
        _ = studio.recorder.begin(studio.setup(2))
        studio.recorder.stop()
        #expect(studio.reports.takeAll().map(\.failure) == [""])
    }

    @Test func aTapThatNobodyEmptiesCountsWhatItCannotTake() {
        let tap = RecordingTap()
        for number in 0..<3_000 { tap.take(.a, packet(number, 0, ssrc: 1).span.bytes, at: milliseconds(number * 20)) }
        let contents = tap.takeAll([])
        #expect(contents.lost > 1_000)
        var count = 0
        contents.forEach { _, _, _ in count += 1 }
        #expect(count + Int(contents.lost) == 3_000)
    }
}

@Suite struct SoundTests {
    @Test func musicBeginsAgainAndIsSpokenInTheSidesCodec() throws {
        var formats = LegFormats()
        formats.speech = [LegFormats.Speech(codec: .g722, payloadType: 9, heardAs: 9)]
        var core = RelayCore(ports: 30_000...30_015)
        try core.open(
            sessionID(1), portA: 30_000, portB: 30_002, a: LegSetup(remote: alice, formats: formats), b: LegSetup(remote: bob), at: milliseconds(0))
        core.play(sessionID(1), to: .a, Recording(samples: [UInt8](repeating: 0x10, count: 400), loops: true), otherwise: .pcmu, seed: 1, at: milliseconds(0))
        for step in 0..<50 {
            guard case .forward(_, alice, let packet) = core.prompt(at: milliseconds(step * 20)) else {
                Issue.record("nothing at \(step)")
                return
            }
            #expect(packet[1] & 0x7F == 9 && packet.count == 172)
        }
        core.hush(sessionID(1), .a)
        #expect(core.prompt(at: milliseconds(1_000)) == nil)
        let after = rtpPacket(sequence: 200)
        #expect(core.pass(after, to: 30_002, from: bob, at: milliseconds(1_000)) == .forward(from: 30_000, to: alice, after))
    }

    @Test func aSoundOfAnyRateBecomesOneOfOurs() throws {
        var file = WaveFile(channels: 2, rate: 16_000, frames: 1_600)
        file.append(muLaw: [UInt8](repeating: 0x10, count: 3_200))
        let sound = try Recording(anyWave: file.bytes)
        #expect(sound.samples == [UInt8](repeating: 0x10, count: 800))
        #expect(throws: Recording.FileError.notWave) { try Recording(anyWave: Array("not a sound".utf8)) }
    }
}

@Suite struct SpokenPromptTests {
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/espeak-ng")))
    func aTextIsSpokenOnceAndKept() throws {
        let folder = NSTemporaryDirectory() + "sounds-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("Ta rozmowa jest nagrywana.".utf8).write(to: URL(fileURLWithPath: folder + "/call_recorded.pl.txt"))
        try Data("this is no language".utf8).write(to: URL(fileURLWithPath: folder + "/call_recorded.zz.txt"))
        var library = PromptLibrary.carried
        SpokenPrompts(folder: folder, logger: Logger(label: "test")).add(to: &library)
        let spoken = try #require(library[.callRecorded, "pl-PL"])
        #expect(spoken != library[.callRecorded, "en"])
        #expect((1_000...6_000).contains(spoken.duration.milliseconds))
        #expect(library[.callRecorded, "zz"] == library[.callRecorded, "en"])
        let kept = try FileManager.default.contentsOfDirectory(atPath: folder + "/.spoken").filter { $0.hasSuffix(".wav") }
        #expect(kept.count == 1)
        // What is kept is used again: a changed file shows it.
        try FileManager.default.removeItem(atPath: folder + "/.spoken/" + kept[0])
        var file = WaveFile(channels: 1, rate: 8_000, frames: 800)
        file.append(muLaw: [UInt8](repeating: 0x10, count: 800))
        try Data(file.bytes).write(to: URL(fileURLWithPath: folder + "/.spoken/" + kept[0]))
        SpokenPrompts(folder: folder, logger: Logger(label: "test")).add(to: &library)
        #expect(library[.callRecorded, "pl"]?.samples == [UInt8](repeating: 0x10, count: 800))
    }
}

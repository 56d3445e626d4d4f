import Foundation
import Primitives
import Recordings
import Testing

/// Recordings on the disk.
struct RecordingFileTests {
    private let folder: String
    private let key = [UInt8](repeating: 9, count: 32)
    private let id = UUIDv7(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001)

    init() throws {
        folder = NSTemporaryDirectory() + "recordings-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func written(_ chunks: Int, finished: Bool = true) throws -> (path: String, seal: RecordingFile.Seal?) {
        let path = folder + "/" + UUID().uuidString
        let file = try RecordingFile(path, RecordingFormat(id: id, channels: 2, rate: 8_000, sealedKey: [1, 2, 3]), key: key)
        for chunk in 0..<chunks { try file.append([UInt8](repeating: UInt8(chunk), count: 8_000)[...]) }
        return (path, finished ? try file.finish() : nil)
    }

    private func read(_ path: String, key: [UInt8]? = nil, allowingCut: Bool = false) throws -> [UInt8] {
        var speech: [UInt8] = []
        try RecordingReader(path).forEachChunk(key: key ?? self.key, allowingCut: allowingCut) { speech += $0 }
        return speech
    }

    @Test func whatIsWrittenIsReadAndProvableByItsDigest() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (path, seal) = try written(3)
        let speech = try read(path)
        #expect(speech.count == 24_000)
        #expect(speech[8_000] == 1)
        #expect(seal?.milliseconds == 1_500)
        #expect(try seal?.sha256 == RecordingReader.digest(of: path))
        #expect(try seal?.bytes == UInt64(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0))
        #expect(try RecordingReader(path).format.sealedKey == [1, 2, 3])
    }

    @Test func nothingOfTheSpeechStandsInTheFile() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = try written(2).path
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(bytes.range(of: Data(repeating: 1, count: 32)) == nil)
        #expect(throws: RecordingError.damaged(path: path, chunk: 0)) { try read(path, key: [UInt8](repeating: 8, count: 32)) }
    }

    @Test func aChangedByteIsFoundWhereverItIs() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = try written(2).path
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for place in stride(from: 24, to: bytes.count, by: 997) {
            var changed = bytes
            changed[place] ^= 1
            let other = folder + "/changed"
            try changed.write(to: URL(fileURLWithPath: other))
            #expect(throws: RecordingError.self) { try read(other) }
        }
    }

    @Test func aFileWhoseWriterWasKilledIsReadUpToItsLastWholeChunk() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = try written(3, finished: false).path
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        #expect(truncate(path, size - 100) == 0)
        #expect(throws: RecordingError.cutOff(path: path)) { try read(path) }
        let (seal, isWhole) = try RecordingReader.close(cutOff: path)
        #expect(!isWhole)
        #expect(seal.milliseconds == 1_000)
        #expect(try seal.sha256 == RecordingReader.digest(of: path))
        #expect(try read(path, allowingCut: true).count == 16_000)
    }

    /// A disk that wrote garbage: the length of a chunk says four gigabytes, for which nobody makes room.
    @Test func aChunkLongerThanAnyOfOursIsWhereAFileOfAKilledWriterEnds() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = try written(2, finished: false).path
        let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        file.write(Data([0xFF, 0xFF, 0xFF, 0xFF, 1]))
        try file.truncate(atOffset: UInt64(size) + (8 << 30))
        try file.close()
        let (seal, isWhole) = try RecordingReader.close(cutOff: path)
        #expect(!isWhole)
        #expect(seal.milliseconds == 1_000)
        #expect(seal.bytes == UInt64(size))
    }

    @Test func aWaveFileHasTheSamplesAndTheirFormat() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let wave = try RecordingReader(written(2).path).wave(key: key, allowingCut: false)
        #expect(wave.count == 44 + 2 * 16_000)
        #expect(Array(wave[0..<4]) == Array("RIFF".utf8))
        #expect(wave[22] == 2)
    }
}

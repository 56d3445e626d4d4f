import Primitives
import Testing

@testable import SIP

/// Mutated messages: whatever comes, parsing ends with a message or an error, and what was read can be written
/// and read again. A seed repeats its run.
@Test(arguments: [UInt64(1), 2, 3, 4])
func mutatedMessagesAreReadOrRefused(seed: UInt64) throws {
    var random = RandomSource(seed: seed)
    let corpus =
        (Corpus.entries("valid") + Corpus.entries("invalid")).map(\.bytes)
        + [Samples.request("INVITE", body: Samples.offer).bytes]
    var accepted = 0
    for _ in 0..<5_000 {
        let bytes = mutate(corpus, &random)
        do throws(ParseError) {
            let message = try SIPMessage(parsing: bytes)
            accepted += 1
            let again = try? SIPMessage(parsing: message.bytes, framing: .stream)
            #expect(again == message, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
            _ = try? SDP(parsing: message.body)
            _ = (message.contacts, message.routes, message.recordRoutes, message.required)
            if let request = message.method.map({ _ in message }) {
                _ = Dialog(answering: request, localTag: "t")?.state
            }
        } catch {
            _ = SIPMessage.rejection(of: bytes, for: error)
        }
    }
    #expect(accepted > 100, "mutations that refuse everything test nothing")
}

@Test(arguments: [UInt64(11), 12])
func mutatedDescriptionsAreReadOrRefused(seed: UInt64) throws {
    var random = RandomSource(seed: seed)
    let corpus = [Array(Samples.offer.utf8)]
    for _ in 0..<3_000 {
        let bytes = mutate(corpus, &random)
        guard let sdp = try? SDP(parsing: bytes) else { continue }
        #expect(try SDP(parsing: sdp.bytes) == sdp, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        _ = sdp.media.map { ($0.cryptos, $0.rtcp?.port, $0.mappings) }
    }
}

/// The layer takes mutated messages in any order without a trap, keeps within its bounds, and empties itself.
@Test(arguments: [UInt64(21), 22])
func layerSurvivesMutatedTraffic(seed: UInt64) throws {
    var random = RandomSource(seed: seed)
    let methods = ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"]
    var layer = TransactionLayer(clientsMax: 50, serversMax: 50)
    var now: UInt64 = 0
    for _ in 0..<3_000 {
        now += random.next() % 50
        var effects: [TransactionLayer.Effect] = []
        let branch = "z9hG4bK\(random.next() % 100)"
        let message = Samples.request(
            methods[Int(random.next() % 5)], branch: branch, toTag: random.next() % 2 == 0 ? "t" : nil,
            callID: "c\(random.next() % 100)")
        switch random.next() % 4 {
        case 0: _ = layer.send(message, to: Samples.hop, now: Samples.time(now), into: &effects)
        case 1:
            let status = [100, 180, 200, 302, 404, 487, 500, 603][Int(random.next() % 8)]
            layer.receive(message.response(status, toTag: "t"), on: Samples.hop, now: Samples.time(now), into: &effects)
        default: layer.receive(message, on: Samples.hop, now: Samples.time(now), into: &effects)
        }
        for case .request(let id, let request, _) in effects where random.next() % 3 != 0 {
            let status = [180, 200, 486][Int(random.next() % 3)]
            layer.respond(request.response(status, toTag: "t"), to: id, now: Samples.time(now), into: &effects)
        }
        for case .response(let id, _, _) in effects where random.next() % 3 == 0 {
            layer.cancel(id, now: Samples.time(now), into: &effects)
        }
        layer.tick(now: Samples.time(now), into: &effects)
        // Requests within dialogs have an eighth more to themselves.
        #expect(layer.clientCount <= 51 && layer.serverCount <= 56)
    }
}

private func mutate(_ corpus: [[UInt8]], _ random: inout RandomSource) -> [UInt8] {
    var bytes = corpus[Int(random.next() % UInt64(corpus.count))]
    for _ in 0...(random.next() % 4) where !bytes.isEmpty {
        let place = Int(random.next() % UInt64(bytes.count))
        switch random.next() % 8 {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(Array("\r\n ;,<>\":@%=?[]\\\0".utf8)[Int(random.next() % 17)], at: place)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.next() % 40)))
        case 4:
            let other = corpus[Int(random.next() % UInt64(corpus.count))]
            let start = Int(random.next() % UInt64(other.count))
            bytes.insert(contentsOf: other[start..<min(other.count, start + Int(random.next() % 80))], at: place)
        case 5: bytes.insert(contentsOf: Array(repeating: bytes[place], count: Int(random.next() % 300)), at: place)
        case 6: bytes[place] ^= 1 << UInt8(random.next() % 8)
        default: bytes[place] = bytes[Int(random.next() % UInt64(bytes.count))]
        }
    }
    return bytes
}

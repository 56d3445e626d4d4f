import Foundation
import Model
import Primitives
import SIP

/// Streams beside the first one (video, text in real time, fax): each has a session of its own at the call's media worker, which passes its
/// packets on as they are. Its place among the streams of a description is its number on both sides.
extension CallMachine {
    struct Stream: Equatable, Sendable {
        let place: Int
        let session: UUIDv7
        /// Of the media worker; nil: they are being asked for.
        var ports: Sides<UInt16>?
    }

    /// An offer that brings new streams, while their ports are asked for.
    struct Parked: Sendable {
        let request: SIPMessage
        let transaction: ServerTransactionID
        let side: Side
        let replacement: Leg?
    }

    /// Beside the first.
    static let streamsMax = 3

    /// Where a side's streams that are relayed go.
    func addresses(of sdp: SDP, but index: Int, for side: Side, _ own: MediaTerms) -> [Int: SocketAddress] {
        guard let host = mediaAddress ?? hostOfLocal, !streams.isEmpty else { return [:] }
        // What the side that sends it has agreed of its sound: an answer brings nothing that was not offered.
        let source = side == .b ? a.media.own : b?.media.own
        var addresses: [Int: SocketAddress] = [:]
        for stream in streams where stream.place != index {
            guard let ports = stream.ports, OfferAnswer.passes(sdp, stream.place, towards: own), source.map({ OfferAnswer.passes(sdp, stream.place, towards: $0) }) ?? true
            else { continue }
            addresses[stream.place] = SocketAddress(host, port: ports[side])
        }
        return addresses
    }

    /// Those of the description that have no ports yet.
    private func newPlaces(in sdp: SDP, but index: Int) -> [Int] {
        guard !isDirect, sdp.media.count > 1, streams.count < CallMachine.streamsMax else { return [] }
        let places = sdp.media.indices.filter { place in
            place != index && OfferAnswer.passes(sdp, place) && !streams.contains { $0.place == place }
        }
        return Array(places.prefix(CallMachine.streamsMax - streams.count))
    }

    // MARK: Ports

    /// Asks for ports for what the caller has offered.
    ///
    /// - Returns: whether there is something to wait for.
    mutating func openStreams(_ kit: inout CallKit) -> Bool {
        if stage != .talking, let offer = a.media.remote { add(newPlaces(in: offer, but: a.media.index)) }
        for stream in streams where stream.ports == nil { ask(for: stream, &kit) }
        waitsForStreams = streams.contains { $0.ports == nil }
        return waitsForStreams
    }

    /// Another media worker has none of the sessions of the one before.
    mutating func renewStreams() { streams = streams.map { Stream(place: $0.place, session: session(at: $0.place)) } }

    private mutating func add(_ places: [Int]) { streams += places.map { Stream(place: $0, session: session(at: $0)) } }

    private func session(at place: Int) -> UUIDv7 { UUIDv7(high: mediaSession.high, low: mediaSession.low ^ UInt64(place + 1)) }

    private func ask(for stream: Stream, _ kit: inout CallKit) {
        var request = StudioRequest()
        request.open.sessionID = Data(stream.session.bytes)
        request.open.owner = kit.configuration.worker
        kit.ask(request, of: mediaWorker, .openStream(id, place: stream.place))
    }

    /// - Parameter opened: nil: there are no ports, so the stream is refused, and the call goes on without it.
    mutating func streamOpened(_ place: Int, _ opened: SessionOpened?, _ kit: inout CallKit) {
        guard let index = streams.firstIndex(where: { $0.place == place && $0.ports == nil }) else { return }
        if let opened, let portA = UInt16(exactly: opened.portA), let portB = UInt16(exactly: opened.portB) {
            streams[index].ports = Sides(a: portA, b: portB)
        } else {
            streams.remove(at: index)
        }
        guard stage != .closing, stage != .over else { return closeStreams(&kit) }
        guard !streams.contains(where: { $0.ports == nil }) else { return }
        defer { waitsForStreams = false }
        if let parked {
            self.parked = nil
            offer(parked.request, parked.transaction, parked.side, replacing: parked.replacement, hasWaited: true, &kit)
        } else if waitsForStreams {
            mediaReady(&kit)
        }
    }

    // MARK: Offers

    /// A new offer of one side brings streams that have no ports: it waits for them.
    mutating func park(
        _ request: SIPMessage, _ transaction: ServerTransactionID, _ side: Side, replacing replacement: Leg?, _ sdp: SDP, but index: Int, _ kit: inout CallKit
    ) -> Bool {
        let places = newPlaces(in: sdp, but: index)
        guard !places.isEmpty, !mediaWorker.isEmpty else { return false }
        add(places)
        parked = Parked(request: request, transaction: transaction, side: side, replacement: replacement)
        own(transaction, &kit)
        for stream in streams where stream.ports == nil { ask(for: stream, &kit) }
        return true
    }

    /// Takes back an offer that waits.
    mutating func unpark(_ kit: inout CallKit) {
        guard let parked else { return }
        self.parked = nil
        kit.respond(parked.request.response(487, toTag: self[parked.side]?.dialog.localTag), to: parked.transaction, .ended)
    }

    // MARK: The media worker

    /// What a side, or both, have said of their other streams.
    mutating func changeStreams(a: LegMediaState? = nil, b: LegMediaState? = nil, _ kit: inout CallKit) {
        for stream in streams where stream.ports != nil {
            var request = StudioRequest()
            request.change.sessionID = Data(stream.session.bytes)
            if let a, a.index != stream.place { request.change.a = a.spec(ofStream: stream.place) }
            if let b, b.index != stream.place { request.change.b = b.spec(ofStream: stream.place) }
            guard request.change.hasA || request.change.hasB else { continue }
            kit.ask(request, of: mediaWorker, .forgotten)
        }
    }

    mutating func closeStreams(_ kit: inout CallKit) {
        for stream in streams {
            var request = StudioRequest()
            request.close.sessionID = Data(stream.session.bytes)
            kit.ask(request, of: mediaWorker, .forgotten, policy: .closing)
        }
        streams = []
    }

    /// Of a call that was taken over: what its sides were told last.
    mutating func restoreStreams(_ kit: inout CallKit) {
        guard let local = (a.media.local, b?.media.local) as? (SDP, SDP) else { return }
        for place in local.0.media.indices where place != a.media.index && local.1.media.indices.contains(place) {
            let ports = Sides(a: local.0.media[place].port, b: local.1.media[place].port)
            guard ports.a != 0, ports.b != 0, streams.count < CallMachine.streamsMax else { continue }
            let stream = Stream(place: place, session: session(at: place), ports: ports)
            streams.append(stream)
            var request = StudioRequest()
            request.change.sessionID = Data(stream.session.bytes)
            request.change.owner = kit.configuration.worker
            kit.ask(request, of: mediaWorker, .forgotten)
        }
    }
}

extension LegMediaState {
    /// Fax by UDPTL has no place for a clock, a codec or a key.
    var isFax: Bool { remote.map { $0.media.indices.contains(index) && $0.media[index].isFax } ?? false }

    /// All numbers that the two descriptions name: a side sends by ours (RFC 3264 §5.1), and some by their own. Empty while one is missing.
    func payloadTypes(ofStream place: Int) -> Data {
        guard let remote, let local, remote.media.indices.contains(place), local.media.indices.contains(place) else { return Data() }
        var types: [UInt8] = []
        for number in local.media[place].formats + remote.media[place].formats {
            guard let type = UInt8(number), type <= 127, !types.contains(type) else { continue }
            types.append(type)
        }
        return Data(types)
    }

    func spec(ofStream place: Int) -> LegSpec {
        var spec = LegSpec()
        guard let remote, remote.media.indices.contains(place) else { return spec }
        if let address = remote.remoteAddress(of: place) { spec.remote = address.description }
        let stream = remote.media[place]
        spec.opaque = stream.isFax || stream.profile.isSecure
        spec.payloadTypes = payloadTypes(ofStream: place)
        return spec
    }
}

extension OfferAnswer {
    /// Whether a stream beside the first can be relayed: as RTP, with keys that both sides have from each other, or as packets of fax.
    static func passes(_ sdp: SDP, _ place: Int) -> Bool {
        guard sdp.media.indices.contains(place), !sdp.media[place].isRefused else { return false }
        let stream = sdp.media[place]
        if stream.isFax { return true }
        guard ["video", "text"].contains(stream.kind) else { return false }
        switch stream.profile {
        case .avp, .avpf: return true
        case .savp, .savpf: return !stream.cryptos.isEmpty
        case .tlsSAVP, .tlsSAVPF, .other: return false
        }
    }

    /// The same for a side whose first stream is protected so: where that has keys, the others have to have them, too.
    static func passes(_ sdp: SDP, _ place: Int, towards own: MediaTerms) -> Bool {
        guard passes(sdp, place) else { return false }
        switch own.protection {
        case .none: return !sdp.media[place].profile.isSecure
        case .sdes: return sdp.media[place].profile.isSecure
        case .dtls: return false
        }
    }
}

extension SDP.Media {
    /// T.38 over UDPTL (RFC 7345 §3).
    var isFax: Bool { kind == "image" && profile.text.lowercased() == "udptl" }
}

package import Ledger
package import OpenSSL

/// Publishes checkpoints: signs the head, asks every witness to cosign it (C2SP tlog-witness, `add-checkpoint`), and
/// shows the note with the cosignatures that are good.
package actor CheckpointPublisher {
    private let log: any EventLog
    private let origin: String
    private let key: SigningKey
    nonisolated let policy: WitnessPolicy
    package private(set) var states: [WitnessState]
    private var published: String?
    /// The last round: which size it was about, and when it ended.
    private var last: (size: UInt64, isComplete: Bool, at: ContinuousClock.Instant)?

    package init(log: any EventLog, origin: String, key: SigningKey, policy: WitnessPolicy = WitnessPolicy()) {
        self.log = log
        self.origin = origin
        self.key = key
        self.policy = policy
        states = policy.witnesses.map { WitnessState(witness: $0) }
    }

    /// With witnesses: the newest that enough of them cosigned. Without: the head, signed now. nil: so many have to cosign, and have
    /// not yet; whoever watches with the same quorum could do nothing with less.
    package func checkpoint() throws(LedgerError) -> String? {
        if let published { return published }
        guard policy.quorum == 0 else { return nil }
        let size = log.head
        return head(size, try log.rootHash(size: size)).signed(with: key)
    }

    /// One round. Nothing happens if nothing has grown and everybody has cosigned not long ago.
    package func publish(at now: ContinuousClock.Instant = .now) async throws(LedgerError) {
        guard !states.isEmpty else { return }
        let size = log.head
        if let last, last.size == size, last.isComplete, now - last.at < policy.refresh { return }
        let checkpoint = head(size, try log.rootHash(size: size))
        let note = checkpoint.signed(with: key)
        let results = await cosign(checkpoint, note)
        var lines = ""
        var count = 0
        for (index, result) in results.enumerated() {
            switch result {
            case .success(let cosignature):
                lines += cosignature.line
                count += 1
                states[index].size = size
                states[index].time = cosignature.time
                states[index].fault = nil
            case .failure(let fault):
                if case .ahead(let theirs) = fault { states[index].size = theirs }
                states[index].fault = fault.description
            }
        }
        last = (size, count == states.count, now)
        if count >= policy.quorum { published = note + lines }
    }

    private func head(_ size: UInt64, _ root: SHA256Digest) -> Checkpoint { Checkpoint(origin: origin, size: size, root: root) }

    /// All of them at once; in their order.
    private func cosign(_ checkpoint: Checkpoint, _ note: String) async -> [Result<Cosignature, WitnessFault>] {
        await withTaskGroup(of: (Int, Result<Cosignature, WitnessFault>).self) { group in
            for (index, state) in states.enumerated() {
                let submission = Submission(
                    witness: state.witness, checkpoint: checkpoint, note: note, log: log, transport: policy.transport)
                group.addTask {
                    do throws(WitnessFault) {
                        return (index, .success(try await submission.run(from: state.size ?? 0)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            var results = [Result<Cosignature, WitnessFault>](repeating: .failure(.cancelled), count: states.count)
            for await (index, result) in group { results[index] = result }
            return results
        }
    }
}

enum WitnessFault: Error, Hashable, CustomStringConvertible {
    case unreachable(String)
    /// The answer has no good cosignature of the configured key.
    case notCosigned
    /// It has seen a larger tree of this log than there is: this log is an old copy under the same name, or a fork.
    case ahead(UInt64)
    case refused(status: Int)
    case proof(LedgerError)
    case cancelled

    var description: String {
        switch self {
        case .unreachable(let reason): "it does not answer: \(reason)"
        case .notCosigned: "its answer holds no good cosignature by the key that is configured for it"
        case .ahead(let size):
            "it has cosigned a tree of \(size) events, more than there are: this log is an old copy of a longer one, which must not go on under the same name"
        case .refused(403): "it does not know our key (403): tell its operator the verifier key"
        case .refused(404): "it does not know our log (404): tell its operator the origin"
        case .refused(409), .refused(422):
            "it has cosigned another history of this log: somebody rewrote one of the two, run `ledgerline log verify`"
        case .refused(let status): "it refuses with status \(status)"
        case .proof(let error): "the proof for it cannot be made: \(error)"
        case .cancelled: "it was not asked"
        }
    }
}

/// One checkpoint on its way to one witness.
private struct Submission: Sendable {
    let witness: Witness
    let checkpoint: Checkpoint
    let note: String
    let log: any EventLog
    let transport: WitnessTransport

    /// - Parameter old: what it is believed to have cosigned last. If it knows better it says so, and is asked once more.
    func run(from old: UInt64) async throws(WitnessFault) -> Cosignature {
        let answer = try await send(from: min(old, checkpoint.size))
        guard answer.status == 409 else { return try read(answer) }
        guard let theirs = UInt64(answer.body.prefix { $0 != "\n" }), theirs != min(old, checkpoint.size) else {
            throw .refused(status: 409)
        }
        guard theirs <= checkpoint.size else { throw .ahead(theirs) }
        return try read(try await send(from: theirs))
    }

    private func send(from old: UInt64) async throws(WitnessFault) -> WitnessAnswer {
        let path: [SHA256Digest]
        do throws(LedgerError) {
            path = try log.consistencyProof(from: old, to: checkpoint.size)
        } catch {
            throw .proof(error)
        }
        do {
            let body = ConsistencyProof(old: old, path: path, note: note).text
            return try await transport(witness.url + "/add-checkpoint", body)
        } catch {
            throw .unreachable("\(error)")
        }
    }

    private func read(_ answer: WitnessAnswer) throws(WitnessFault) -> Cosignature {
        guard answer.status == 200 else { throw .refused(status: answer.status) }
        guard let cosignature = Cosignature(in: answer.body, of: checkpoint.body, by: witness.key) else {
            throw .notCosigned
        }
        return cosignature
    }
}

import Foundation
import Invoices
import Ledger
import Model
package import OpenSSL
import Primitives

extension InvoicePack {
    /// Checks everything that can be checked without a server. Throws the first contradiction.
    ///
    /// - Parameter given: the log's name and key as the operator publishes them; nil: those in the pack are taken.
    package func verified(with given: (name: String, key: VerifyingKey)?) throws(Contradiction) -> (verdict: Verdict, facts: InvoiceFacts) {
        let (name, key, head) = try PackHead(log: self.head.log, key: self.head.key, checkpoint: self.head.checkpoint).checked(with: given)
        var verdict = Verdict()
        (verdict.log, verdict.size) = (head.origin, head.size)
        let issued = try document(at: self.head.sequence)
        guard UUIDv7(bytes: issued.id)?.description == self.head.invoice else { throw Contradiction("event \(self.head.sequence) is of another invoice than the pack") }
        guard issued.decimals <= 6, issued.kind == .invoice || issued.kind == .creditNote, issued.periodFrom > 0, issued.periodTo > 0, issued.layout <= 2 else {
            throw Contradiction("the invoice is of a later version than this program")
        }
        guard self.head.format == InvoicePack.format(of: issued) else { throw Contradiction("the pack's format is not that of packs of such invoices") }
        var facts = try InvoiceFacts(issued, sequence: self.head.sequence, before: try documentBefore(issued))
        try readEvents(under: head, into: &facts)
        verdict.proven.append("\(lines.count) events are in the log \(head.origin), byte for byte, under its signed head of \(head.size) events")
        try facts.checkDocument(&verdict)
        switch issued.kind {
        case .invoice: try facts.checkInvoice(&verdict)
        case .creditNote, .UNRECOGNIZED: try facts.checkCreditNote(&verdict)
        }
        try facts.checkPrint(self.head.buyer, &verdict)
        try PackSignature.check(signature, is: body, name: name, key)
        facts.sayNotProven(&verdict)
        return (verdict, facts)
    }

    /// All events, each with its place in the tree and then as what it is.
    private func readEvents(under head: Checkpoint, into facts: inout InvoiceFacts) throws(Contradiction) {
        let hasher = MerkleHasher()
        var leaves: [(index: UInt64, digest: SHA256Digest)] = []
        leaves.reserveCapacity(lines.count)
        // Whether all are in the log is seen at the end, and counts for more than what they say.
        var contradiction: Contradiction?
        for index in lines.indices {
            let item = try read(index)
            guard item.sequence > leaves.last.map({ $0.index + 1 }) ?? 0, item.sequence <= head.size else {
                throw Contradiction("event \(item.sequence) is not in its order, there twice, or beyond the signed head")
            }
            guard let bytes = Base64.decode(item.envelope), Base64.encode(bytes) == item.envelope else {
                throw Contradiction("event \(item.sequence) is not base64")
            }
            leaves.append((item.sequence - 1, unsafe hasher.leaf(bytes.span.bytes)))
            guard contradiction == nil else { continue }
            do throws(Contradiction) {
                let (envelope, event) = try Self.decoded(item, bytes)
                try facts.add(envelope, event, item)
            } catch {
                contradiction = error
            }
        }
        var hashes: [SHA256Digest] = []
        for text in proof {
            guard let digest = Base64.decode(text).flatMap({ SHA256Digest($0) }), Base64.encode(digest.bytes) == text else {
                throw Contradiction("the proof holds something that is not a hash")
            }
            hashes.append(digest)
        }
        guard BatchProof.root(of: leaves, size: head.size, proof: hashes) == head.root else {
            throw Contradiction("the events are not those of the signed log: an event's bytes, its place or the proof were changed, or events were left out or added")
        }
        if let contradiction { throw contradiction }
        try facts.checkEnd()
    }

    private static func decoded(_ item: ProvenEvent, _ bytes: [UInt8]) throws(Contradiction) -> (Envelope, Event) {
        guard let envelope = unsafe Envelope(parsing: bytes.span.bytes), envelope.sequence == item.sequence, envelope.type == item.type else {
            throw Contradiction("event \(item.sequence) is not what the pack says it is")
        }
        do throws(EventDecodingError) {
            return (envelope, try Event(storedType: envelope.type, schemaVersion: envelope.schemaVersion, payload: envelope.payload))
        } catch {
            throw Contradiction("event \(item.sequence) cannot be decoded: \(error)")
        }
    }

    private func read(_ index: Int) throws(Contradiction) -> ProvenEvent {
        do throws(DisputeError) {
            return try event(index)
        } catch {
            throw Contradiction("\(error)")
        }
    }

    // MARK: - what the movements are read by

    /// The document itself stands near the end: only credit notes are behind it.
    private func document(at sequence: UInt64) throws(Contradiction) -> InvoiceIssued {
        for index in lines.indices.reversed() {
            let item = try read(index)
            guard item.sequence >= sequence else { break }
            if item.sequence == sequence, let invoice = try Self.invoice(item) { return invoice }
        }
        throw Contradiction("the event of the invoice is not in the pack")
    }

    /// The debtor's invoice before, which says where this one begins and what the account stood at. It stands in front of all movements
    /// but what was recorded between its cut and itself.
    private func documentBefore(_ issued: InvoiceIssued) throws(Contradiction) -> (UInt64, InvoiceIssued)? {
        guard issued.kind == .invoice, issued.afterSequence > 0 else { return nil }
        for index in lines.indices {
            let item = try read(index)
            guard item.sequence < head.sequence else { break }
            guard item.type == "invoice.issued", let other = try Self.invoice(item), other.kind == .invoice, other.debt == issued.debt,
                other.throughSequence == issued.afterSequence
            else { continue }
            return (item.sequence, other)
        }
        throw Contradiction("the buyer's invoice before, which ends at event \(issued.afterSequence), is left out")
    }

    private static func invoice(_ item: ProvenEvent) throws(Contradiction) -> InvoiceIssued? {
        guard let bytes = Base64.decode(item.envelope), case (_, .invoiceIssued(let invoice)) = try decoded(item, bytes) else { return nil }
        return invoice
    }
}

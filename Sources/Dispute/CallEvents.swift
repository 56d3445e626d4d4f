import Ledger
import Model
import Primitives
import Rating

/// The events of a pack, decoded and put in their places. Only their public parts are read: what was sealed for a person's
/// sake stays closed to whoever checks a pack.
struct CallEvents {
    struct Entry {
        let envelope: Envelope
        let role: DisputePack.Role
        let event: Event
    }

    let entries: [Entry]
    let started: (envelope: Envelope, event: CallStarted)
    let answered: CallAnswered?
    /// What was set aside for the call in the end.
    let hold: CreditHold?
    let ended: CallEnded
    let journal: JournalPosted?
    let cdr: Cdr
    let decks: [RateDeckVersion]
    let corrections: [(envelope: Envelope, event: JournalPosted)]
    /// What says why money was moved by such a correction.
    let corrected: [ChargeCorrected]

    init(_ entries: [(envelope: Envelope, role: DisputePack.Role)]) throws(Contradiction) {
        var decoded: [Entry] = []
        var started: (Envelope, CallStarted)?
        var answered: CallAnswered?
        var renewed: CreditHold?
        var ended: CallEnded?
        var journal: JournalPosted?
        var cdr: Cdr?
        var decks: [RateDeckVersion] = []
        var corrections: [(Envelope, JournalPosted)] = []
        var corrected: [ChargeCorrected] = []
        for (envelope, role) in entries {
            let event: Event
            do throws(EventDecodingError) {
                event = try Event(storedType: envelope.type, schemaVersion: envelope.schemaVersion, payload: envelope.payload)
            } catch {
                throw Contradiction("event \(envelope.sequence) cannot be decoded: \(error)")
            }
            decoded.append(Entry(envelope: envelope, role: role, event: event))
            switch (role, event) {
            case (.call, .callStarted(let event)): started = started ?? (envelope, event)
            case (.call, .callAnswered(let event)): answered = answered ?? event
            case (.call, .creditRenewed(let event)): renewed = event.hold
            case (.call, .callEnded(let event)): ended = ended ?? event
            case (.call, .cdrRecorded(let event)): cdr = cdr ?? event.cdr
            case (.call, .journalPosted(let event)):
                if cdr == nil { journal = journal ?? event } else { corrections.append((envelope, event)) }
            case (.deck, .rateDeckVersionPublished(let event)): decks.append(event.version)
            case (.call, .chargeCorrected(let event)): corrected.append(event)
            case (.correction, .journalPosted(let event)): corrections.append((envelope, event))
            // Other facts of the call are milestones; anything else in these roles proves nothing, and does no harm.
            case (.call, _), (.correction, _): break
            case (.deck, _): throw Contradiction("event \(envelope.sequence) is given as a deck's version and is \(envelope.type)")
            }
        }
        guard let started else { throw Contradiction("there is no event of the call's beginning") }
        guard var ended else { throw Contradiction("there is no event of the call's end") }
        guard let cdr else { throw Contradiction("there is no event of the call's record") }
        // They stand in the record alone; earlier versions wrote them into both.
        if ended.attempts.isEmpty { ended.attempts = cdr.attempts }
        if !ended.hasMedia, cdr.hasMedia { ended.media = cdr.media }
        self.entries = decoded
        self.started = started
        self.answered = answered
        hold = renewed ?? (started.1.hasHold ? started.1.hold : nil)
        self.ended = ended
        self.journal = journal
        self.cdr = cdr
        self.decks = decks
        self.corrections = corrections
        self.corrected = corrected
    }

    /// The prices that the call was charged by: none if nobody answered. Earlier versions charged what went beyond the time
    /// that was set aside for.
    var rates: [RateLock] {
        let rates = answered.map { started.event.rates(answeredBy: $0.gatewayID) } ?? []
        guard cdr.charges.contains(where: { $0.timeLimitSeconds > 0 }) else { return rates }
        return rates.map { $0.limited(by: hold) }
    }

    func deck(of lock: RateLock) -> RateDeckVersion? { decks.first { $0.deckID == lock.deckID && $0.version == lock.deckVersion } }
}

/// What in a pack does not fit, in words.
package struct Contradiction: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

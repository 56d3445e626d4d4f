package import Foundation
package import Model

extension CallExplanation {
    /// Leaves what a record holds that is shown in part: whoever sees no cost of the carrier is not told how it came about.
    ///
    /// - Parameter showsRoute: which carriers there are is the business of those who buy from them.
    package mutating func keep(what seen: Cdr, showsRoute: Bool) {
        if !showsRoute { route = nil }
        let edges = seen.charges
        charges = charges.filter { charge in
            edges.contains { $0.edge == charge.edge && Self.id($0.deckID) == charge.deck && $0.payer.text == charge.payer }
        }
        let accounts = Set(edges.flatMap { [$0.payer.text, $0.payee.text] })
        movements = movements.filter { accounts.contains($0.account) }
        for index in corrections.indices { corrections[index].movements = corrections[index].movements.filter { accounts.contains($0.account) } }
        corrections = corrections.filter { !$0.movements.isEmpty }
        caller = seen.caller.number
        called = seen.calledE164.isEmpty ? seen.called.number : seen.calledE164
        dialled = seen.dialled
        attempts = zip(attempts, seen.attempts).map { attempt, seen in
            var attempt = attempt
            attempt.target = seen.target
            attempt.gateway = Self.id(seen.gatewayID.isEmpty ? seen.subscriberID : seen.gatewayID)
            if attempt.gateway.isEmpty { attempt.name = nil }
            return attempt
        }
        // They name workers, addresses and other people's money.
        milestones = []
        media = []
        mediaWorker = ""
    }

    /// One JSON object, names in small letters with underscores, keys sorted.
    package func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

/// A place in a conference, as signalling wants it.
package struct ConferencePlace: Equatable, Sendable {
    package var room: [UInt8]
    /// Digits to press first; empty: none.
    package var pin: [UInt8] = []
    package var participantsMax = 32
    /// Nobody hears who comes and goes.
    package var isSilent = false
    /// What is said: for the PIN, when it was wrong, and when there is no place.
    package var asks: Recording?
    package var isWrong: Recording?
    package var isFull: Recording?

    package init(room: [UInt8]) { self.room = room }
}

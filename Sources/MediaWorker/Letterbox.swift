internal import Synchronization

/// Messages from one thread to another, in order.
final class Letterbox<Letter: Sendable>: Sendable {
    private let letters = Mutex<[Letter]>([])

    func put(_ letter: Letter) { letters.withLock { $0.append(letter) } }

    func takeAll() -> [Letter] {
        letters.withLock { letters in
            defer { letters = [] }
            return letters
        }
    }
}

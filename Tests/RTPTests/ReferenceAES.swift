/// AES-128 for one block (FIPS 197), without tables.
struct ReferenceAES {
    private let roundKeys: [[UInt8]]

    init(key: [UInt8]) {
        var words = (0..<4).map { Array(key[$0 * 4..<$0 * 4 + 4]) }
        var constant: UInt8 = 1
        for index in 4..<44 {
            var word = words[index - 1]
            if index % 4 == 0 {
                word = [word[1], word[2], word[3], word[0]].map(ReferenceAES.substitute)
                word[0] ^= constant
                constant = ReferenceAES.double(constant)
            }
            words.append(zip(words[index - 4], word).map { $0 ^ $1 })
        }
        roundKeys = (0..<11).map { round in Array(words[round * 4..<round * 4 + 4].joined()) }
    }

    func encrypt(_ block: [UInt8]) -> [UInt8] {
        var state = zip(block, roundKeys[0]).map { $0 ^ $1 }
        for round in 1...10 {
            state = state.map(ReferenceAES.substitute)
            state = (0..<16).map { state[($0 + $0 % 4 * 4) % 16] }
            if round < 10 {
                state = (0..<16).map { index in
                    let column = index / 4 * 4
                    let row = index % 4
                    let (a, b) = (state[column + row], state[column + (row + 1) % 4])
                    let (c, d) = (state[column + (row + 2) % 4], state[column + (row + 3) % 4])
                    return ReferenceAES.double(a) ^ ReferenceAES.double(b) ^ b ^ c ^ d
                }
            }
            state = zip(state, roundKeys[round]).map { $0 ^ $1 }
        }
        return state
    }

    private static func double(_ value: UInt8) -> UInt8 { value << 1 ^ (value & 0x80 != 0 ? 0x1B : 0) }

    private static func multiply(_ a: UInt8, _ b: UInt8) -> UInt8 {
        var (a, b, product) = (a, b, UInt8(0))
        while b != 0 {
            if b & 1 != 0 { product ^= a }
            a = double(a)
            b >>= 1
        }
        return product
    }

    /// The multiplicative inverse (the 254th power), then the affine step.
    private static let box: [UInt8] = (0...255).map { value in
        var inverse: UInt8 = 1
        for _ in 0..<254 { inverse = multiply(inverse, UInt8(value)) }
        // Swift shifts a byte by eight to nothing, so a rotation by none needs no case of its own.
        var result: UInt8 = 0x63
        for rotation in 0..<5 as Range<UInt8> { result ^= inverse << rotation | inverse >> (8 - rotation) }
        return result
    }

    private static func substitute(_ value: UInt8) -> UInt8 { box[Int(value)] }
}

internal import COpenSSL

/// scrypt (RFC 7914): makes guessing a password cost memory and time.
public struct Scrypt: Equatable, Sendable {
    /// N is two to the power of this.
    public var cost: UInt32
    /// r; one evaluation takes 128 · N · r bytes of memory.
    public var blockSize: UInt32
    /// p: so many evaluations, one after the other.
    public var parallel: UInt32

    /// 32 MiB and some tenths of a second.
    public static let standard = Scrypt(cost: 15, blockSize: 8, parallel: 3)

    public init(cost: UInt32, blockSize: UInt32, parallel: UInt32) {
        self.cost = cost
        self.blockSize = blockSize
        self.parallel = parallel
    }

    /// nil: OpenSSL refuses the parameters, or there is no memory.
    public func key(_ password: [UInt8], salt: [UInt8], count: Int = 32) -> [UInt8]? {
        guard (1...24).contains(cost), (1...64).contains(blockSize), (1...64).contains(parallel) else { return nil }
        let n = UInt64(1) << UInt64(cost)
        let memory = 128 * UInt64(blockSize) * (n + UInt64(parallel) + 2) + 1 << 20
        var out = [UInt8](repeating: 0, count: count)
        let status = unsafe password.withUnsafeBytes { bytes in
            unsafe EVP_PBE_scrypt(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, salt, salt.count, n, UInt64(blockSize),
                UInt64(parallel), memory, &out, count)
        }
        return status == 1 ? out : nil
    }
}

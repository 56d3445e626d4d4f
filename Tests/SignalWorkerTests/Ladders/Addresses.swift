import Primitives

/// Who lives where in the world of the ladders.
enum Addresses {
    static let domain = "pbx.example"
    static let cluster = SocketAddress.loopback(5_060)
    static let workers = ["w1": SocketAddress.loopback(5_061), "w2": .loopback(5_062), "w3": .loopback(5_063)]
    static let phones = [
        "alice": SocketAddress.loopback(6_001), "bob": .loopback(6_002), "carol": .loopback(6_003), "dave": .loopback(6_004), "mallory": .loopback(6_009),
    ]
    static let gateways = ["gw1": SocketAddress.loopback(7_001), "gw2": .loopback(7_002)]
    static let studios = ["m1", "m2"]

    static func peer(at address: SocketAddress) -> String? {
        phones.first { $0.value == address }?.key ?? gateways.first { $0.value == address }?.key
    }

    /// 16 bytes that stand for an entity.
    static func id(_ name: String) -> [UInt8] {
        let bytes = Array(name.utf8)
        return bytes + Array(repeating: 0, count: 16 - bytes.count)
    }
}

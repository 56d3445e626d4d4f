/// What the kernel writes beside a datagram when it is asked for the address to which it was sent (ip(7), IP_RECVORIGDSTADDR): the header of a
/// control message, and a socket address of either family.
struct OriginalDestination {
    private var length = 0
    private var level: Int32 = 0
    private var type: Int32 = 0
    private var family: UInt16 = 0
    private var portOnTheWire: UInt16 = 0
    private var rest: (UInt64, UInt64, UInt64) = (0, 0, 0)

    /// IP_ORIGDSTADDR and IPV6_ORIGDSTADDR (linux/in.h, linux/in6.h), which also turn it on.
    static let optionV4: Int32 = 20
    static let optionV6: Int32 = 74

    /// nil: it is something else.
    var port: UInt16? {
        guard length >= 20, type == Self.optionV4 || type == Self.optionV6 else { return nil }
        return UInt16(bigEndian: portOnTheWire)
    }
}

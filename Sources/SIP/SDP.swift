/// A session description (RFC 8866), kept line by line: what is not understood is carried as it came.
package struct SDP: Hashable, Sendable, CustomStringConvertible {
    /// One line that is carried without a field of its own: `b=`, `t=`, `a=` …
    package struct Line: Hashable, Sendable {
        package let type: Unicode.Scalar
        package var value: String

        package init(_ type: Unicode.Scalar, _ value: String) {
            self.type = type
            self.value = clean(value)
        }

        /// - Parameter value: known to hold no control bytes.
        init(parsed type: UInt8, _ value: String) {
            self.type = Unicode.Scalar(type)
            self.value = value
        }
    }

    /// `o=` (RFC 8866 §5.2).
    package struct Origin: Hashable, Sendable {
        package var username: String
        package var sessionID: UInt64
        package var version: UInt64
        package var address: Address

        package init(username: String = "-", sessionID: UInt64, version: UInt64, address: Address) {
            self.username = username
            self.sessionID = sessionID
            self.version = version
            self.address = address
        }
    }

    /// `IN IP4 192.0.2.1`, as in `o=` and `c=`. Names of hosts are allowed in it.
    package struct Address: Hashable, Sendable {
        package var isIPv6: Bool
        /// Without brackets; in `c=` a multicast address may carry `/ttl`.
        package var host: String

        package init(isIPv6: Bool, host: String) {
            self.isIPv6 = isIPv6
            self.host = host
        }
        /// Before RFC 3264, and in odd phones since, this address put a stream on hold.
        package var isUnspecified: Bool { host == "0.0.0.0" || host == "::" }
    }

    package var origin: Origin
    package var name: String
    package var connection: Address?
    /// All other session lines in order, `t=` among them.
    package var lines: [Line]
    package var media: [Media]

    package init(origin: Origin, name: String = "-", connection: Address?, media: [Media] = []) {
        self.origin = origin
        self.name = name
        self.connection = connection
        lines = [Line("t", "0 0")]
        self.media = media
    }
}

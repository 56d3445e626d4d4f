import Foundation
import Primitives

extension AccountRef {
    /// `customer.0192….EUR`; the platform's own: `platform_revenue.platform.EUR`. Fit for a path.
    public var text: String {
        let owner = UUIDv7(bytes: ownerID)?.description ?? "platform"
        return "\(kind.literal).\(owner).\(currency)"
    }

    /// nil for what is not the name of an account that could be.
    public init?(text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let kind = AccountKind(literal: parts[0]), let currency = Currency(parts[2]) else {
            return nil
        }
        self.init()
        self.kind = kind
        self.currency = currency.code
        if parts[1] != "platform" {
            guard let owner = UUIDv7(parts[1]) else { return nil }
            ownerID = Data(owner.bytes)
        }
    }
}

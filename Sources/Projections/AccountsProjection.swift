import Foundation
public import Model
import Primitives

/// What every account stands at, how it came there, and what is held for calls that run.
public enum AccountsProjection: Projection {
    public static let name = "accounts"
    public static let version: UInt32 = 3
    public static let tables: [Table] = [.accounts, .postings, .holds, .journals]

    /// Everything that moves money is a fact of a call or a journal: see AccountsProjection+facts.swift.
    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {}
}

extension AccountState {
    /// An account that nothing has happened to.
    init(_ account: AccountRef) {
        self.init()
        self.account = account
    }
}

extension Key {
    /// Kind, owner and currency: 20 bytes. nil if one of them cannot be.
    init?(_ account: AccountRef) {
        guard let kind = UInt8(exactly: account.kind.rawValue), let currency = Currency(account.currency) else {
            return nil
        }
        self.init()
        reserve(20)
        add(byte: kind)
        if account.ownerID.isEmpty {
            add(UUIDv7.platform)
        } else {
            guard let owner = UUIDv7(account.ownerID) else { return nil }
            add(owner)
        }
        add(text: currency.code)
    }
}

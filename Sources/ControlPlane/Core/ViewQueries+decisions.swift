import Model
import Primitives
import Projections

// Questions that only decisions ask.

extension ViewQueries where Self: ~Copyable {
    func token(named name: String) throws(ViewsError) -> Token? {
        var after: TokenID?
        while true {
            let page = try tokens(after: after, limit: 200)
            if let found = page.first(where: { $0.name == name }) { return found }
            guard page.count == 200, let last = page.last else { return nil }
            after = TokenID(last.id)
        }
    }

    /// Over all tenants of the customer; stops counting at `limit`.
    func subscriberCount(of customer: CustomerID, limit: UInt64) throws(ViewsError) -> UInt64 {
        var count: UInt64 = 0
        for tenant in try referrers(of: customer.value, kind: .tenant, limit: .max) where count < limit {
            count += UInt64(try referrers(of: tenant, kind: .subscriber, limit: Int(clamping: limit - count)).count)
        }
        return count
    }

    /// Every call that runs.
    func forEachLiveCall(_ body: (LiveCall) -> Void) throws(ViewsError) {
        var after: CallID?
        while true {
            let page = try liveCalls(after: after, limit: 500)
            for call in page { body(call) }
            guard page.count == 500, let last = page.last else { return }
            after = CallID(last.started.callID)
        }
    }

    /// The names of the workers that carry live calls, in order.
    func liveCallOwners() throws(ViewsError) -> [String] {
        var owners: Set<String> = []
        var after: CallID?
        while true {
            let page = try liveCalls(after: after, limit: 500)
            for call in page { owners.insert(call.worker) }
            guard page.count == 500, let last = page.last else { return owners.sorted() }
            after = CallID(last.started.callID)
        }
    }
}

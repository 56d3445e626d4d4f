import Model
import Primitives
import Projections

/// What a security group lets a line, and a customer as a whole, spend in a day.
struct SpendLimit {
    enum Whose: Equatable {
        case line
        case customer
    }

    /// One of the limits, with what was spent of it.
    struct Part: Equatable {
        let whose: Whose
        let limit: Int64
        let spend: Spend
        var left: Int64 { limit &- spend.totalMicros }
    }

    let parts: [Part]
    /// Of all limits together; nil: there are none.
    var left: Int64? { parts.map(\.left).min() }

    init<State: ViewQueries & ~Copyable>(
        _ group: SecurityGroup, line: SubscriberID, customer: CustomerID, in state: borrowing State, at time: WallTime
    ) throws {
        guard group.lineSpendPerDayMicros > 0 || group.customerSpendPerDayMicros > 0 else {
            parts = []
            return
        }
        let since = CivilClock(zone: group.timeZone).startOfDay(at: time)
        var parts: [Part] = []
        if group.lineSpendPerDayMicros > 0 {
            parts.append(Part(whose: .line, limit: group.lineSpendPerDayMicros, spend: try state.spend(of: line, since: since)))
        }
        if group.customerSpendPerDayMicros > 0 {
            let spend = try state.spend(of: customer, since: since)
            parts.append(Part(whose: .customer, limit: group.customerSpendPerDayMicros, spend: spend))
        }
        self.parts = parts
    }
}

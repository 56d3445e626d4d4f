import Model
import Primitives
import Projections

/// When to look whether a period is over, and how far the looking has come.
struct FeeClock {
    /// Every midnight of every time zone is at a quarter of an hour.
    static let quarter: Int64 = 15 * 60 * 1_000_000
    /// Payers that are looked at, and periods that are charged, between two requests of calls.
    static let payersMax = 200
    static let chargesMax = 50

    /// Providers come first: what ended long ago is forgotten when the customer that had it is charged.
    enum Pass {
        case providers
        case customers
    }

    var dueAt = WallTime(microseconds: .min)
    /// nil: nothing is looked at.
    var pass: Pass?
    var after: UUIDv7?
    /// What is over then is charged.
    var until = WallTime(microseconds: 0)

    var isBusy: Bool { pass != nil }
}

extension ControlCore {
    /// Charges what is paid by the month, a few payers at a time.
    mutating func chargeFees(at wall: WallTime) -> [Output] {
        if !fees.isBusy {
            guard wall >= fees.dueAt else { return [] }
            fees.pass = .providers
            fees.after = nil
            fees.until = wall
        }
        guard let pass = fees.pass else { return [] }
        var clock = fees
        let result = attempt { core, batch, views in
            let payers = try views.feePayers(after: clock.after, limit: FeeClock.payersMax)
            var charges = 0
            for payer in payers where try views.isProvider(payer) == (pass == .providers) {
                while charges < FeeClock.chargesMax {
                    var decision = Decision(wall: wall, random: core.random)
                    guard try FeeDecider.chargeNext(payer, at: clock.until, in: views, &decision) else { break }
                    core.random = decision.random
                    try batch.record(decision, actor: "control", cause: "a period is over", in: &views)
                    charges += 1
                }
                // What is left of this one comes next.
                if charges == FeeClock.chargesMax { return }
                clock.after = payer
            }
            clock.after = payers.last
            guard payers.count < FeeClock.payersMax else { return }
            clock.after = nil
            switch pass {
            case .providers: clock.pass = .customers
            case .customers:
                clock.pass = nil
                clock.dueAt = WallTime(microseconds: (clock.until.microseconds / FeeClock.quarter + 1) * FeeClock.quarter)
            }
        }
        switch result {
        case .success(let outputs):
            fees = clock
            return outputs
        case .failure(let failure):
            fees.pass = nil
            fees.dueAt = wall + .seconds(60)
            return [.note(.batchFailed(commands: 1, reason: failure.reason))]
        }
    }
}

extension ControlCore {
    /// Packages that have ended begin anew, one period after the other.
    mutating func renewPackages(at wall: WallTime) -> [Output] {
        let ended = try? views.read { views throws(ViewsError) in try views.packagesEnded(by: wall, limit: 1) }
        guard ended?.isEmpty == false else { return [] }
        let result = attempt { core, batch, views in
            // One that is renewed may have ended again.
            for _ in 0..<FeeClock.chargesMax {
                guard let package = try views.packagesEnded(by: wall, limit: 1).first else { return }
                var decision = Decision(wall: wall, random: core.random)
                try PackageDecider.renew(package.bought, in: views, &decision)
                core.random = decision.random
                try batch.record(decision, actor: "control", cause: "a package has ended", in: &views)
            }
        }
        switch result {
        case .success(let outputs): return outputs
        case .failure(let failure): return [.note(.batchFailed(commands: 1, reason: failure.reason))]
        }
    }
}

extension ViewQueries where Self: ~Copyable {
    fileprivate func isProvider(_ id: UUIDv7) throws(ViewsError) -> Bool { try provider(ProviderID(id)) != nil }
}

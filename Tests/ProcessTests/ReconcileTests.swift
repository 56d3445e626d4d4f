import Foundation
import Testing

/// `ledgerline cdr reconcile` where it can be run without calls: wrong use is said so.
struct ReconcileTests {
    @Test func wrongUseOfReconciliationIsSaidSo() throws {
        let scratch = try Scratch()
        let missing = try Ledgerline.run(["cdr", "reconcile", scratch.path + "/none.csv", "--data", scratch.path + "/nothing", "--carrier", "x"])
        #expect(missing.status == 66 && missing.output.contains("is not a data directory"))
        let tolerance = try Ledgerline.run([
            "cdr", "reconcile", "x.csv", "--data", scratch.path, "--carrier", "x", "--amount-tolerance", "much",
        ])
        #expect(tolerance.status != 0 && tolerance.output.contains("--amount-tolerance is an amount"))
        let zone = try Ledgerline.run(["cdr", "reconcile", "x.csv", "--data", scratch.path, "--carrier", "x", "--zone", "Berlin"])
        #expect(zone.status != 0 && zone.output.contains("--zone is written"))
    }
}

import Foundation
import Ledger
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@Suite struct AccountsTests {
    private let fixture: Fixture
    private var make = Builder()
    private let customer: AccountRef
    private let cash: AccountRef
    private let customerID: CustomerID

    init() throws {
        fixture = try Fixture()
        let euro = try #require(Currency("EUR"))
        customerID = CustomerID(make.id())
        customer = .customer(customerID, euro)
        cash = .cash(ProviderID(make.id()), euro)
    }

    private mutating func journal(_ postings: [Posting], reason: String = "") -> (event: Event, stream: UUIDv7) {
        let id = make.id()
        return (
            .journalPosted(
                .with {
                    $0.id = id.data
                    $0.kind = .topUp
                    $0.reason = reason
                    $0.postings = postings
                }), id
        )
    }

    private mutating func pay(_ micros: Int64, reason: String = "") throws -> UInt64 {
        let (event, stream) = journal(
            [Posting(cash, micros: -micros), Posting(customer, micros: micros)], reason: reason)
        return try fixture.record(event, stream, at: 5)
    }

    @Test mutating func everyMovementSaysWhatItLedTo() throws {
        _ = try pay(50_000_000, reason: "cash desk")
        _ = try pay(-1_000_000)
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.balance(customer) == 49_000_000)
            #expect(try views.balance(cash) == -49_000_000)
            let lines = try views.postings(of: customer, limit: 10)
            #expect(lines.map(\.amountMicros) == [50_000_000, -1_000_000])
            #expect(lines.map(\.balanceMicros) == [50_000_000, 49_000_000])
            #expect(
                lines[0].reason == "cash desk" && lines[0].postedAt == 5 && lines[0].sequence == 1
                    && lines[0].index == 1)
            #expect(try views.postings(of: customer, after: (1, 1), limit: 10) == [lines[1]])
            #expect(try views.accounts(owner: customerID.value).map(\.account) == [customer])
            #expect(try views.accounts(limit: 10).map(\.account) == [customer, cash])
            #expect(try views.accounts(after: customer, limit: 10).map(\.account) == [cash])
            #expect(try views.history(of: customerID.value, limit: 10) == [1, 2])
        }
    }

    @Test mutating func anAccountThatNothingHasHappenedToStandsAtZero() throws {
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.balance(customer) == 0)
            #expect(try views.held(customer) == 0)
            #expect(try views.account(AccountRef()) == .with { $0.account = AccountRef() })
            #expect(try views.trialBalance() == [])
        }
    }

    @Test mutating func aHoldIsSetReplacedAndReleased() throws {
        _ = try pay(10_000)
        let call = make.id()
        let hold = CreditHold.with {
            $0.account = customer
            $0.amountMicros = 6_000
        }
        try fixture.record(
            .callStarted(
                .with {
                    $0.callID = call.data
                    $0.hold = hold
                }), call)
        #expect(try fixture.ask { v throws(ViewsError) in try v.held(customer) } == 6_000)
        #expect(try fixture.ask { v throws(ViewsError) in try v.available(customer) } == 4_000)
        #expect(try fixture.ask { v throws(ViewsError) in try v.balance(customer) } == 10_000)
        let renewed = CreditHold.with {
            $0.account = customer
            $0.amountMicros = 9_000
        }
        try fixture.record(
            .creditRenewed(
                .with {
                    $0.callID = call.data
                    $0.hold = renewed
                }), call)
        #expect(try fixture.ask { v throws(ViewsError) in try v.held(customer) } == 9_000)
        #expect(try fixture.ask { v throws(ViewsError) in try v.hold(call: CallID(call)) } == renewed)
        try fixture.record(.callEnded(.with { $0.callID = call.data }), call)
        #expect(try fixture.ask { v throws(ViewsError) in try v.held(customer) } == 0)
        #expect(try fixture.ask { v throws(ViewsError) in try v.hold(call: CallID(call)) } == nil)
    }

    @Test mutating func availableSaturatesInsteadOfWrapping() throws {
        _ = try pay(-.max)
        let call = make.id()
        try fixture.record(
            .callStarted(
                .with {
                    $0.callID = call.data
                    $0.hold.account = customer
                    $0.hold.amountMicros = .max
                }), call)
        #expect(try fixture.ask { v throws(ViewsError) in try v.available(customer) } == .min)
    }

    @Test mutating func anOverflowIsForeseenToTheMicro() throws {
        _ = try pay(.max - 1)
        let customer = customer
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.overflow(of: [Posting(customer, micros: 1)]) == nil)
            #expect(try views.overflow(of: [Posting(customer, micros: 2)]) == customer)
            #expect(try views.overflow(of: [Posting(customer, micros: 1), Posting(customer, micros: 1)]) == customer)
        }
    }

    @Test mutating func theTrialBalanceIsZeroInEachCurrency() throws {
        _ = try pay(7)
        let dollar = try #require(Currency("USD"))
        let (event, stream) = journal([
            Posting(.platformRevenue(dollar), micros: 3), Posting(.customer(customerID, dollar), micros: -3),
        ])
        try fixture.record(event, stream)
        let lines = try fixture.ask { views throws(ViewsError) in try views.trialBalance() }
        #expect(lines.map(\.currency.code) == ["EUR", "USD"])
        #expect(lines.allSatisfy { $0.micros == 0 && $0.accounts == 2 && $0.postings == 2 })
        #expect(try fixture.ask { v throws(ViewsError) in try v.accounts(owner: nil) }.map(\.balanceMicros) == [3])
    }

    @Test mutating func aLogWithAnUnbalancedJournalIsRefusedAndTheViewsStayBeforeIt() throws {
        _ = try pay(7)
        let broken = journal([Posting(cash, micros: -7), Posting(customer, micros: 6)])
        #expect(throws: ViewsError.broken(sequence: 2, .unbalanced(Imbalance(currency: "EUR", micros: -1)))) {
            try fixture.takeIn([broken])
        }
        #expect(try fixture.ask { v throws(ViewsError) in (v.applied, try v.balance(customer)) } == (1, 7))
    }

    @Test mutating func aLogThatOverflowsAnAccountIsRefused() throws {
        _ = try pay(.max)
        let broken = journal([Posting(cash, micros: -1), Posting(customer, micros: 1)])
        #expect(throws: ViewsError.broken(sequence: 2, .accountOverflow(kind: .customer))) {
            try fixture.takeIn([broken])
        }
    }

    @Test mutating func aLogWithAGapInTheRecordsIsRefused() throws {
        let call = make.id()
        let event = Event.cdrRecorded(
            .with {
                $0.cdr.number = 2
                $0.cdr.callID = call.data
            })
        #expect(throws: ViewsError.broken(sequence: 1, .cdrNumber(expected: 1, actual: 2))) {
            try fixture.takeIn([(event: event, stream: call)])
        }
    }

    @Test mutating func aLogWithTwoRecordsOfOneCallIsRefused() throws {
        let call = make.id()
        func record(_ number: UInt64) -> (event: Event, stream: UUIDv7) {
            (
                .cdrRecorded(
                    .with {
                        $0.cdr.number = number
                        $0.cdr.callID = call.data
                    }), call
            )
        }
        #expect(throws: ViewsError.broken(sequence: 2, .secondCDR(CallID(call)))) {
            try fixture.takeIn([record(1), record(2)])
        }
    }

    @Test mutating func anEventOfANewerBinaryStopsTheReplay() throws {
        let event = NewEventOfTomorrow.event(make.id())
        #expect(throws: ViewsError.event(sequence: 1, .unknownType("tomorrow.came"))) {
            try fixture.append([event])
            try fixture.views.catchUp(with: fixture.log)
        }
    }

    @Test(arguments: [Data(), Data([1, 2, 3]), Data(repeating: 1, count: 17)])
    mutating func anIdThatIsNoneIsRefused(id: Data) throws {
        let event = Event.contactCreated(.with { $0.contact.id = id })
        #expect(throws: ViewsError.broken(sequence: 1, .malformedField("contact.id"))) {
            try fixture.takeIn([(event: event, stream: make.id())])
        }
    }

    @Test mutating func whatAnAccountCannotHoldLeavesNothingBehind() throws {
        _ = try pay(.max)
        #expect(throws: ViewsError.broken(sequence: 2, .accountOverflow(kind: .customer))) { try pay(1) }
        #expect(try fixture.ask { v throws(ViewsError) in (v.applied, try v.balance(customer)) } == (1, .max))
        #expect(fixture.log.head == 1)
    }

    @Test mutating func aNameTooLongForAKeyIsAnErrorNotATrap() throws {
        let id = make.id()
        let tenant = Tenant.with {
            $0.id = id.data
            $0.domain = String(repeating: "a", count: 512)
        }
        #expect(throws: ViewsError.broken(sequence: 1, .malformedField("tenants_by_domain"))) {
            try fixture.record(.tenantCreated(.with { $0.tenant = tenant }), id)
        }
    }

    @Test func anUnbalancedJournalOfOurOwnTraps() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let fixture = try Fixture()
            try FileManager.default.removeItem(atPath: fixture.directory)  // nobody cleans up after a trap
            let stream = UUIDv7(high: 0x7000, low: 1)
            let journal = JournalPosted.with {
                $0.id = stream.data
                $0.postings = [Posting(.platformRevenue(Currency("EUR")!), micros: 1)]
            }
            try fixture.record(.journalPosted(journal), stream)
        }
        let said = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(said.contains("breaks a rule of the books"))
    }
}

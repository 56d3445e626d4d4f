import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@Suite struct CallsTests {
    private let fixture: Fixture
    private let call: UUIDv7
    private let started: CallStarted
    private let customer: CustomerID
    private let caller: SubscriberID
    private let called: SubscriberID
    private var make: Builder

    init() throws {
        fixture = try Fixture()
        var make = Builder()
        call = make.id()
        customer = CustomerID(make.id())
        caller = SubscriberID(make.id())
        called = SubscriberID(make.id())
        let (call, customer, caller, called) = (call, customer, caller, called)
        started = .with {
            $0.callID = call.data
            $0.worker = "s1"
            $0.caller.customerID = customer.data
            $0.caller.subscriberID = caller.data
            $0.called.customerID = customer.data
            $0.called.subscriberID = called.data
        }
        self.make = make
    }

    @Test func aCallCountsOnceForEveryPartyUntilItEnds() throws {
        try fixture.record(.callStarted(started), call)
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.liveCallCount() == 1)
            #expect(try views.liveCallCount(of: customer) == 1)
            #expect(try views.liveCallCount(of: caller) == 1)
            #expect(try views.liveCallCount(of: called) == 1)
        }
        try fixture.record(.callEnded(.with { $0.callID = call.data }), call)
        try fixture.record(.callEnded(.with { $0.callID = call.data }), call)
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.liveCallCount() == 0)
            #expect(try views.liveCallCount(of: customer) == 0)
            #expect(try views.liveCall(CallID(call)) == nil)
            #expect(try views.liveCalls(worker: "s1", limit: 10).isEmpty)
        }
    }

    @Test func aCallStartedTwiceCountsOnce() throws {
        try fixture.record(.callStarted(started), call)
        try fixture.record(.callStarted(started), call)
        #expect(try fixture.ask { v throws(ViewsError) in try v.liveCallCount(of: customer) } == 1)
        #expect(try fixture.ask { v throws(ViewsError) in try v.liveCalls(worker: "s1", limit: 10) }.count == 1)
    }

    @Test func itsStoryIsToldByItsEvents() throws {
        try fixture.record(.callStarted(started), call)
        try fixture.record(
            .callAnswered(
                .with {
                    $0.callID = call.data
                    $0.answeredAt = 77
                    $0.subscriberID = called.data
                    $0.snapshot.sdpA = "one"
                }), call)
        try fixture.record(
            .callUpdated(
                .with {
                    $0.callID = call.data
                    $0.snapshot.sdpA = "two"
                }), call)
        let live = try #require(try fixture.ask { v throws(ViewsError) in try v.liveCall(CallID(call)) })
        #expect(live.started == started)
        #expect(live.startedSequence == 1)
        #expect(live.answeredAt == 77)
        #expect(live.answeredSubscriberID == called.data)
        #expect(live.snapshot.sdpA == "two")
    }

    @Test func anAdoptedCallMovesToItsNewWorker() throws {
        try fixture.record(.callStarted(started), call)
        try fixture.record(
            .callAdopted(
                .with {
                    $0.callID = call.data
                    $0.worker = "s10"
                }), call)
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.liveCalls(worker: "s1", limit: 10).isEmpty)
            #expect(try views.liveCalls(worker: "s10", limit: 10).map(\.started.callID) == [call.data])
            #expect(try views.liveCalls(worker: "s", limit: 10).isEmpty)
        }
    }

    @Test mutating func aRecordIsFoundByNumberByCallAndByEveryParty() throws {
        let carrier = CarrierID(make.id())
        for number in 1...3 as ClosedRange<UInt64> {
            let id = make.id()
            try fixture.record(
                .cdrRecorded(
                    .with {
                        $0.cdr.number = number
                        $0.cdr.callID = id.data
                        $0.cdr.caller = started.caller
                        $0.cdr.called.carrierID = number == 2 ? carrier.data : Data()
                    }), id)
            #expect(try fixture.ask { v throws(ViewsError) in try v.cdr(call: CallID(id)) }?.number == number)
        }
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.nextCDRNumber() == 4)
            #expect(try views.cdr(number: 2)?.called.carrierID == carrier.data)
            #expect(try views.cdr(number: 4) == nil)
            #expect(try views.cdrs(limit: 2).map(\.number) == [1, 2])
            #expect(try views.cdrs(after: 2, limit: 2).map(\.number) == [3])
            #expect(try views.cdrs(of: customer, after: 1, limit: 9).map(\.number) == [2, 3])
            #expect(try views.cdrs(of: caller, limit: 9).map(\.number) == [1, 2, 3])
            #expect(try views.cdrs(of: carrier, limit: 9).map(\.number) == [2])
            #expect(try views.cdrs(of: called, limit: 9).isEmpty)
        }
    }

    @Test func theHistoryOfACallNamesEveryEventThatConcernsIt() throws {
        try fixture.record(.callStarted(started), call)
        var make = make
        try fixture.record(.workerRevoked(.with { $0.name = "s9" }), make.id())
        try fixture.record(.callEnded(.with { $0.callID = call.data }), call)
        try fixture.record(.cdrRecorded(.with { ($0.cdr.number, $0.cdr.callID) = (1, call.data) }), call)
        let journal = make.id()
        try fixture.record(
            .journalPosted(
                .with {
                    $0.id = journal.data
                    $0.callID = call.data
                }), journal)
        #expect(try fixture.ask { v throws(ViewsError) in try v.history(of: call, limit: 10) } == [1, 3, 4, 5])
        #expect(try fixture.ask { v throws(ViewsError) in try v.history(of: call, after: 1, limit: 1) } == [3])
        #expect(try fixture.ask { v throws(ViewsError) in try v.journalSequence(JournalID(journal)) } == 5)
    }
}

import Foundation
import Model
import Primitives
import Subjects
import SwiftProtobuf
import Testing

@Test func nothingPersonalIsLeftInTheBytesOfASealedRecord() throws {
    let ring = try KeyRing()
    let keys = try ring.open()
    var contact = Contact.alice
    try keys.seal(&contact, of: contact.id, id(1), id(1), &ring.random)
    let stored: [UInt8] = try contact.serializedBytes()
    for text in ["Alice", "wonder.example", "+4420"] { #expect(!stored.holds(text)) }
    #expect(stored.holds("GB"))
    try keys.open(&contact, of: contact.id)
    #expect(contact == .alice)
    #expect(!contact.isErased)
}

@Test func aSecondSealingOfOneRecordHasOtherBytes() throws {
    let ring = try KeyRing()
    let keys = try ring.open()
    var (a, b) = (Contact.alice, Contact.alice)
    try keys.seal(&a, of: a.id, id(1), id(1), &ring.random)
    try keys.seal(&b, of: b.id, id(1), id(1), &ring.random)
    #expect(a.sealed != b.sealed)
}

/// What every call has is written without the messages of its parts.
@Test(arguments: [CallStarted.outbound, .with { $0.called.number = "101" }, .with { $0.caller.tenantID = Data([1]); $0.sipCallID = "x" }, CallStarted()])
func partsOfACallAreTheBytesOfTheirMessages(whole: CallStarted) throws {
    var (expected, separate, one) = (whole, whole, whole)
    let (first, second) = expected.withdraw()
    let parts = separate.withdrawBytes(isOne: false)
    #expect(separate == expected)
    #expect(parts.first == (try first.serializedBytes()))
    #expect(parts.second == (try second.serializedBytes()))
    var both = first
    try both.merge(serializedBytes: parts.second)
    let whatIsOnes = one.withdrawBytes(isOne: true)
    #expect(one == expected)
    #expect(whatIsOnes.first == (try both.serializedBytes()))
    #expect(whatIsOnes.second.isEmpty)
    try one.restore(whatIsOnes.first)
    #expect(one == whole)
}

/// The same of what is written by way of messages.
@Test func partsOfOnePersonStandSideBySide() throws {
    var record = Cdr.onNet
    let (first, second) = record.withdraw()
    var both = first
    try both.merge(serializedBytes: try second.serializedBytes() as [UInt8])
    record = .onNet
    let parts = record.withdrawBytes(isOne: true)
    #expect(try Cdr(serializedBytes: parts.first) == both)
    #expect(parts.second.isEmpty)
}

@Test func eachSideOfACallIsUnderItsOwnKey() throws {
    let ring = try KeyRing()
    let keys = try ring.open()
    let record = Cdr.onNet
    var stored = record
    try keys.seal(&stored, of: stored.callID, id(1), id(2), &ring.random)
    #expect(stored.sealed.count == 2)
    #expect(stored.charges == record.charges)
    try keys.destroy(id(2))
    try keys.open(&stored, of: stored.callID)
    #expect(stored.caller.number == "101")
    #expect(stored.sipCallID == record.sipCallID)
    #expect(stored.called.number.isEmpty)
    #expect(stored.dialled.isEmpty)
    #expect(stored.attempts.map(\.target) == ["", ""])
    #expect(stored.attempts.map(\.sipStatus) == [486, 200])
    #expect(stored.durationMs == record.durationMs)
    #expect(stored.isErased)
}

@Test func aCallWithAnOutsideNumberIsOnePartOfTheSideThatIsOurs() throws {
    let ring = try KeyRing()
    let keys = try ring.open()
    var started = CallStarted.outbound
    let sides = CallSubjects(started.caller, started.called)
    #expect(sides.caller == id(1) && sides.called == id(1))
    try keys.seal(&started, of: started.callID, sides.caller, sides.called, &ring.random)
    #expect(started.sealed.count == 1)
    #expect(started.rates.first?.entry.prefix == "44")
    try keys.open(&started, of: started.callID)
    #expect(started == .outbound)
}

@Test func aSnapshotComesBackWhole() throws {
    let ring = try KeyRing()
    let keys = try ring.open()
    let snapshot = CallSnapshot.sample
    var sealed = snapshot
    try keys.seal(&sealed, of: data(5), id(1), id(2), &ring.random)
    let stored: [UInt8] = try sealed.serializedBytes()
    for text in ["alice", "bob", "10.0.0.1", "10.0.0.2", "proxy"] { #expect(!stored.holds(text)) }
    try keys.open(&sealed, of: data(5))
    #expect(sealed == snapshot)
}

@Test func aPartThatWasMovedToAnotherRecordDoesNotOpen() throws {
    let ring = try KeyRing()
    let keys = try ring.open()
    var contact = Contact.alice
    try keys.seal(&contact, of: contact.id, id(1), id(1), &ring.random)
    #expect(throws: SubjectKeyError.damaged(subject: id(1))) { try keys.open(&contact, of: data(2)) }
    var customer = Customer()
    customer.sealed = contact.sealed
    #expect(throws: SubjectKeyError.damaged(subject: id(1))) { try keys.open(&customer, of: contact.id) }
}

@Test(arguments: [1, 17, 29, 40, -1])
func aFlippedBitIsDamageAndNotErasure(position: Int) throws {
    let ring = try KeyRing()
    let keys = try ring.open()
    var contact = Contact.alice
    try keys.seal(&contact, of: contact.id, id(1), id(1), &ring.random)
    var part = Array(contact.sealed[0])
    part[position < 0 ? part.count - 1 : position] ^= 0x10
    contact.sealed = [Data(part)]
    #expect(throws: SubjectKeyError.self) { try keys.open(&contact, of: contact.id) }
}

@Test func aMissingKeyIsAnErrorAndAnErasedOneIsEmptiness() throws {
    let ring = try KeyRing()
    let keys = try ring.open()
    var contact = Contact.alice
    try keys.seal(&contact, of: contact.id, id(1), id(1), &ring.random)
    let other = try KeyRing()
    let strange = try other.open()
    var copy = contact
    #expect(throws: SubjectKeyError.missing(subject: id(1))) { try strange.open(&copy, of: copy.id) }
    try strange.destroy(id(1))
    try strange.open(&copy, of: copy.id)
    #expect(copy.name.isEmpty && copy.isErased)
}

@Test func whatBelongsToAnErasedSubjectIsNotSealedAgain() throws {
    let ring = try KeyRing()
    let keys = try ring.open()
    try keys.destroy(id(1))
    var contact = Contact.alice
    try keys.seal(&contact, of: contact.id, id(1), id(1), &ring.random)
    #expect(contact.sealed.isEmpty)
    #expect(contact.name.isEmpty && contact.country == "GB")
}

@Test func everyEventComesBackAsItWas() throws {
    let ring = try KeyRing()
    let keys = try ring.open()
    let answered = CallAnswered.with {
        $0.callID = data(5)
        $0.snapshot = .sample
    }
    let ended = CallEnded.with {
        $0.callID = data(5)
        $0.attempts = Cdr.onNet.attempts
    }
    let events: [Event] = [
        .contactCreated(.with { $0.contact = .alice }), .callStarted(.outbound), .callAnswered(answered),
        .callUpdated(
            .with {
                $0.callID = data(5)
                $0.snapshot = .sample
            }), .callEnded(ended), .cdrRecorded(.with { $0.cdr = .onNet }),
    ]
    for event in events {
        var stored = event
        try keys.seal(&stored, &ring.random) { (_) throws(Never) in CallSubjects(Cdr.onNet.caller, Cdr.onNet.called) }
        #expect(stored != event)
        for text in ["alice", "Alice", "bob", "10.0.0.1", "555"] { #expect(!stored.serialized().holds(text), "\(event)") }
        var read = try Event(storedType: stored.storedType, schemaVersion: 1, payload: stored.serialized())
        try keys.open(&read)
        #expect(read == event)
    }
}

extension Cdr {
    static var onNet: Cdr {
        .with {
            $0.number = 3
            $0.callID = data(5)
            $0.caller.subscriberID = data(1)
            $0.caller.number = "101"
            $0.called.subscriberID = data(2)
            $0.called.number = "bob-555"
            $0.dialled = "bob-555"
            $0.sipCallID = "x@10.0.0.1"
            $0.durationMs = 61_000
            $0.attempts = [
                .with {
                    $0.target = "sip:bob@10.0.0.2"
                    $0.sipStatus = 486
                },
                .with {
                    $0.target = "sip:bob@10.0.0.3"
                    $0.sipStatus = 200
                },
            ]
            $0.charges = [.with { $0.amountMicros = 12_000 }]
        }
    }
}

extension CallStarted {
    static var outbound: CallStarted {
        .with {
            $0.callID = data(5)
            $0.caller.subscriberID = data(1)
            $0.caller.number = "+12095550100"
            $0.called.carrierID = data(3)
            $0.called.number = "+442071838750"
            $0.dialled = "011442071838750"
            $0.calledE164 = "+442071838750"
            $0.sipCallID = "x@10.0.0.1"
            $0.sourceAddress = "10.0.0.1:5060"
            $0.rates = [.with { $0.entry.prefix = "44" }]
        }
    }
}

extension CallSnapshot {
    static var sample: CallSnapshot {
        .with {
            $0.a.callID = "a@10.0.0.1"
            $0.a.localUri = "<sip:bob@example>"
            $0.a.remoteUri = "<sip:alice@example>"
            $0.a.remoteTarget = "sip:alice@10.0.0.1"
            $0.a.routeSet = ["<sip:proxy;lr>"]
            $0.a.localTag = "t1"
            $0.a.flow.worker = "s1"
            $0.a.flow.remote = "10.0.0.1:5060"
            $0.b.callID = "b"
            $0.b.localUri = "<sip:alice@example>"
            $0.b.remoteUri = "<sip:bob@example>"
            $0.b.remoteTarget = "sip:bob@10.0.0.2"
            $0.sdpA = "c=IN IP4 192.0.2.1"
            $0.remoteSdpA = "c=IN IP4 10.0.0.1"
            $0.sdpB = "o=alice 1 1 IN IP4 192.0.2.1"
            $0.remoteSdpB = "c=IN IP4 10.0.0.2"
            $0.mediaWorker = "m1"
            $0.mediaSession = data(4)
            $0.creditUntil = 17
        }
    }
}

import Foundation
import Model
import Primitives
import Subjects
import Testing

@Test func keysOutliveTheProcess() throws {
    let ring = try KeyRing()
    var contact = Contact.alice
    do {
        let keys = try ring.open()
        try keys.seal(&contact, of: contact.id, id(1), id(1), &ring.random)
        try keys.sync()
    }
    try ring.open().open(&contact, of: contact.id)
    #expect(contact == .alice)
}

@Test func theBytesOfADestroyedKeyAreOverwrittenWhereTheyWere() throws {
    let ring = try KeyRing()
    let keys = try ring.open()
    for number in 1...3 as ClosedRange<UInt8> {
        var contact = Contact.alice
        try keys.seal(&contact, of: data(number), id(number), id(number), &ring.random)
    }
    try keys.sync()
    let before = try ring.bytes()
    let slot = 2 * 128  // the second subject's
    let secret = Array(before[(slot + 17)..<(slot + 77)])
    try keys.destroy(id(2))
    let after = try ring.bytes()
    #expect(after.count == before.count)
    #expect(Data(after).range(of: Data(secret)) == nil)
    #expect(after[(slot + 17)..<(slot + 77)].allSatisfy { $0 == 0 })
    #expect(after[(3 * 128)...] == before[(3 * 128)...])
    let again = try ring.open()
    #expect(again.status(of: id(1)) == .present)
    #expect(again.status(of: id(2)) == .erased)
    #expect(again.status(of: id(4)) == .unknown)
    try again.destroy(id(2))
    #expect(try ring.bytes() == after)
}

@Test func anotherMasterKeyIsRefused() throws {
    let ring = try KeyRing()
    _ = try ring.open()
    #expect(throws: SubjectKeyError.wrongMasterKey(path: ring.path)) {
        try ring.open(master: [UInt8](repeating: 1, count: 32))
    }
    try Data("something else".utf8).write(to: URL(fileURLWithPath: ring.path))
    #expect(throws: SubjectKeyError.notAKeyFile(path: ring.path)) { try ring.open() }
}

@Test func aKeyFileOfANewerVersionIsRefusedAsThat() throws {
    let ring = try KeyRing()
    _ = try ring.open()
    var bytes = try ring.bytes()
    let digit = try #require(bytes.firstIndex(of: 0x31))
    bytes[digit] = 0x32
    try Data(bytes).write(to: URL(fileURLWithPath: ring.path))
    #expect(throws: SubjectKeyError.newerFormat(path: ring.path)) { try ring.open() }
    #expect(try ring.bytes() == bytes, "it was written to")
}

@Test func aTornLastSlotIsWrittenOverAndADamagedOneIsNamed() throws {
    let ring = try KeyRing()
    let keys = try ring.open()
    for number in 1...2 as ClosedRange<UInt8> {
        var contact = Contact.alice
        try keys.seal(&contact, of: data(number), id(number), id(number), &ring.random)
    }
    var bytes = try ring.bytes()
    try Data(bytes.dropLast(50)).write(to: URL(fileURLWithPath: ring.path))
    let torn = try ring.open()
    #expect(torn.status(of: id(1)) == .present)
    #expect(torn.status(of: id(2)) == .unknown)
    var contact = Contact.alice
    try torn.seal(&contact, of: data(3), id(3), id(3), &ring.random)
    #expect(try ring.bytes().count == bytes.count)
    #expect(try ring.open().status(of: id(3)) == .present)
    bytes[128 + 30] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: ring.path))
    #expect(throws: SubjectKeyError.damagedSlot(path: ring.path, slot: 1)) { try ring.open() }
}

@Test func aReaderFindsKeysThatWereMadeAfterItOpened() throws {
    let ring = try KeyRing()
    let reader = try ring.open(isReadOnly: true)
    #expect(reader.status(of: id(1)) == .unknown)
    let writer = try ring.open()
    let second = try ring.open(isReadOnly: true)
    var contact = Contact.alice
    try writer.seal(&contact, of: contact.id, id(1), id(1), &ring.random)
    try writer.sync()
    try second.open(&contact, of: contact.id)
    #expect(contact == .alice)
}

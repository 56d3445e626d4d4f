import Foundation
import Model
import OpenSSL
import Primitives
import Tables
import Testing

@testable import Exports

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

private func file(_ layout: ExportLayout, _ records: [ExportRecord] = [.call(Calls.outbound(number: 12))]) -> String {
    text(layout.bytes(records, firstRecord: 1, Calls.names))
}

private let correction = ExportRecord.correction(
    Correction(
        number: 3, cdr: 12, journalID: Calls.id(9), at: Books.begin, reason: "wrong deck",
        charges: [Calls.charge("retail", -4_000, .customer, Calls.id(4), .providerRevenue, Calls.id(5))]),
    of: Calls.outbound(number: 12))

@Test func theOperatorsSipwiseFileIsWrittenToTheByte() {
    let expected = """
        007,0001
        '12','2026-11-21 01:01:07','01930000-0000-7000-8000-000000000002','01930000-0000-7000-8000-000000000005','',\
        '01930000-0000-7000-8000-000000000002','4711','01930000-0000-7000-8000-000000000004','alice','acme.example','+12095550100','0','',\
        '0','01930000-0000-7000-8000-000000000006','','','','','+442079460000','','+442079460000','','=cmd|\\' /C calc\\'!A0',\
        '','','call','ok','200','2026-11-21 01:00:00.000','2026-11-21 01:00:02.000','65.400','abc\\'1\\\\2@10.0.0.1','ok','2026-11-21 01:01:07',\
        '1.100000','2.400000','UK, fixed "line"','UK, fixed "line"','44','44','0','0',\
        '0.000000','0.000000','','','','','0','0','0.000000','','','0','0.000000','','','0'

        """
    let written = file(ExportLayout(.sipwiseAdmin, timeZone: "Europe/Berlin"))
    #expect(written == expected + hex(Hash.md5(Array(expected.utf8))) + "\n")
}

@Test func aResellersSipwiseFileHasNoMoneyOfCarriersAndResellers() throws {
    #expect(SipwiseLayout.fields.count == 59)
    let lines = file(ExportLayout(.sipwiseReseller)).split(separator: "\n")
    let row = try #require(lines.dropFirst().first)
    #expect(lines.count == 3)
    #expect(SipwiseLayout.fields.filter { !$0.isOperatorsOnly }.count == 43)
    #expect(!row.contains("'1.100000'"))
    #expect(row.contains("'2.400000'"))
}

@Test func aSipwiseFileIsNamedWithPrefixVersionTimeAndSequence() {
    let layout = ExportLayout(.sipwiseAdmin, timeZone: "Europe/Berlin")
    #expect(layout.name(file: 42, dueAt: Books.begin) == "ngcp_007_20261121000000_0000000042.cdr")
    #expect(layout.recordsMax == 5_000)
}

@Test func anEmptySipwiseFileHasHeaderAndFooter() {
    #expect(file(ExportLayout(.sipwiseAdmin), []) == "007,0000\n" + hex(Hash.md5(Array("007,0000\n".utf8))) + "\n")
}

@Test func theThreeIvozProviderLayoutsAreWrittenToTheByte() {
    let user = "01930000-0000-7000-8000-000000000002"
    let carrier = "01930000-0000-7000-8000-000000000006"
    #expect(
        file(ExportLayout(.ivozBrand)) == """
            callid,startTime,direction,caller,callee,duration,price,endpointType,endpointId,endpointName,company,cost,carrier,ddiProvider,\
            carrierName,ratingPlanName,destinationName,ddi,userId,faxId,friendId\r
            abc'1\\2@10.0.0.1,2026-11-21 00:00:00,outbound,+12095550100,+442079460000,65.40,0.024,User,\(user),Alice A.,Acme,0.011,\(carrier),,\
            Transit,Standard,"UK, fixed ""line\""",,\(user),,\r

            """)
    #expect(
        file(ExportLayout(.ivozClient)) == """
            callid,startTime,direction,caller,callee,duration,price,ddi,endpointType,endpointId,endpointName,userId,faxId,friendId\r
            abc'1\\2@10.0.0.1,2026-11-21 00:00:00,outbound,+12095550100,+442079460000,65.40,0.024,,User,\(user),Alice A.,\(user),,\r

            """)
    #expect(
        file(ExportLayout(.ivozDocumented)) == """
            callid,startTime,duration,caller,callee,cost,price,endpointType,endpointId,endpointName,direction,companyId,carrierId,ddiProviderId,ddiId\r
            abc'1\\2@10.0.0.1,2026-11-21 00:00:00,65.40,+12095550100,+442079460000,0.011,0.024,User,\(user),Alice A.,outbound,\
            01930000-0000-7000-8000-000000000004,\(carrier),,\r

            """)
}

@Test func aCorrectionIsARecordOfItsOwnInEveryLayout() throws {
    let lines = file(ExportLayout(.jsonLines), [.call(Calls.outbound(number: 12)), correction]).split(separator: "\n")
    let object = try #require(try JSONSerialization.jsonObject(with: Data(lines[1].utf8)) as? [String: Any])
    #expect(object["record"] as? Int == 2)
    #expect(object["kind"] as? String == "correction")
    #expect(object["cdr"] as? Int == 12)
    #expect(object["retail_amount"] as? String == "-0.004")
    #expect(object["carrier_amount"] is NSNull)
    #expect(object["duration_ms"] as? Int == 0)
    #expect(file(ExportLayout(.sipwiseAdmin), [correction]).contains("\n'c3',"))
    #expect(file(ExportLayout(.sipwiseAdmin), [correction]).contains("'-0.400000'"))
    #expect(file(ExportLayout(.ivozBrand), [correction]).contains("#correction-3,"))
}

@Test func ourCSVIsRFC4180AndHasTheColumnsOfTheSchema() throws {
    let written = file(ExportLayout(.csv))
    let lines = written.components(separatedBy: "\r\n")
    #expect(lines.count == 3)
    #expect(lines[0] == CDRSchema.columnNames.joined(separator: ","))
    #expect(lines[1].contains("\"UK, fixed \"\"line\"\"\""))
    #expect(lines[1].hasPrefix("1,call,12,"))
    #expect(Set(CDRSchema.columnNames).count == CDRSchema.columnNames.count)
}

@Test func textThatASpreadsheetWouldComputeIsGuardedWhenAskedFor() {
    #expect(file(ExportLayout(.csv)).contains(",=cmd|' /C calc'!A0,"))
    let guarded = file(ExportLayout(.csv, guardsFormulas: true))
    #expect(guarded.contains(",'=cmd|' /C calc'!A0,"))
    #expect(guarded.contains(",'+442079460000,"))
    #expect(!guarded.contains(",'12,"))
}

@Test func thePageOfTheSchemaIsTheOneThatTheCodeMakes() throws {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/cdr-schema.md")
    // Set to write the page where `ledgerline` itself is not built.
    if ProcessInfo.processInfo.environment["LEDGERLINE_WRITE_PAGES"] != nil {
        try Data(CDRSchema.markdown.utf8).write(to: page)
    }
    #expect(try String(contentsOf: page, encoding: .utf8) == CDRSchema.markdown, "run: ledgerline cdr schema > docs/cdr-schema.md")
}

@Test func aCustomerSeesItsOwnChargesAloneAndAProviderItsCarriers() throws {
    let cdr = Calls.outbound(number: 1)
    let own = try #require(ExportScope.customer(Calls.id(4)).seen(cdr, Calls.names))
    #expect(own.charges.map(\.edge) == ["retail"])
    #expect(own.called.carrierID.isEmpty)
    let provider = try #require(ExportScope.provider([Calls.id(5)]).seen(cdr, Calls.names))
    #expect(provider.charges.map(\.edge) == ["retail", "carrier"])
    #expect(ExportScope.customer(Calls.id(40)).seen(cdr, Calls.names) == nil)
}

@Test func filesAreDueAtTheZonesMidnightAndOnceAfterALongSilence() throws {
    var export = CdrExport()
    export.timeZone = "Europe/Berlin"
    export.interval = .daily
    let schedule = ExportSchedule(export)
    let noon = try #require(WallTime(rfc3339: "2026-10-24T12:00:00Z"))
    #expect(schedule.due(after: noon).rfc3339 == "2026-10-24T22:00:00.000000Z")
    // The clocks go back on the 25th.
    #expect(schedule.due(after: schedule.due(after: noon)).rfc3339 == "2026-10-25T23:00:00.000000Z")
    let later = try #require(WallTime(rfc3339: "2027-03-01T12:00:00Z"))
    #expect(schedule.due(after: noon, by: later)?.rfc3339 == "2027-02-28T23:00:00.000000Z")
    #expect(schedule.due(after: noon, by: noon + .seconds(60)) == nil)
    export.interval = .monthly
    #expect(ExportSchedule(export).due(after: noon).rfc3339 == "2026-10-31T23:00:00.000000Z")
}

@Test func aFileSaysWhoDoesNotShowANumberAndACalledCustomersHasNone() throws {
    var cdr = Calls.outbound(number: 12)
    cdr.isAnonymous = true
    cdr.called.customerID = Calls.id(40)
    #expect(file(ExportLayout(.sipwiseAdmin), [.call(cdr)]).contains("'acme.example','+12095550100','1',''"))
    let called = try #require(ExportScope.customer(Calls.id(40)).seen(cdr, Calls.names))
    #expect(called.caller.number == "anonymous" && called.caller.customerID.isEmpty)
    for scope in [ExportScope.platform, .provider([Calls.id(5)]), .customer(Calls.id(4))] {
        #expect(try #require(scope.seen(cdr, Calls.names)).caller.number == "+12095550100")
    }
    cdr.isAnonymous = false
    #expect(try #require(ExportScope.customer(Calls.id(40)).seen(cdr, Calls.names)).caller.number == "+12095550100")
    cdr.isAnonymous = true
    cdr.caller.number = ""
    #expect(try #require(ExportScope.customer(Calls.id(40)).seen(cdr, Calls.names)).caller.number.isEmpty, "erased, and not withheld")
}

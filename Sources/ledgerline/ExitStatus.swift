import ArgumentParser
import Foundation

/// What a command's exit status means; the numbers are those of sysexits.
enum ExitStatus: Int32 {
    /// What was checked is not as it should be.
    case checkFailed = 1
    /// The input is of the wrong form.
    case data = 65
    case noInput = 66
    /// A server does not answer, or an address is taken.
    case unavailable = 69
    case cannotCreate = 73
    case inputOutput = 74
    case noPermission = 77
    case configuration = 78
}

/// Says on standard error what is wrong and what to do, and ends the command.
func fail(_ status: ExitStatus, _ message: String) -> any Error {
    FileHandle.standardError.write(Data("ledgerline: \(message)\n".utf8))
    return ExitCode(status.rawValue)
}

/// Prints a value as one line of JSON with sorted keys.
func printJSON(_ value: [String: Any]) throws {
    let data = try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes])
    print(String(decoding: data, as: UTF8.self))
}

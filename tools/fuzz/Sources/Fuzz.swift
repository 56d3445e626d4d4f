import CFuzzer
import Foundation

#if FUZZING
    /// Built with -sanitize=fuzzer: libFuzzer drives, and options are its own. Where its bytes go says LEDGERLINE_FUZZ.
    @main
    enum Fuzz {
        static func main() {
            guard entry != nil else {
                print("LEDGERLINE_FUZZ names none of: \(FuzzEntry.allCases.map(\.rawValue).joined(separator: ", "))")
                exit(64)
            }
            var count = CommandLine.argc
            var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
            exit(
                unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in
                    entry?.run(unsafe Array(UnsafeBufferPointer(start: data, count: size)))
                    return 0
                })
        }
    }

    private let entry = ProcessInfo.processInfo.environment["LEDGERLINE_FUZZ"].flatMap(FuzzEntry.init(rawValue:))
#else
    /// Built as usual: runs what the fuzzer has found once more.
    @main
    enum Fuzz {
        static func main() throws {
            let arguments = CommandLine.arguments.dropFirst()
            guard let entry = arguments.first.flatMap(FuzzEntry.init(rawValue:)), arguments.count > 1 else {
                print(
                    "usage: ledgerline-fuzz \(FuzzEntry.allCases.map(\.rawValue).joined(separator: "|")) FILE...\nRuns inputs once, as a fuzzer's finding. Example: ledgerline-fuzz sip crash-1f3a")
                exit(64)
            }
            for path in arguments.dropFirst() {
                entry.run([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
                print("\(path): nothing happened")
            }
        }
    }
#endif

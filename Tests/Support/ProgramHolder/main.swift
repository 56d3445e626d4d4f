// Puts the program on the named interface, says so, and waits to be killed.
import Foundation
import XDP

guard CommandLine.arguments.count == 2, let interface = Routes.interface(named: CommandLine.arguments[1]) else {
    print("usage: program-holder INTERFACE")
    exit(64)
}
do {
    let program = try ForwardingProgram(flows: 64)
    try program.attach(to: [interface], .generic)
    FileHandle.standardOutput.write(Data("ready\n".utf8))
    while true { _ = pause() }
} catch {
    print("\(error)")
    exit(1)
}

package import Logging
package import Primitives
package import XDP

/// Whether packets that the worker would not change may pass by the kernel alone.
package enum ShortcutChoice: Equatable, Sendable {
    case never
    /// On the interface that has the media address, if it is one of Ethernet.
    case automatic
    /// On these.
    case interfaces([String])
}

extension KernelShortcuts {
    /// What makes a table for each shard, on its thread; nil: there is to be none, or the log says why there can be none.
    /// - Parameter mode: nil: native where that is of use, else generic.
    package static func tables(
        _ choice: ShortcutChoice, host: SocketAddress.Host, ports: ClosedRange<UInt16>, mode: ForwardingProgram.Mode? = nil, logger: Logger
    ) -> (@Sendable () -> (any ShortcutTable)?)? {
        guard let program = program(choice, host: host, ports: ports, mode: mode, logger: logger) else { return nil }
        return { make(program, host: host, logger: logger) }
    }

    /// Loads the program and puts it on the interfaces. What is in force, or why nothing is, is said once.
    static func program(
        _ choice: ShortcutChoice, host: SocketAddress.Host, ports: ClosedRange<UInt16>, mode: ForwardingProgram.Mode? = nil, logger: Logger
    ) -> ForwardingProgram? {
        do throws(XDPError) {
            guard let chosen = try interfaces(choice, host) else { return nil }
            // Each way of a session is one, and some are still being counted when the next ones begin.
            let sessions = PortPool(ports: ports).total / 2
            let program = try ForwardingProgram(flows: max(64, sessions * 5 / 2))
            try attach(program, to: chosen, mode)
            logger.info(
                "packets that are not changed pass by XDP", metadata: ["interfaces": "\(chosen.map(\.name).joined(separator: ","))", "mode": "\(program.mode)"])
            return program
        } catch {
            logger.notice("all packets pass the worker: XDP is not used", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    /// For a shard, on its thread.
    static func make(_ program: ForwardingProgram, host: SocketAddress.Host, logger: Logger) -> KernelShortcuts? {
        do throws(XDPError) {
            return try KernelShortcuts(program, host: host)
        } catch {
            logger.warning("a thread's packets all pass the worker: XDP is not used", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    private static func interfaces(_ choice: ShortcutChoice, _ host: SocketAddress.Host) throws(XDPError) -> [(name: String, number: UInt32, isPair: Bool)]? {
        let routes = try Routes()
        let numbers: [(String, UInt32?)]
        switch choice {
        case .never: return nil
        case .automatic: numbers = [("\(host)", Routes.interface(with: host))]
        case .interfaces(let names): numbers = names.map { ($0, Routes.interface(named: $0)) }
        }
        var found: [(name: String, number: UInt32, isPair: Bool)] = []
        for (name, number) in numbers {
            guard let number, let interface = routes.interface(number) else { throw .noInterface(name) }
            guard interface.isEthernet else { throw .notEthernet(interface.name) }
            found.append((interface.name, number, interface.isPair))
        }
        return found
    }

    /// Native where every driver both runs the program and sends what it is handed; a pair of veth would copy each packet for it.
    private static func attach(
        _ program: ForwardingProgram, to interfaces: [(name: String, number: UInt32, isPair: Bool)], _ wanted: ForwardingProgram.Mode?
    ) throws(XDPError) {
        let numbers = interfaces.map(\.number)
        if wanted == nil, !interfaces.contains(where: \.isPair), interfaces.count == 1 || numbers.allSatisfy({ Routes.takesFrames($0) == true }) {
            do throws(XDPError) {
                return try program.attach(to: numbers, .native)
            } catch {
                switch error {
                case .notSupported, .failed: break  // drivers have reasons of their own, as a packet's size
                case .notPermitted, .interfaceTaken, .noInterface, .notEthernet, .refused: throw error
                }
            }
        }
        try program.attach(to: numbers, wanted ?? .generic)
    }
}

import Foundation

/// Which start of the machine this is: the kernel draws it anew at every boot.
public enum BootID {
    /// Empty if the kernel does not say; the views are then trusted only after a clean stop.
    public static func current() -> String {
        guard let data = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") else { return "" }
        return String(decoding: data.prefix { $0 != 0x0A }, as: UTF8.self)
    }
}

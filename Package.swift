// swift-tools-version: 6.2
import PackageDescription

// The compiler settings of every target. Warnings are errors, so a build that passes is a quiet one.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]
// In `Sources` the word `unsafe` marks every place that the compiler cannot check. Debug builds, in which all tests run, check at
// every access of an object's field that nobody else is changing it; release builds do without (docs/decisions/0039-exclusivity.md).
// The compiler also looks into other modules there (docs/decisions/0061-across-modules.md).
let product: [SwiftSetting] =
    settings + [.unsafeFlags(["-enforce-exclusivity=unchecked", "-cross-module-optimization"], .when(configuration: .release))]
let strict = product + [.strictMemorySafety()]

// Messages are made of many small things that live for microseconds (docs/decisions/0057-allocator.md).
// The default linker warns of a function in the static Foundation that nobody here calls; LLVM's does not.
let executable: [LinkerSetting] = [
    .linkedLibrary("jemalloc", .when(configuration: .release)), .unsafeFlags(["-use-ld=lld"], .when(configuration: .release)),
]

let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

// Targets stand in floor order, lowest first: a module imports only modules on lower floors.
let package = Package(
    name: "ledgerline",
    products: [
        .executable(name: "ledgerline", targets: ["ledgerline"]),
        .executable(name: "ledgerline-bench", targets: ["ledgerline-bench"]),
        .executable(name: "xdp-worker", targets: ["xdp-worker"]),
        .executable(name: "ledgerline-fuzz", targets: ["ledgerline-fuzz"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.81.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Floor 0: C libraries, each imported by its ring alone, and what needs nothing.
        .systemLibrary(name: "CLMDB", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CSRTP", providers: [.apt(["libsrtp2-dev"])]),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CCARES", providers: [.apt(["libc-ares-dev"])]),
        .systemLibrary(name: "COSIP", providers: [.apt(["libosip2-dev"])]),
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
        .target(name: "CPhoneNumber", linkerSettings: [.linkedLibrary("phonenumber")]),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CPrompts", exclude: ["audio"]),
        .target(
            name: "CCodecs",
            linkerSettings: [.linkedLibrary("opus"), .linkedLibrary("spandsp"), .linkedLibrary("speex"), .linkedLibrary("speexdsp"), .linkedLibrary("m")]),
        .target(name: "CShims"),
        .target(name: "CSteering"),
        .target(name: "CXDP", exclude: ["program/relay.bpf.c"]),
        .target(name: "CSRTPPrimitives", linkerSettings: [.linkedLibrary("srtp2"), .linkedLibrary("crypto")]),
        library("Primitives", ["CShims"]),
        library("LMDB", ["CLMDB", "CShims"]),
        library("OpenSSL", ["COpenSSL", "Primitives"]),
        library("Deflate", ["CZlib"]),
        library("Expressions", ["CRE2"]),
        library("Codecs", ["CCodecs"]),

        // Floor 1: bytes, protocols, transport.
        library("Ledger", ["CShims", "LMDB", "OpenSSL", "Primitives"]),
        library("Bus", ["CShims", "CZeroMQ", "Primitives"]),
        library("SIP", ["CShims", "COSIP", "OpenSSL", "Primitives"]),
        library("RTP", ["CSRTP", "CSRTPPrimitives", "Primitives"]),
        library("ICE", ["OpenSSL", "Primitives"]),
        library("UDP", ["CShims", "CSteering", "Primitives"]),
        library("XDP", ["CXDP", "Primitives"]),
        library("DNS", ["CCARES", "CShims", "Primitives"]),
        library("Mail", ["CCurl", "OpenSSL", "Primitives"]),
        library("Tables", []),
        library("PhoneNumbers", ["CPhoneNumber"]),
        library("Recordings", ["Codecs", "OpenSSL", "Primitives"]),

        // Files of a backup: reads logs, writes directories.
        library("Backup", ["CShims", "LMDB", "Ledger", "OpenSSL", "Primitives"]),

        // Floor 2: the words.
        // Generated code is not written for strict memory safety; everything by hand here is plain values.
        .target(name: "Model", dependencies: ["Primitives", protobuf], exclude: ["Protobuf/entities.proto", "Protobuf/events.proto", "Protobuf/bus.proto", "Protobuf/views.proto"], swiftSettings: product),

        // Floor 3: what follows from the words.
        library("Rating", ["Expressions", "Model", "Primitives", "Tables"]),
        library("Reconciliation", ["Model", "Primitives", "Rating", "Tables"]),
        library("Subjects", ["Deflate", "Model", "OpenSSL", "Primitives", protobuf]),
        library("Projections", ["CShims", "LMDB", "Ledger", "Model", "OpenSSL", "Primitives", "Subjects", protobuf]),

        // Floor 4: the roles.
        library("Invoices", ["Ledger", "Model", "OpenSSL", "Primitives", "Projections", "Subjects", "Tables", protobuf]),
        library("Exports", ["Model", "OpenSSL", "Primitives", "Projections", "Tables"]),
        library(
            "ControlPlane",
            ["Bus", "CShims", "Exports", "Expressions", "Invoices", "LMDB", "Ledger", "Mail", "Model", "OpenSSL", "PhoneNumbers", "Primitives", "Projections", "Subjects", "Rating", logging, protobuf]),
        library("Dispute", ["Invoices", "Ledger", "Model", "OpenSSL", "Primitives", "Projections", "Rating", "Subjects", "Tables", protobuf]),
        library(
            "ControlAPI",
            [
                "Bus", "ControlPlane", "DNS", "Dispute", "Invoices", "Ledger", "Model", "OpenSSL", "PhoneNumbers", "Primitives", "Projections", "Rating", "Recordings", "Subjects", logging, protobuf,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        library("SignalWorker", ["Bus", "CShims", "Codecs", "DNS", "ICE", "Model", "OpenSSL", "Primitives", "SIP", "UDP", logging, protobuf]),
        library("MediaWorker", ["Bus", "CPrompts", "CShims", "Codecs", "ICE", "Model", "OpenSSL", "Primitives", "RTP", "Recordings", "UDP", "XDP", logging, protobuf]),

        // The seeded world: imported by tests and tools alone.
        library(
            "Simulation",
            ["Bus", "ControlPlane", "LMDB", "Ledger", "MediaWorker", "Model", "OpenSSL", "Primitives", "Projections", "Subjects", "SIP", "SignalWorker", protobuf]),

        // Floor 5: the command line.
        .executableTarget(
            name: "ledgerline",
            dependencies: [
                "Backup", "Bus", "ControlAPI", "ControlPlane", "DNS", "Dispute", "Exports", "Invoices", "Ledger", "Mail", "MediaWorker", "Model", "OpenSSL", "Primitives", "Projections", "Subjects",
                "Rating", "Reconciliation", "SIP", "SignalWorker", "Tables", logging, protobuf,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict,
            linkerSettings: executable),
        .executableTarget(
            name: "ledgerline-bench",
            dependencies: [
                "Backup", "Bus", "Codecs", "ControlPlane", "Exports", "LMDB", "Ledger", "MediaWorker", "Model", "OpenSSL", "Primitives", "Projections", "Subjects", "RTP", "Rating",
                "Reconciliation", "SIP", "SignalWorker", "UDP", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "tools/benchmarks/Sources",
            swiftSettings: strict,
            linkerSettings: executable),
        .executableTarget(
            name: "xdp-worker", dependencies: ["MediaWorker", "Model", "Primitives", "UDP", "XDP", logging], path: "tools/benchmarks/XDPWorker", swiftSettings: settings,
            linkerSettings: [.unsafeFlags(["-use-ld=lld"], .when(configuration: .release))]),
        .systemLibrary(name: "CFuzzer", path: "tools/fuzz/CFuzzer"),
        .executableTarget(
            name: "ledgerline-fuzz", dependencies: ["CFuzzer", "ICE", "MediaWorker", "Model", "OpenSSL", "Primitives", "RTP", "SIP"], path: "tools/fuzz/Sources",
            swiftSettings: strict),

        // Counts the allocations of a thread, for tests that promise none.
        .target(name: "AllocationCounter", path: "Tests/Support/AllocationCounter"),
        // Enters network namespaces.
        .target(name: "Namespaces", path: "Tests/Support/Namespaces"),
        // Ended with SIGKILL while it has a program on an interface.
        .executableTarget(name: "program-holder", dependencies: ["XDP"], path: "Tests/Support/ProgramHolder", swiftSettings: settings),
        tests("PrimitivesTests", ["Primitives", "OpenSSL"]),
        // Ended with SIGKILL by the ledger's tests, again and again.
        .executableTarget(
            name: "crash-writer", dependencies: ["Ledger", "Primitives"], path: "Tests/Support/CrashWriter",
            swiftSettings: settings),
        // Ended with SIGKILL while it rebuilds and swaps views.
        .executableTarget(
            name: "crash-rebuilder", dependencies: ["LMDB", "Ledger", "Projections"], path: "Tests/Support/CrashRebuilder",
            swiftSettings: settings),
        // Puts billed calls into a stopped log.
        .executableTarget(
            name: "call-writer", dependencies: ["ControlPlane", "LMDB", "Ledger", "Model", "Primitives", "Rating", "Subjects", protobuf], path: "Tests/Support/CallWriter", swiftSettings: settings),
        // Changes a stopped log behind its back.
        .executableTarget(
            name: "tamper", dependencies: ["LMDB", "Ledger", "OpenSSL", "Primitives"], path: "Tests/Support/Tamper", swiftSettings: settings),
        tests("LedgerTests", ["Ledger", "LMDB", "OpenSSL", "Primitives", "crash-writer"]),
        tests("BackupTests", ["Backup", "LMDB", "Ledger", "OpenSSL", "Primitives"]),
        tests("BusTests", ["Bus", "Primitives"]),
        tests("SIPTests", ["SIP", "Primitives"]),
        tests("CodecsTests", ["AllocationCounter", "Codecs"]),
        tests("RTPTests", ["CSRTPPrimitives", "RTP", "Primitives"]),
        tests("ICETests", ["ICE", "Primitives"]),
        tests("UDPTests", ["UDP", "Primitives"]),
        tests("XDPTests", ["Primitives", "XDP"]),
        tests("DNSTests", ["DNS", "Primitives"]),
        tests("ModelTests", ["Model", "Primitives", protobuf]),
        tests("RatingTests", ["Rating", "Model", "Primitives", "Tables", protobuf]),
        tests("TablesTests", ["Tables"]),
        tests("MailTests", ["Mail", "OpenSSL"]),
        tests("PhoneNumbersTests", ["PhoneNumbers"]),
        tests("RecordingsTests", ["Primitives", "Recordings"]),
        tests("ExportsTests", ["Exports", "LMDB", "Ledger", "Model", "OpenSSL", "Primitives", "Projections", protobuf]),
        tests("InvoicesTests", ["ControlPlane", "Invoices", "LMDB", "Ledger", "Model", "OpenSSL", "Primitives", "Projections", "Rating", "Subjects", protobuf]),
        tests("ReconciliationTests", ["Reconciliation", "Model", "Primitives", "Rating", "Tables"]),
        tests("SubjectsTests", ["Deflate", "Subjects", "Model", "OpenSSL", "Primitives", protobuf]),
        tests("ProjectionsTests", ["crash-rebuilder", "Backup", "OpenSSL", "Projections", "Subjects", "LMDB", "Ledger", "Model", "Primitives", "Rating", protobuf]),
        tests("ControlPlaneTests", ["Backup", "Bus", "ControlPlane", "Dispute", "Exports", "Expressions", "Invoices", "LMDB", "Ledger", "Mail", "Model", "OpenSSL", "PhoneNumbers", "Primitives", "Projections", "Rating", "Subjects", protobuf, logging]),
        tests(
            "ControlAPITests",
            [
                "ControlAPI", "ControlPlane", "DNS", "Ledger", "Mail", "Model", "OpenSSL", "Primitives", "Projections", "Subjects", logging, protobuf,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests("SignalWorkerTests", ["Bus", "Codecs", "DNS", "ICE", "Model", "OpenSSL", "Primitives", "SIP", "SignalWorker", "UDP", logging, protobuf]),
        tests(
            "MediaWorkerTests",
            ["AllocationCounter", "Bus", "Codecs", "ICE", "MediaWorker", "Model", "Namespaces", "OpenSSL", "Primitives", "RTP", "Recordings", "UDP", "XDP", "program-holder", logging, protobuf]),
        tests("ScenarioTests", ["Simulation", "Ledger", "Model", "Primitives", "Projections"]),
        tests("ProcessTests", ["call-writer", "ledgerline", "tamper"]),
    ],
    cxxLanguageStandard: .cxx17
)

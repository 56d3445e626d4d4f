import ArgumentParser

@main
struct Ledgerline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledgerline",
        abstract: "A cloud phone system for communication service providers that can prove a bill.",
        discussion: """
            One machine:      ledgerline serve --data ./data
            Many machines:    ledgerline control, then ledgerline worker enroll, ledgerline signal, ledgerline media
            The books:        ledgerline log verify --data ./data
            """,
        version: "ledgerline 0.1.0",
        subcommands: [
            Serve.self, Control.self, SignalCommand.self, MediaCommand.self, WorkerCommand.self, TokenCommand.self, LogCommand.self,
            Replay.self, CDRCommand.self, RecordingCommand.self, RerateCommand.self, BackupCommand.self, RestoreCommand.self, DisputeCommand.self, AsOf.self, Snapshot.self,
            SubjectCommand.self, AuditCommand.self, DeckCommand.self, ExplainCommand.self, DomainCommand.self, LineCommand.self, SoundsCommand.self, UserCommand.self, StatsCommand.self, StatementCommand.self, InvoiceCommand.self, ProviderCommand.self, ReasonsCommand.self, GatewayCommand.self, FeeCommand.self, PackageCommand.self,
        ])
}

import ArgumentParser

@main struct LedgerlineBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledgerline-bench",
        abstract: "Measures the parts of Ledgerline inside one process; one JSON object per figure and line.",
        discussion: """
            A group is measured once, in a few seconds; tools/bench runs it several times and takes the median.
            docs/benchmarks.md says what each figure means.

            Example: ledgerline-bench ledger
            """,
        subcommands: [
            LedgerGroup.self, BackupGroup.self, ViewsGroup.self, AsOfGroup.self, ControlGroup.self, BusGroup.self, RatingGroup.self, RerateGroup.self, StatisticsGroup.self, ReconcileGroup.self, ExportGroup.self, SIPGroup.self, SignalGroup.self, RTPGroup.self, TranscodeGroup.self, ConferenceGroup.self,
            MediaWorkerUnderLoad.self,
        ])
}

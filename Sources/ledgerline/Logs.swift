import Logging

/// Logs go to standard error, so that what a command prints can be read by a program.
func startLogging(_ level: Logger.Level = .info) -> Logger {
    LoggingSystem.bootstrap { label in
        var handler = StreamLogHandler.standardError(label: label)
        handler.logLevel = level
        return handler
    }
    return Logger(label: "ledgerline")
}

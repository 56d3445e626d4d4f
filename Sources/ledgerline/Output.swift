import Foundation

/// What was printed so far reaches a pipe or a file now, not when the process ends.
func flushOutput() { _ = fflush(nil) }

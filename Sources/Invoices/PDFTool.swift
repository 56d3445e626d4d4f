import Foundation
import OpenSSL
import Primitives

/// Makes PDF files of pages with WeasyPrint, in a process of its own that reads nothing but the page: a template that names an address or
/// a file gets neither. With the same version and the same fonts the same page makes the same bytes.
package struct PDFTool: Sendable {
    /// What runs it.
    private let python: String
    private let timeoutSeconds: Int

    package init(python: String = "/usr/bin/python3", timeoutSeconds: Int = 60) {
        self.python = python
        self.timeoutSeconds = timeoutSeconds
    }

    package struct Output: Equatable, Sendable {
        package let bytes: [UInt8]
        /// `WeasyPrint 57.2`
        package let tool: String
    }

    private static let script = """
        import sys, hashlib
        try:
            import weasyprint
        except ImportError:
            sys.exit(78)
        def refuse(url, *args, **kwargs):
            if url.startswith("data:"):
                return weasyprint.default_url_fetcher(url)
            raise ValueError("a page of an invoice loads nothing")
        page = sys.stdin.buffer.read()
        document = weasyprint.HTML(string=page.decode("utf-8"), url_fetcher=refuse, base_url=None)
        pdf = document.write_pdf(identifier=hashlib.sha256(page).digest()[:16])
        sys.stdout.buffer.write(("WeasyPrint " + weasyprint.__version__ + "\\n").encode() + pdf)
        """

    /// Waits for the tool: for a thread that may wait.
    package func pdf(of html: [UInt8]) throws(InvoiceError) -> Output {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
        process.arguments = ["--kill-after=5", String(timeoutSeconds), python, "-I", "-c", Self.script]
        // The page's own date is on it; a file that was made twice must not differ by when.
        process.environment = ["SOURCE_DATE_EPOCH": "0", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "TZ": "UTC", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"]
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        do {
            try process.run()
        } catch {
            throw .tool("\(python) cannot be started (\(error.localizedDescription)): install WeasyPrint (Debian: apt install weasyprint)")
        }
        let page = Data(html)
        let writer = Thread {
            try? input.fileHandleForWriting.write(contentsOf: page)
            try? input.fileHandleForWriting.close()
        }
        writer.start()
        let drain = Thread { _ = try? errors.fileHandleForReading.readToEnd() }
        drain.start()
        let made = Array((try? output.fileHandleForReading.readToEnd()) ?? Data())
        process.waitUntilExit()
        switch process.terminationStatus {
        case 0: break
        case 78, 127: throw .tool("WeasyPrint is not installed (Debian: apt install weasyprint)")
        case 124, 137: throw .tool("WeasyPrint was not done within \(timeoutSeconds) s")
        case let status: throw .tool("WeasyPrint ended with status \(status): does the template hold what it cannot read?")
        }
        guard let end = made.firstIndex(of: 0x0A), made[(end + 1)...].starts(with: Array("%PDF-".utf8)) else {
            throw .tool("WeasyPrint has made no PDF file")
        }
        return Output(bytes: Array(made[(end + 1)...]), tool: String(decoding: made[..<end], as: UTF8.self))
    }
}

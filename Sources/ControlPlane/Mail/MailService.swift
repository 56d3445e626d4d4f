internal import Dispatch
internal import Foundation
internal import Invoices
package import Logging
internal import Mail
internal import Model
package import Primitives
package import Projections
internal import SwiftProtobuf
internal import Synchronization

/// Sends the mail that the log says is wanted, on a thread of its own, and records what became of it. Killed in between, it sends
/// again: the message has the same id then.
package final class MailService: Sendable {
    private let settings: MailSettings
    private let invoices: InvoiceDesk
    private let secrets: LinkSecret
    private let views: Views
    private let logger: Logger
    /// Returns when the command is durable, and in the views.
    private let submit: @Sendable (AdminRequest) -> Result<AdminOutcome, AdminRejection>
    private let isStopping = Mutex(false)
    private let wakened = DispatchSemaphore(value: 0)
    private let thread = Mutex<DriverThread?>(nil)
    /// One pass at a time: what is being sent is not due.
    private let passing = Mutex(())

    /// After an attempt that failed, the first wait; each further one is twice as long.
    package static let firstRetry: Duration = .seconds(30)
    package static let retryMax: Duration = .seconds(3_600)
    package static let attemptsMax: UInt32 = 20

    package init(
        _ settings: MailSettings, secrets: LinkSecret, invoices: InvoiceDesk, views: Views, logger: Logger,
        submit: @escaping @Sendable (AdminRequest) -> Result<AdminOutcome, AdminRejection>
    ) {
        self.settings = settings
        self.secrets = secrets
        self.invoices = invoices
        self.views = views
        self.logger = logger
        self.submit = submit
    }

    func start() throws(ControlPlaneError) {
        let started = try DriverThread("mail") { [self] in
            while !isStopping.withLock({ $0 }) {
                pass(at: .now)
                _ = wakened.wait(timeout: .now() + 1)
            }
        }
        thread.withLock { $0 = started }
    }

    /// Ends after the message that is being sent.
    func stop() {
        isStopping.withLock { $0 = true }
        wakened.signal()
        let started = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        started?.join()
    }

    /// There may be something to send; it does not have to wait for the next look.
    package func wake() { wakened.signal() }

    /// Sends all that is due.
    package func pass(at now: WallTime) { passing.withLock { _ in sendDue(at: now) } }

    /// Whoever waits for a link is not kept waiting by ten thousand invoices: those leave one by one, when nothing else is due.
    private func sendDue(at now: WallTime) {
        while !isStopping.withLock({ $0 }) {
            let due = views.read(for: "mail", logger: logger) { views throws(ViewsError) in
                let links = try views.letters(dueBy: now, limit: 50)
                return try links.isEmpty ? views.letters(dueBy: now, isBulk: true, limit: 1) : links
            }
            guard let due, !due.isEmpty else { return }
            for state in due where !isStopping.withLock({ $0 }) {
                guard send(state, at: now) else { return }
            }
        }
    }

    /// false: what became of it could not be recorded, so that nothing more is sent now.
    private func send(_ state: LetterState, at now: WallTime) -> Bool {
        let letter = state.letter
        guard let id = LetterID(letter.id) else { return false }
        let attempt = state.attempts + 1
        // The address was erased with its owner, or the link is of no use any more.
        if letter.to.isEmpty { return fail(letter, attempt, "the address is erased", retryAt: 0) }
        if letter.expiresAt != 0, letter.expiresAt <= now.microseconds {
            return fail(letter, attempt, "its link expired before it could be sent", retryAt: 0)
        }
        let provider = ProviderID(letter.providerID).flatMap { id in
            views.read(for: "mail", logger: logger) { views throws(ViewsError) in try views.provider(id) } ?? nil
        }
        var text = LetterText(letter: letter, template: .passwordChanged, settings: settings, provider: provider, secret: secrets.text(of: id))
        do {
            try fill(&text)
            try settings.server.send(text.message(at: WallTime(microseconds: letter.wantedAt)))
        } catch {
            logger.warning(
                "mail could not be sent", metadata: ["letter": "\(id)", "attempt": "\(attempt)", "reason": "\(error)"])
            let isOver = (error as? MailError)?.isFinal ?? (error is LetterError) || attempt >= Self.attemptsMax
            let wait = min(Self.firstRetry * (1 << Int(min(attempt - 1, 10))), Self.retryMax)
            return fail(letter, attempt, "\(error)", retryAt: isOver ? 0 : (now + wait).microseconds)
        }
        return record(
            .recordLetterSent(
                .with {
                    $0.letterID = letter.id
                    $0.attempt = attempt
                }))
    }

    /// What the letter is about, and what is in it.
    private func fill(_ text: inout LetterText) throws {
        let letter = text.letter
        switch letter.kind {
        case .signUp: text.template = .signUp
        case .alreadyRegistered: text.template = .alreadyRegistered
        case .passwordReset: text.template = .passwordReset
        case .invitation: text.template = .invitation
        case .passwordChanged, .UNRECOGNIZED: text.template = .passwordChanged
        case .invoice:
            let invoice = try views.read { views throws(ViewsError) in try InvoiceID(letter.invoiceID).flatMap { id throws(ViewsError) in try views.invoice(id) } }
            guard let invoice, !invoice.isErasedBuyer else { throw LetterError.gone("whom the invoice was for is erased") }
            let print = try invoices.pdf(of: invoice)
            // Durable before anybody has the file.
            if let fact = print.fact { _ = try submit(AdminRequest(.recordInvoicePrint(fact), actor: "mail", requestID: "mail")).get() }
            text.tell(of: invoice, pdf: print.bytes)
        case .alert:
            let (alert, customer) = try views.read { views throws(ViewsError) -> (AlertState?, Customer?) in
                guard let id = AlertID(letter.alertID), let alert = try views.alert(id) else { return (nil, nil) }
                return (alert, try CustomerID(alert.raised.customerID).flatMap { id throws(ViewsError) in try views.customer(id) })
            }
            guard let alert, let customer else { throw LetterError.gone("what the alert was about is gone") }
            text.tell(of: alert.raised, customer)
        }
    }

    private func fail(_ letter: Letter, _ attempt: UInt32, _ reason: String, retryAt: Int64) -> Bool {
        record(
            .recordLetterFailure(
                .with {
                    $0.letterID = letter.id
                    $0.attempt = attempt
                    $0.reason = String(reason.prefix(Checks.nameCharactersMax))
                    $0.retryAt = retryAt
                }))
    }

    private func record(_ command: IdentityCommand) -> Bool {
        switch submit(AdminRequest(.identity(command), actor: "mail", requestID: "mail")) {
        case .success: return true
        case .failure(let rejection):
            logger.error("what became of a mail could not be recorded", metadata: ["reason": "\(rejection.reason)"])
            return false
        }
    }
}

internal import CCurl

extension MailServer {
    /// Blocks until the server has taken the message, or has not: for a thread that may wait.
    package func send(_ message: MailMessage) throws(MailError) {
        let text = message.text
        var code = 0
        var reason = [CChar](repeating: 0, count: 256)
        let result = unsafe text.withCString { body in
            unsafe withCStrings([url, authorities, user, password, message.domain, from, message.to], []) { strings in
                var mail = unsafe ll_mail()
                unsafe mail.url = strings[0]
                unsafe mail.tls = encryption == .starttls ? 2 : 0
                unsafe mail.authorities = authorities.isEmpty ? nil : strings[1]
                unsafe mail.user = user.isEmpty ? nil : strings[2]
                unsafe mail.password = user.isEmpty ? nil : strings[3]
                unsafe mail.greeting = strings[4]
                unsafe mail.from = strings[5]
                unsafe mail.to = strings[6]
                unsafe mail.message = body
                unsafe mail.length = text.utf8.count
                unsafe mail.connect_milliseconds = connectMilliseconds
                unsafe mail.total_milliseconds = totalMilliseconds
                return unsafe ll_mail_send(&mail, &code, &reason, reason.count)
            }
        }
        let words = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        switch result {
        case LL_MAIL_ACCEPTED: return
        case LL_MAIL_REFUSED: throw .refused(code: code)
        case LL_MAIL_NO_TLS: throw .noTLS(words)
        case LL_MAIL_NO_LOGIN: throw .noLogin
        default: throw .unreachable(words)
        }
    }

    /// The strings live as long as `body` runs.
    private func withCStrings<R>(
        _ strings: [String], _ collected: [UnsafePointer<CChar>], _ body: ([UnsafePointer<CChar>]) -> R
    ) -> R {
        guard let first = strings.first else { return unsafe body(collected) }
        return unsafe first.withCString { pointer in
            unsafe withCStrings(Array(strings.dropFirst()), collected + [pointer], body)
        }
    }
}

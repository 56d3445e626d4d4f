import ArgumentParser
import ControlPlane
import Foundation
import Mail

/// Who may sign up, and the server that mail leaves by; for `control` and `serve`.
struct MailOptions: ParsableArguments {
    @Option(help: "Mail server, as mail.example.net:587; none: no mail, and nobody signs up.")
    var mailServer: String?

    @Option(help: "How the mail server is spoken to: starttls, tls (from the first byte, port 465), or none (on this machine alone).")
    var mailEncryption = MailServer.Encryption.starttls

    @Option(help: "Address that mail is from.")
    var mailFrom: String?

    @Option(help: "User name at the mail server; none: without logging in.")
    var mailUser: String?

    @Option(help: "File with the password at the mail server; only its owner may read it.")
    var mailPasswordFile: String?

    @Option(help: "File of certificates that the mail server's is checked by; none: the machine's.")
    var mailAuthorities = ""

    @Option(help: "What links in mails begin with, as https://console.example.net.")
    var publicURL: String?

    @Option(help: "What mails call the platform.")
    var productName = "Ledgerline"

    @Option(help: "Who becomes a provider by signing up: closed (nobody), pending (somebody has to activate it), open.")
    var signUp = IdentityRules.SignUp.closed

    /// nil: no mail.
    func settings() throws -> MailSettings? {
        guard let mailServer else {
            guard signUp == .closed else { throw fail(.configuration, "--sign-up \(signUp.rawValue) needs --mail-server: links go out by mail") }
            return nil
        }
        let parts = mailServer.split(separator: ":", omittingEmptySubsequences: false)
        guard let last = parts.last, parts.count > 1, let port = UInt16(last), port > 0 else {
            throw fail(.configuration, "--mail-server \(mailServer) has no port: write mail.example.net:587")
        }
        guard let mailFrom, let from = EmailAddress.normalised(mailFrom) else {
            throw fail(.configuration, "--mail-from must be the address that mail is from, such as noreply@example.net")
        }
        guard let publicURL, publicURL.hasPrefix("https://") || publicURL.hasPrefix("http://") else {
            throw fail(.configuration, "--public-url must say what links in mails begin with, such as https://console.example.net")
        }
        let host = parts.dropLast().joined(separator: ":").trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        var server = MailServer(host: host, port: Int(port), encryption: mailEncryption, from: from)
        server.authorities = mailAuthorities
        if let mailUser {
            guard let mailPasswordFile else { throw fail(.configuration, "--mail-user needs --mail-password-file") }
            server.user = mailUser
            server.password = try password(mailPasswordFile)
        }
        var settings = MailSettings(server: server, publicURL: publicURL)
        settings.productName = productName
        return settings
    }

    private func password(_ path: String) throws -> String {
        do throws(ControlPlaneError) {
            let text = String(decoding: try SecretFile.read(path), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            guard !text.isEmpty else { throw ControlPlaneError.keyUnusable(path: path, reason: "it is empty") }
            return text
        } catch {
            throw fail(.configuration, "\(error)")
        }
    }
}

extension MailServer.Encryption: ExpressibleByArgument {}
extension IdentityRules.SignUp: ExpressibleByArgument {}

package import Mail

/// How mail leaves, and what it says of the platform where no provider's brand does.
package struct MailSettings: Sendable {
    package var server: MailServer
    /// What links begin with: `https://console.example`.
    package var publicURL: String
    package var productName = "Ledgerline"

    package init(server: MailServer, publicURL: String) {
        self.server = server
        self.publicURL = publicURL
    }
}

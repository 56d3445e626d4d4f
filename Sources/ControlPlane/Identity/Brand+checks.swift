import Model

extension Brand {
    /// What gets into mails and pages is of a kind that cannot do anything there.
    func check() throws {
        try Checks.shortText(productName, field: "theme_product_name")
        try Checks.shortText(mailSenderName, field: "mail_sender_name")
        for (color, field) in [(primaryColor, "theme_primary_color"), (secondaryColor, "theme_secondary_color")] {
            guard color.isEmpty || LetterText.color(color) != nil else {
                throw AdminRejection.invalid(field, "must be a colour such as #1f4e79")
            }
        }
        for (url, field) in [(logoURL, "theme_logo_url"), (publicURL, "public_url")] {
            try Checks.shortText(url, field: field)
            let isURL = url.hasPrefix("https://") && !url.contains(where: { " \"<>\\#".contains($0) }) && url.count > 8
            guard url.isEmpty || isURL else { throw AdminRejection.invalid(field, "must begin with https://, and hold no spaces, quotes or #") }
        }
        guard replyTo.isEmpty || EmailAddress.normalised(replyTo) != nil else {
            throw AdminRejection.invalid("mail_reply_to", "must be an e-mail address, such as help@example.net")
        }
    }
}

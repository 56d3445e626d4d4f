extension LetterLanguage {
    static let english = LetterLanguage(
        tag: "en", greeting: "Hello,", namedGreeting: "Hello {name},",
        footer: "You get this mail because somebody entered your address at {product}.",
        customerFooter: "You get this mail as a customer of {product}."
    ) { template in
        switch template {
        case .signUp:
            LetterWords(
                "Confirm your address for {product}",
                "follow this link to confirm your address and to finish signing up. It works once, until {expiry}.", link: "Finish signing up")
        case .alreadyRegistered:
            LetterWords(
                "You have an account at {product}",
                "somebody, perhaps you, wants to sign up with this address. It has an account already: log in, or ask for a new "
                    + "password if you have forgotten yours. If it was not you, nothing has to be done.", link: "Log in")
        case .passwordReset:
            LetterWords(
                "A new password for {product}",
                "follow this link to set a new password. It works once, until {expiry}. If you have not asked for it, nothing has to "
                    + "be done: your password stays as it is.", link: "Set a new password")
        case .invitation:
            LetterWords(
                "You are invited to {product}",
                "an account has been made for you. Follow this link to set your password. It works once, until {expiry}.",
                link: "Set your password")
        case .passwordChanged:
            LetterWords(
                "Your password for {product} was changed",
                "your password was changed, and all your sessions were ended. If it was not you, ask for a new password at once.",
                link: "Ask for a new password")
        case .invoice:
            LetterWords(
                "Invoice {number} from {seller}",
                "with this mail you get invoice {number} of {date} for {period} over {total}. To be paid: {payable}, due on {due}.")
        case .creditNote:
            LetterWords(
                "Credit note {number} from {seller}",
                "with this mail you get credit note {number} of {date} over {total}. It credits invoice {credited}.")
        case .lowBalance:
            LetterWords(
                "Your balance at {product} is low",
                "the account of {customer} stands at {value}, which is less than {threshold}. Calls that are charged may end or be refused when it "
                    + "is used up.")
        case .spend:
            LetterWords(
                "Your charges at {product} this month",
                "in {month} the charges of {customer} have come to {value}. You wanted to be told from {threshold} on.")
        }
    }
}

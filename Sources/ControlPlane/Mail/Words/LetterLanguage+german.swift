extension LetterLanguage {
    static let german = LetterLanguage(
        tag: "de", greeting: "Guten Tag,", namedGreeting: "Guten Tag {name},",
        footer: "Sie erhalten diese Nachricht, weil jemand Ihre Adresse bei {product} eingegeben hat.",
        customerFooter: "Sie erhalten diese Nachricht als Kunde von {product}."
    ) { template in
        switch template {
        case .signUp:
            LetterWords(
                "Bestätigen Sie Ihre Adresse für {product}",
                "folgen Sie diesem Link, um Ihre Adresse zu bestätigen und die Anmeldung abzuschließen. Er gilt einmal, bis {expiry}.",
                link: "Anmeldung abschließen")
        case .alreadyRegistered:
            LetterWords(
                "Sie haben ein Konto bei {product}",
                "jemand, vielleicht Sie selbst, möchte sich mit dieser Adresse anmelden. Für sie gibt es schon ein Konto: Loggen Sie sich ein, oder "
                    + "fordern Sie ein neues Passwort an, wenn Sie Ihres vergessen haben. Wenn Sie es nicht waren, ist nichts zu tun.", link: "Einloggen")
        case .passwordReset:
            LetterWords(
                "Ein neues Passwort für {product}",
                "folgen Sie diesem Link, um ein neues Passwort zu setzen. Er gilt einmal, bis {expiry}. Wenn Sie ihn nicht angefordert haben, ist "
                    + "nichts zu tun: Ihr Passwort bleibt, wie es ist.", link: "Neues Passwort setzen")
        case .invitation:
            LetterWords(
                "Sie sind zu {product} eingeladen",
                "für Sie wurde ein Konto angelegt. Folgen Sie diesem Link, um Ihr Passwort zu setzen. Er gilt einmal, bis {expiry}.",
                link: "Passwort setzen")
        case .passwordChanged:
            LetterWords(
                "Ihr Passwort für {product} wurde geändert",
                "Ihr Passwort wurde geändert, und alle Ihre Sitzungen wurden beendet. Wenn Sie es nicht waren, fordern Sie sofort ein neues an.",
                link: "Neues Passwort anfordern")
        case .invoice:
            LetterWords(
                "Rechnung {number} von {seller}",
                "mit dieser Nachricht erhalten Sie die Rechnung {number} vom {date} für {period} über {total}. Zu zahlen: {payable}, fällig am {due}.")
        case .creditNote:
            LetterWords(
                "Rechnungskorrektur {number} von {seller}",
                "mit dieser Nachricht erhalten Sie die Rechnungskorrektur {number} vom {date} über {total} zur Rechnung {credited}.")
        case .lowBalance:
            LetterWords(
                "Ihr Guthaben bei {product} geht zu Ende",
                "das Konto von {customer} steht bei {value}, weniger als {threshold}. Kostenpflichtige Gespräche können enden oder abgewiesen werden, "
                    + "wenn es verbraucht ist.")
        case .spend:
            LetterWords(
                "Ihre Kosten bei {product} in diesem Monat",
                "im Monat {month} sind für {customer} Kosten von {value} angefallen. Sie wollten ab {threshold} benachrichtigt werden.")
        }
    }
}

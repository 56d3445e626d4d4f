extension LetterLanguage {
    static let french = LetterLanguage(
        tag: "fr", greeting: "Bonjour,", namedGreeting: "Bonjour {name},",
        footer: "Vous recevez ce message parce que quelqu’un a saisi votre adresse chez {product}.",
        customerFooter: "Vous recevez ce message en tant que client de {product}."
    ) { template in
        switch template {
        case .signUp:
            LetterWords(
                "Confirmez votre adresse pour {product}",
                "Suivez ce lien pour confirmer votre adresse et terminer l’inscription. Il fonctionne une seule fois, jusqu’au {expiry}.",
                link: "Terminer l’inscription")
        case .alreadyRegistered:
            LetterWords(
                "Vous avez un compte chez {product}",
                "Quelqu’un, peut-être vous, veut s’inscrire avec cette adresse. Elle a déjà un compte : connectez-vous, ou demandez un nouveau mot de "
                    + "passe si vous avez oublié le vôtre. Si ce n’était pas vous, il n’y a rien à faire.", link: "Se connecter")
        case .passwordReset:
            LetterWords(
                "Un nouveau mot de passe pour {product}",
                "Suivez ce lien pour choisir un nouveau mot de passe. Il fonctionne une seule fois, jusqu’au {expiry}. Si vous ne l’avez pas demandé, "
                    + "il n’y a rien à faire : votre mot de passe reste le même.", link: "Choisir un nouveau mot de passe")
        case .invitation:
            LetterWords(
                "Vous êtes invité chez {product}",
                "Un compte a été créé pour vous. Suivez ce lien pour choisir votre mot de passe. Il fonctionne une seule fois, jusqu’au {expiry}.",
                link: "Choisir votre mot de passe")
        case .passwordChanged:
            LetterWords(
                "Votre mot de passe pour {product} a été changé",
                "Votre mot de passe a été changé et toutes vos sessions ont été fermées. Si ce n’était pas vous, demandez tout de suite un nouveau mot "
                    + "de passe.", link: "Demander un nouveau mot de passe")
        case .invoice:
            LetterWords(
                "Facture {number} de {seller}",
                "Vous trouverez ci-joint la facture {number} du {date} pour la période {period}, d’un montant de {total}. Net à payer : {payable}, "
                    + "échéance le {due}.")
        case .creditNote:
            LetterWords(
                "Avoir {number} de {seller}",
                "Vous trouverez ci-joint l’avoir {number} du {date}, d’un montant de {total}, sur la facture {credited}.")
        case .lowBalance:
            LetterWords(
                "Votre solde chez {product} est bas",
                "Le solde de {customer} est de {value}, moins que {threshold}. Quand il sera épuisé, les appels payants pourront être coupés ou refusés.")
        case .spend:
            LetterWords(
                "Vos dépenses chez {product} ce mois-ci",
                "En {month}, les dépenses de {customer} ont atteint {value}. Vous vouliez être prévenu à partir de {threshold}.")
        }
    }
}

extension LetterLanguage {
    /// As it is written in Brazil.
    static let portuguese = LetterLanguage(
        tag: "pt-BR", greeting: "Olá!", namedGreeting: "Olá, {name}!",
        footer: "Você recebe este e-mail porque alguém informou o seu endereço em {product}.",
        customerFooter: "Você recebe este e-mail como cliente de {product}."
    ) { template in
        switch template {
        case .signUp:
            LetterWords(
                "Confirme o seu endereço para {product}",
                "Siga este link para confirmar o seu endereço e concluir o cadastro. Ele funciona uma única vez, até {expiry}.",
                link: "Concluir o cadastro")
        case .alreadyRegistered:
            LetterWords(
                "Você já tem uma conta em {product}",
                "Alguém, talvez você, quer se cadastrar com este endereço. Já existe uma conta com ele: entre, ou peça uma nova senha se esqueceu a "
                    + "sua. Se não foi você, não é preciso fazer nada.", link: "Entrar")
        case .passwordReset:
            LetterWords(
                "Uma nova senha para {product}",
                "Siga este link para definir uma nova senha. Ele funciona uma única vez, até {expiry}. Se você não pediu, não é preciso fazer nada: "
                    + "a sua senha continua a mesma.", link: "Definir uma nova senha")
        case .invitation:
            LetterWords(
                "Você foi convidado para {product}",
                "Uma conta foi criada para você. Siga este link para definir a sua senha. Ele funciona uma única vez, até {expiry}.",
                link: "Definir a sua senha")
        case .passwordChanged:
            LetterWords(
                "A sua senha de {product} foi alterada",
                "A sua senha foi alterada e todas as suas sessões foram encerradas. Se não foi você, peça uma nova senha imediatamente.",
                link: "Pedir uma nova senha")
        case .invoice:
            LetterWords(
                "Fatura {number} de {seller}",
                "Com este e-mail você recebe a fatura {number} de {date} referente a {period}, no valor de {total}. A pagar: {payable}, com vencimento em "
                    + "{due}.")
        case .creditNote:
            LetterWords(
                "Nota de crédito {number} de {seller}",
                "Com este e-mail você recebe a nota de crédito {number} de {date}, no valor de {total}, referente à fatura {credited}.")
        case .lowBalance:
            LetterWords(
                "O seu saldo em {product} está baixo",
                "O saldo de {customer} é de {value}, menos que {threshold}. Quando ele acabar, chamadas tarifadas podem ser encerradas ou recusadas.")
        case .spend:
            LetterWords(
                "Os seus gastos em {product} neste mês",
                "Em {month} os gastos de {customer} chegaram a {value}. Você queria ser avisado a partir de {threshold}.")
        }
    }
}

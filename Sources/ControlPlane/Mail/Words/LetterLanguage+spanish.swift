extension LetterLanguage {
    static let spanish = LetterLanguage(
        tag: "es", greeting: "Hola:", namedGreeting: "Hola, {name}:",
        footer: "Recibe este mensaje porque alguien ha introducido su dirección en {product}.",
        customerFooter: "Recibe este mensaje como cliente de {product}."
    ) { template in
        switch template {
        case .signUp:
            LetterWords(
                "Confirme su dirección para {product}",
                "Siga este enlace para confirmar su dirección y terminar el registro. Sirve una sola vez, hasta {expiry}.", link: "Terminar el registro")
        case .alreadyRegistered:
            LetterWords(
                "Ya tiene una cuenta en {product}",
                "Alguien, quizá usted, quiere registrarse con esta dirección. Ya existe una cuenta con ella: inicie sesión o pida una contraseña "
                    + "nueva si ha olvidado la suya. Si no ha sido usted, no tiene que hacer nada.", link: "Iniciar sesión")
        case .passwordReset:
            LetterWords(
                "Una contraseña nueva para {product}",
                "Siga este enlace para elegir una contraseña nueva. Sirve una sola vez, hasta {expiry}. Si no la ha pedido, no tiene que hacer nada: "
                    + "su contraseña no cambia.", link: "Elegir una contraseña nueva")
        case .invitation:
            LetterWords(
                "Le han invitado a {product}",
                "Se ha creado una cuenta para usted. Siga este enlace para elegir su contraseña. Sirve una sola vez, hasta {expiry}.",
                link: "Elegir contraseña")
        case .passwordChanged:
            LetterWords(
                "Su contraseña de {product} ha cambiado",
                "Su contraseña ha cambiado y se han cerrado todas sus sesiones. Si no ha sido usted, pida una contraseña nueva de inmediato.",
                link: "Pedir una contraseña nueva")
        case .invoice:
            LetterWords(
                "Factura {number} de {seller}",
                "Con este mensaje recibe la factura {number} del {date} por {period}, de {total}. A pagar: {payable}, con vencimiento el {due}.")
        case .creditNote:
            LetterWords(
                "Factura rectificativa {number} de {seller}",
                "Con este mensaje recibe la factura rectificativa {number} del {date}, de {total}. Rectifica la factura {credited}.")
        case .lowBalance:
            LetterWords(
                "Su saldo en {product} es bajo",
                "El saldo de {customer} es de {value}, menos de {threshold}. Cuando se agote, las llamadas de pago pueden terminar o ser rechazadas.")
        case .spend:
            LetterWords(
                "Sus gastos en {product} este mes",
                "En {month} los gastos de {customer} han llegado a {value}. Quería recibir un aviso a partir de {threshold}.")
        }
    }
}

import Foundation
import Model

/// The words of an invoice in one language, and how it writes amounts and dates. A language that is not here is English.
///
/// Invoices that were issued are printed again by these words: they are added to, and not changed, within a layout.
package struct InvoiceWords: Sendable {
    package let language: String
    private let table: [String: String]

    package init(language: String) {
        let base = String(language.prefix { $0 != "-" }).lowercased()
        if let table = Self.tables[base] {
            (self.language, self.table) = (base, table)
        } else {
            (self.language, table) = ("en", Self.tables["en"] ?? [:])
        }
    }

    package subscript(key: String) -> String { table[key] ?? key }

    /// All words, for a template.
    var all: [String: String] { table }

    var calls: String { self["calls"] }

    func call(_ direction: CallDirection, _ place: String) -> String {
        let name: String
        switch direction {
        case .outbound: name = self[place.isEmpty ? "call_out" : "call_to"]
        case .inbound: name = self["call_in"]
        case .onNet: name = self["call_on_net"]
        case .UNRECOGNIZED: name = self["call_out"]
        }
        if place.isEmpty { return name }
        return direction == .outbound ? "\(name) \(place)" : "\(name), \(place)"
    }

    func correction(_ reason: String) -> String { reason.isEmpty ? self["correction"] : "\(self["correction"]): \(reason)" }

    // MARK: - figures

    package func amount(_ micros: Int64, _ currency: String, _ decimals: UInt32) -> String {
        let plain = InvoiceAmounts.plain(abs(micros), decimals)
        let parts = plain.split(separator: ".")
        var grouped = ""
        for (index, digit) in parts[0].enumerated() {
            if index > 0, (parts[0].count - index) % 3 == 0 { grouped += style.group }
            grouped.append(digit)
        }
        let number = grouped + (parts.count > 1 ? style.point + parts[1] : "")
        let symbol = Self.symbols[currency] ?? currency
        let sign = micros < 0 ? "\u{2212}" : ""
        if style.isSymbolFirst { return sign + symbol + (symbol.count > 1 || language == "pt" ? "\u{A0}" : "") + number }
        return sign + number + "\u{A0}" + symbol
    }

    /// What VAT a line or a part of the breakdown bears, for people: `19 %`, `0 % (AE)`, `O` where there is none at all.
    func vat(_ tax: InvoiceTax) -> String {
        switch tax.category {
        case "S": percent(tax.vatBasisPoints)
        case "O": tax.category
        default: "\(percent(tax.vatBasisPoints)) (\(tax.category))"
        }
    }

    func percent(_ basisPoints: UInt32) -> String {
        InvoiceAmounts.percent(basisPoints).replacingOccurrences(of: ".", with: style.point) + "\u{A0}%"
    }

    /// - Parameter day: 2026-11-30
    package func date(_ day: String) -> String {
        let parts = day.split(separator: "-")
        guard parts.count == 3, let month = Int(parts[1]), (1...12).contains(month), let number = Int(parts[2]) else { return day }
        switch language {
        case "de": return "\(parts[2]).\(parts[1]).\(parts[0])"
        case "en": return "\(number) \(Self.months[month - 1]) \(parts[0])"
        default: return "\(parts[2])/\(parts[1])/\(parts[0])"
        }
    }

    /// Hours, minutes, seconds of talk.
    func duration(_ seconds: UInt64) -> String {
        func two(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(seconds / 3_600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }

    private var style: (point: String, group: String, isSymbolFirst: Bool) {
        switch language {
        case "de", "es": (",", ".", false)
        case "fr": (",", "\u{202F}", false)
        case "pt": (",", ".", true)
        default: (".", ",", true)
        }
    }

    private static let symbols = ["EUR": "€", "USD": "$", "GBP": "£", "BRL": "R$", "JPY": "¥"]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]

    private static let keys = [
        "invoice", "credit_note", "number", "issued", "due", "period", "to", "customer_number", "vat_number", "registration", "description",
        "quantity", "duration", "amount", "net", "vat", "total", "prepaid", "payable", "on", "credits", "reason", "account", "opening", "payments", "charges",
        "closing", "pay_to", "bank", "reference", "page", "of", "calls", "call_to", "call_out", "call_in", "call_on_net", "correction", "fees", "usage",
        "corrections", "cut", "erased", "vat_ae", "vat_g", "vat_o",
    ]
    private static let tables: [String: [String: String]] = [
        "en": table(
            "Invoice|Credit note|Number|Date of issue|Due|Period|to|Customer number|VAT number|Registration|Description|Quantity|Duration|Amount|Net|VAT|Total|Paid from credit|Amount due|on|Credits invoice|Reason|Your account|Opening balance|Payments and credits|Charges of this document|Closing balance|Please pay to|Bank|Reference|Page|of|Calls|Calls to|Calls outside|Calls from outside|Calls on the platform|Correction|Fees and items|Calls|Corrections|Movements of the account up to entry|[erased]|Reverse charge|Export outside the EU|Not subject to VAT"),
        "de": table(
            "Rechnung|Rechnungskorrektur|Nummer|Rechnungsdatum|Fällig am|Leistungszeitraum|bis|Kundennummer|USt-IdNr.|Registernummer|Bezeichnung|Menge|Dauer|Betrag|Netto|USt.|Gesamtbetrag|Aus Guthaben bezahlt|Zu zahlen|auf|Korrektur zu Rechnung|Grund|Ihr Konto|Anfangsstand|Zahlungen und Gutschriften|Belastung durch diesen Beleg|Endstand|Bitte zahlen Sie an|Bank|Verwendungszweck|Seite|von|Gespräche|Gespräche nach|Gespräche nach außen|Gespräche von außen|Gespräche in der Plattform|Berichtigung|Grundgebühren und Posten|Gespräche|Berichtigungen|Kontobewegungen bis Eintrag|[gelöscht]|Steuerschuldnerschaft des Leistungsempfängers|Ausfuhr aus der EU|Nicht steuerbar"),
        "fr": table(
            "Facture|Avoir|Numéro|Date d’émission|Échéance|Période|au|Numéro de client|Numéro de TVA|Immatriculation|Désignation|Quantité|Durée|Montant|Total HT|TVA|Total TTC|Réglé par crédit|Net à payer|sur|Avoir sur facture|Motif|Votre compte|Solde initial|Paiements et avoirs|Montant de ce document|Solde final|À payer à|Banque|Référence|Page|sur|Appels|Appels vers|Appels sortants|Appels entrants|Appels internes|Rectification|Abonnements et articles|Appels|Rectifications|Mouvements du compte jusqu’à l’écriture|[effacé]|Autoliquidation|Exportation hors UE|Hors champ d’application de la TVA"),
        "es": table(
            "Factura|Factura rectificativa|Número|Fecha de emisión|Vencimiento|Período|a|Número de cliente|NIF-IVA|Registro|Descripción|Cantidad|Duración|Importe|Base imponible|IVA|Total|Pagado con saldo|A pagar|sobre|Rectifica la factura|Motivo|Su cuenta|Saldo inicial|Pagos y abonos|Importe de este documento|Saldo final|Pagar a|Banco|Referencia|Página|de|Llamadas|Llamadas a|Llamadas salientes|Llamadas entrantes|Llamadas internas|Rectificación|Cuotas y conceptos|Llamadas|Rectificaciones|Movimientos de la cuenta hasta el asiento|[borrado]|Inversión del sujeto pasivo|Exportación fuera de la UE|No sujeto a IVA"),
        "pt": table(
            "Fatura|Nota de crédito|Número|Data de emissão|Vencimento|Período|a|Número do cliente|Número fiscal|Registro|Descrição|Quantidade|Duração|Valor|Valor líquido|IVA|Total|Pago com crédito|A pagar|sobre|Credita a fatura|Motivo|Sua conta|Saldo inicial|Pagamentos e créditos|Valor deste documento|Saldo final|Pagar a|Banco|Referência|Página|de|Chamadas|Chamadas para|Chamadas externas|Chamadas recebidas|Chamadas internas|Correção|Mensalidades e itens|Chamadas|Correções|Movimentos da conta até o lançamento|[apagado]|Autoliquidação|Exportação para fora da UE|Não sujeito a IVA"),
    ]

    private static func table(_ words: String) -> [String: String] {
        let words = words.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        precondition(words.count == keys.count, "\(words.count) words for \(keys.count) keys")
        return Dictionary(zip(keys, words), uniquingKeysWith: { $1 })
    }
}

extension InvoicePage {
    /// The built-in template of layout 1. It is never edited: invoices were issued by it, and are printed again by it. A better one is
    /// another layout. `InvoicesTests` holds its hash.
    package static let builtIn = """
        <!DOCTYPE html>
        <html lang="{{language}}">
        <head>
        <meta charset="utf-8">
        <title>{{title}} {{number}}</title>
        <style>
        @page { size: A4; margin: 14mm 18mm 22mm 22mm; @bottom-left { content: element(footer); } @bottom-right { content: "{{word.page}} " counter(page) " {{word.of}} " counter(pages); font: 8pt "Liberation Sans", Arial, sans-serif; color: #555; white-space: nowrap; } }
        html { font: 9.5pt/1.4 "Liberation Sans", Arial, sans-serif; color: #1c2126; }
        body { margin: 0; }
        table.frame { width: 100%; border-collapse: collapse; } .frame td { vertical-align: top; padding: 0; }
        table.head { border-bottom: 1.2pt solid #1f3a5f; } .head td { padding-bottom: 5mm; }
        .head .name { font-size: 15pt; font-weight: bold; color: #1f3a5f; line-height: 1.2; }
        .head .contact { text-align: right; font-size: 8pt; color: #555; }
        table.top { margin: 8mm 0 7mm; } .top .right { width: 68mm; }
        .address { width: 88mm; }
        .address .back { font-size: 7pt; color: #666; border-bottom: .4pt solid #999; padding-bottom: .6mm; margin-bottom: 2mm; }
        .facts { border-collapse: collapse; font-size: 9pt; width: 100%; }
        .facts th { text-align: left; font-weight: normal; color: #555; padding: 0 6mm .7mm 0; vertical-align: top; }
        .facts td { padding: 0 0 .7mm; text-align: right; white-space: nowrap; }
        h1 { font-size: 17pt; line-height: 1.2; margin: 0 0 4mm; color: #1f3a5f; }
        h1 span { font-weight: normal; color: #1c2126; }
        table.lines { width: 100%; border-collapse: collapse; }
        .lines th { text-align: left; font-size: 8pt; color: #555; border-bottom: .8pt solid #1f3a5f; padding: 0 0 1.2mm; font-weight: bold; }
        .lines td { border-bottom: .3pt solid #d5dae0; padding: .65mm 0; vertical-align: top; }
        .lines .section td { border-bottom: .3pt solid #9aa5b1; font-weight: bold; padding-top: 2.6mm; break-after: avoid; }
        .lines th:first-child { width: 52%; }
        .lines .figure { text-align: right; padding-left: 5mm; white-space: nowrap; }
        .lines tr { break-inside: avoid; }
        .lines thead { display: table-header-group; }
        .totals { margin: 4mm 0 0 auto; border-collapse: collapse; min-width: 78mm; break-inside: avoid; }
        .totals td { padding: .5mm 0; }
        .totals td + td { text-align: right; padding-left: 8mm; white-space: nowrap; }
        .totals .sum td { border-top: .8pt solid #1f3a5f; font-weight: bold; font-size: 11.5pt; padding-top: 1.8mm; }
        .totals .due td { font-weight: bold; background: #eef2f7; padding: 1.2mm 2mm; }
        table.boxes { margin-top: 7mm; break-inside: avoid; } .boxes td.half { width: 50%; } .boxes td.half + td.half { padding-left: 10mm; }
        .box { border-top: .8pt solid #1f3a5f; padding-top: 2mm; font-size: 8.5pt; }
        .box h2 { font-size: 9pt; margin: 0 0 1.5mm; color: #1f3a5f; }
        .box table { border-collapse: collapse; width: 100%; }
        .box th { text-align: left; font-weight: normal; color: #555; padding: 0 4mm .5mm 0; vertical-align: top; white-space: nowrap; }
        .box td { padding: 0 0 .5mm; }
        .box td.figure { text-align: right; white-space: nowrap; }
        .box .last th, .box .last td { border-top: .3pt solid #9aa5b1; padding-top: .8mm; font-weight: bold; color: #1c2126; }
        .box p.cut { margin: 1mm 0 0; font-size: 7pt; color: #777; }
        p.terms { margin: 4mm 0 0; font-size: 8.5pt; }
        footer { position: running(footer); font-size: 7.5pt; line-height: 1.4; color: #555; border-top: .4pt solid #9aa5b1; padding-top: 2mm; }
        </style>
        </head>
        <body>
        <footer>{{seller.name}}{{#seller.street}} · {{seller.street}}{{/seller.street}}{{#seller.place}} · {{seller.place}}{{/seller.place}}{{#seller.country}} · {{seller.country}}{{/seller.country}}{{#seller.vat_number}} · {{word.vat_number}} {{seller.vat_number}}{{/seller.vat_number}}{{#seller.registration}} · {{seller.registration}}{{/seller.registration}}{{#note}}<br>{{note}}{{/note}}</footer>
        <table class="frame head"><tr><td class="name">{{seller.name}}</td>
        <td class="contact">{{#seller.street}}{{seller.street}}<br>{{/seller.street}}{{#seller.place}}{{seller.place}}{{#seller.country}}, {{seller.country}}{{/seller.country}}<br>{{/seller.place}}{{#seller.email}}{{seller.email}}{{/seller.email}}{{#seller.phone}} · {{seller.phone}}{{/seller.phone}}</td></tr></table>
        <table class="frame top"><tr><td><div class="address"><div class="back">{{seller.name}}{{#seller.street}} · {{seller.street}}{{/seller.street}}{{#seller.place}} · {{seller.place}}{{/seller.place}}</div>{{#buyer}}{{line}}<br>{{/buyer}}{{#buyer.vat_number}}{{word.vat_number}} {{buyer.vat_number}}{{/buyer.vat_number}}</div></td>
        <td class="right"><table class="facts">
        <tr><th>{{word.number}}</th><td>{{number}}</td></tr>
        <tr><th>{{word.issued}}</th><td>{{issued_on}}</td></tr>
        {{#due_on}}<tr><th>{{word.due}}</th><td>{{due_on}}</td></tr>
        {{/due_on}}<tr><th>{{word.period}}</th><td>{{period_from}}<br>{{word.to}} {{period_to}}</td></tr>
        {{#customer_number}}<tr><th>{{word.customer_number}}</th><td>{{customer_number}}</td></tr>
        {{/customer_number}}</table></td></tr></table>
        <h1>{{title}} <span>{{number}}</span></h1>
        {{#credited_number}}<p>{{word.credits}} {{credited_number}}, {{credited_on}}.{{#reason}} {{word.reason}}: {{reason}}{{/reason}}</p>
        {{/credited_number}}<table class="lines">
        <thead><tr><th>{{word.description}}</th><th class="figure">{{word.quantity}}</th><th class="figure">{{word.duration}}</th><th class="figure">{{word.amount}}</th></tr></thead>
        <tbody>
        {{#sections}}<tr class="section"><td colspan="3">{{name}}</td><td class="figure">{{sum}}</td></tr>
        {{#lines}}<tr><td>{{description}}</td><td class="figure">{{quantity}}</td><td class="figure">{{duration}}</td><td class="figure">{{amount}}</td></tr>
        {{/lines}}{{/sections}}</tbody>
        </table>
        <table class="totals">
        <tr><td>{{word.net}}</td><td>{{net}}</td></tr>
        {{#taxes}}<tr><td>{{word.vat}} {{rate}} {{word.on}} {{taxable}}</td><td>{{tax}}</td></tr>
        {{/taxes}}<tr class="sum"><td>{{word.total}}</td><td>{{total}}</td></tr>
        {{#prepaid}}<tr><td>{{word.prepaid}}</td><td>{{prepaid}}</td></tr>
        {{/prepaid}}{{#due_on}}<tr class="due"><td>{{word.payable}}</td><td>{{payable}}</td></tr>
        {{/due_on}}</table>
        {{#exemption_reason}}<p class="terms">{{exemption_reason}}</p>
        {{/exemption_reason}}{{#payment_terms}}<p class="terms">{{payment_terms}}</p>
        {{/payment_terms}}<table class="frame boxes"><tr>
        {{#account}}<td class="half"><div class="box"><h2>{{word.account}}</h2><table>
        <tr><th>{{word.opening}}</th><td class="figure">{{opening}}</td></tr>
        <tr><th>{{word.payments}}</th><td class="figure">{{payments}}</td></tr>
        <tr><th>{{word.charges}}</th><td class="figure">{{charges}}</td></tr>
        <tr class="last"><th>{{word.closing}}</th><td class="figure">{{closing}}</td></tr>
        </table><p class="cut">{{word.cut}} {{sequence}}</p></div></td>
        {{/account}}{{#bank}}<td class="half"><div class="box"><h2>{{word.pay_to}}</h2><table>
        <tr><td colspan="2">{{seller.name}}</td></tr>
        <tr><th>IBAN</th><td>{{seller.iban}}</td></tr>
        {{#seller.bic}}<tr><th>BIC</th><td>{{seller.bic}}</td></tr>
        {{/seller.bic}}{{#seller.bank}}<tr><th>{{word.bank}}</th><td>{{seller.bank}}</td></tr>
        {{/seller.bank}}<tr><th>{{word.reference}}</th><td>{{number}}</td></tr>
        </table></div></td>
        {{/bank}}{{^bank}}<td class="half"></td>{{/bank}}</tr></table>
        </body>
        </html>

        """

    /// The built-in template of layout 2: that of layout 1 with a column of VAT, and the breakdown with its reasons. Never edited either.
    package static let builtInWithTaxedLines: String = {
        let changes: [(from: String, to: String)] = [
            (".lines th:first-child { width: 52%; }", ".lines th:first-child { width: 46%; }"),
            (
                "<th class=\"figure\">{{word.duration}}</th><th class=\"figure\">{{word.amount}}</th>",
                "<th class=\"figure\">{{word.duration}}</th><th class=\"figure\">{{word.vat}}</th><th class=\"figure\">{{word.amount}}</th>"
            ),
            ("<td colspan=\"3\">{{name}}</td>", "<td colspan=\"4\">{{name}}</td>"),
            (
                "<td class=\"figure\">{{duration}}</td><td class=\"figure\">{{amount}}</td>",
                "<td class=\"figure\">{{duration}}</td><td class=\"figure\">{{vat}}</td><td class=\"figure\">{{amount}}</td>"
            ),
            ("<tr><td>{{word.vat}} {{rate}} {{word.on}} {{taxable}}</td>", "<tr><td>{{word.vat}} {{name}} {{word.on}} {{taxable}}</td>"),
            (
                "{{#exemption_reason}}<p class=\"terms\">{{exemption_reason}}</p>\n{{/exemption_reason}}",
                "{{#reasons}}<p class=\"terms\">{{category}}: {{reason}}</p>\n{{/reasons}}"
            ),
        ]
        return changes.reduce(builtIn) { $0.replacing($1.from, with: $1.to) }
    }()
}

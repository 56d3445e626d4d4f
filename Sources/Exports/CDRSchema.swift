/// The document of our own layout, made of the columns themselves.
package enum CDRSchema {
    package static var columnNames: [String] { CDRColumn.all.map(\.name) }

    package static var markdown: String {
        var text = """
            # The schema of our own CDR files

            Made by `ledgerline cdr schema` from the code (version \(CDRColumn.version)); a test fails when this page is stale. CSV has the columns in this order, under a
            line with their names; JSON Lines has one object a line with members of the same names. A column is only ever added, at the end.

            | type | CSV | JSON |
            | --- | --- | --- |
            | text | as it is; with `guard_formulas`, text that begins with `=`, `+`, `-`, `@`, tab or CR gets an apostrophe before it | string, as it is |
            | word | one of a fixed list | string |
            | integer | digits | number |
            | decimal | two to six decimals, a minus before negative ones; no thousands separator | string |
            | time | RFC 3339 in UTC with microseconds | string or null |
            | id | UUID | string or null |
            | json | JSON in one field | array |

            | # | column | type | meaning |
            | --- | --- | --- | --- |

            """
        for (index, column) in CDRColumn.all.enumerated() {
            text += "| \(index + 1) | `\(column.name)` | \(column.kind.rawValue) | \(column.about) |\n"
        }
        return text
    }
}

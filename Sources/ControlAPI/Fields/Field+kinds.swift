import Foundation
import Model
import Primitives

// The kinds of members that entities have. `about` is what the API's document says of the member.
extension Field {
    static func id(_ path: Path<Data>, access: Access = .readOnly) -> Field {
        reference("id", path, access: access, "Given by the platform.")
    }

    /// The id of another entity. Empty is null.
    static func reference(
        _ name: String, _ path: Path<Data>, access: Access = .readWrite,
        isRequired: Bool = false, _ about: String
    ) -> Field {
        Field(
            name, path, access, isRequired: isRequired, schema: isRequired ? Schema.uuid : Schema.orNull(Schema.uuid),
            about: about,
            read: { entity, _ in UUIDv7(bytes: entity[keyPath: path]).map { .string($0.description) } ?? .null },
            write: { value, entity, _, pointer, faults in
                guard let text = value.text, let id = UUIDv7(text) else { return faults.add(pointer, "must be a UUID") }
                entity[keyPath: path] = Data(id.bytes)
            })
    }

    static func text(
        _ name: String, _ path: Path<String>, access: Access = .readWrite,
        isRequired: Bool = false, max: Int = 128, _ about: String
    ) -> Field {
        Field(
            name, path, access, isRequired: isRequired, schema: Schema.text(max: max), about: about,
            read: { entity, _ in .string(entity[keyPath: path]) },
            write: { value, entity, _, pointer, faults in
                guard let text = checked(value, max: max, pointer, &faults) else { return }
                guard !isRequired || !text.isEmpty else { return faults.add(pointer, "must not be empty") }
                entity[keyPath: path] = text
            })
    }

    /// Ids of other entities, in an order that counts.
    static func references(_ name: String, _ path: Path<[Data]>, max: Int, _ about: String) -> Field {
        Field(
            name, path, .readWrite, isRequired: false, schema: Schema.list(Schema.uuid, max: max), about: about,
            read: { entity, _ in .array(entity[keyPath: path].map { JSON.id($0) }) },
            write: { value, entity, _, pointer, faults in
                guard let items = items(value, max: max, pointer, &faults) else { return }
                entity[keyPath: path] = items.enumerated().compactMap { index, item in
                    guard let text = item.text, let id = UUIDv7(text) else {
                        faults.add(pointer.appending(index), "must be a UUID")
                        return nil
                    }
                    return Data(id.bytes)
                }
            })
    }

    /// Set, and never shown.
    static func secret(_ name: String, _ path: Path<String>, _ about: String) -> Field {
        Field(
            name, path, .writeOnly, isRequired: false, schema: ["type": "string", "maxLength": 128, "format": "password"], about: about,
            read: { _, _ in .null },
            write: { value, entity, _, pointer, faults in
                if let text = checked(value, max: 128, pointer, &faults) { entity[keyPath: path] = text }
            })
    }

    static func texts(
        _ name: String, _ path: Path<[String]>, max: Int, _ about: String
    ) -> Field {
        Field(
            name, path, .readWrite, isRequired: false, schema: Schema.list(Schema.text(max: 128), max: max),
            about: about,
            read: { entity, _ in .array(entity[keyPath: path].map(JSON.string)) },
            write: { value, entity, _, pointer, faults in
                guard let items = items(value, max: max, pointer, &faults) else { return }
                entity[keyPath: path] = items.enumerated().compactMap { index, item in
                    checked(item, max: 128, pointer.appending(index), &faults)
                }
            })
    }

    static func choice<Choice: Literal>(
        _ name: String, _ path: Path<Choice>, access: Access = .readWrite,
        isRequired: Bool = false, _ about: String
    ) -> Field {
        Field(
            name, path, access, isRequired: isRequired, schema: Schema.choice(Choice.literals), about: about,
            read: { entity, _ in .string(entity[keyPath: path].literal) },
            write: { value, entity, _, pointer, faults in
                guard let word = value.text, let choice = Choice(literal: word) else {
                    return faults.add(pointer, "must be one of " + Choice.literals.joined(separator: ", "))
                }
                entity[keyPath: path] = choice
            })
    }

    static func integer(
        _ name: String, _ path: Path<UInt32>, access: Access = .readWrite, _ range: ClosedRange<UInt32>,
        isRequired: Bool = false, _ about: String
    ) -> Field {
        Field(
            name, path, access, isRequired: isRequired, schema: Schema.integer(range), about: about,
            read: { entity, _ in .integer(entity[keyPath: path]) },
            write: { value, entity, _, pointer, faults in
                guard let number = value.integer(as: UInt32.self), range.contains(number) else {
                    return faults.add(pointer, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
                }
                entity[keyPath: path] = number
            })
    }

    /// Percent with at most two decimals, kept in hundredths.
    static func percent(_ name: String, _ path: Path<UInt32>, _ about: String) -> Field {
        Field(
            name, path, .readWrite, isRequired: false, schema: Schema.decimal, about: about,
            read: { entity, _ in .string(Decimal.text(micros: Int64(entity[keyPath: path]) * 10_000)) },
            write: { value, entity, _, pointer, faults in
                guard let text = value.text, let micros = try? Decimal.micros(text), (0...100_000_000).contains(micros),
                    micros % 10_000 == 0
                else { return faults.add(pointer, "must be a decimal number from 0 to 100 in a string, with at most two decimals") }
                entity[keyPath: path] = UInt32(micros / 10_000)
            })
    }

    static func flag(
        _ name: String, _ path: Path<Bool>, access: Access = .readWrite, _ about: String
    ) -> Field {
        Field(
            name, path, access, isRequired: false, schema: Schema.flag, about: about,
            read: { entity, _ in .bool(entity[keyPath: path]) },
            write: { value, entity, _, pointer, faults in
                guard let flag = value.flag else { return faults.add(pointer, "must be true or false") }
                entity[keyPath: path] = flag
            })
    }

    /// An amount with its currency, which has to be the entity's.
    static func money(
        _ name: String, _ path: Path<Int64>, _ about: String
    ) -> Field {
        Field(
            name, path, .readWrite, isRequired: false, schema: Schema.money, about: about,
            read: { entity, context in context.amount(micros: entity[keyPath: path]) },
            write: { value, entity, context, pointer, faults in
                guard let money = Money(value, pointer, &faults) else { return }
                if let expected = context.currency, money.currency != expected {
                    return faults.add(pointer.appending("currency"), "must be \(expected)")
                }
                entity[keyPath: path] = money.micros
            })
    }

    /// A decimal number in the currency that the surrounding object names.
    static func decimal(
        _ name: String, _ path: Path<Int64>, _ about: String
    ) -> Field {
        Field(
            name, path, .readWrite, isRequired: false, schema: Schema.decimal, about: about,
            read: { entity, _ in .string(Decimal.text(micros: entity[keyPath: path])) },
            write: { value, entity, _, pointer, faults in
                guard let text = value.text else { return faults.add(pointer, MoneyError.malformed("").reason) }
                do throws(MoneyError) {
                    entity[keyPath: path] = try Decimal.micros(text)
                } catch {
                    faults.add(pointer, error.reason)
                }
            })
    }

    static func time(
        _ name: String, _ path: Path<Int64>, access: Access = .readWrite,
        _ about: String
    ) -> Field {
        Field(
            name, path, access, isRequired: false, schema: Schema.orNull(Schema.time), about: about,
            read: { entity, _ in JSON.time(microseconds: entity[keyPath: path]) },
            write: { value, entity, _, pointer, faults in
                guard let text = value.text, let time = WallTime(rfc3339: text) else {
                    return faults.add(pointer, "must be a time by RFC 3339, such as 2026-11-21T05:04:16Z")
                }
                entity[keyPath: path] = time.microseconds
            })
    }

    static func list<Item: Blank>(
        _ name: String, _ path: Path<[Item]>, of shape: Shape<Item>, max: Int,
        isRequired: Bool = false, _ about: String
    ) -> Field {
        Field(
            name, path, .readWrite, isRequired: isRequired,
            schema: Schema.list(Schema.reference(shape.name), max: max), about: about,
            read: { entity, context in .array(entity[keyPath: path].map { shape.json($0, context) }) },
            write: { value, entity, context, pointer, faults in
                guard let items = items(value, max: max, pointer, &faults) else { return }
                entity[keyPath: path] = items.enumerated().map { index, item in
                    shape.new(item, context, at: pointer.appending(index), &faults)
                }
            })
    }

    /// Free names and values, in the order of the names.
    static func attributes(
        _ name: String, _ path: Path<[String: String]>, max: Int, _ about: String
    ) -> Field {
        Field(
            name, path, .readWrite, isRequired: false,
            schema: ["type": "object", "additionalProperties": Schema.text(max: 128), "maxProperties": .integer(max)],
            about: about,
            read: { entity, _ in
                let sorted = entity[keyPath: path].sorted { $0.key < $1.key }
                return .object(sorted.map { JSON.Member($0.key, .string($0.value)) })
            },
            write: { value, entity, _, pointer, faults in
                guard let members = value.members else { return faults.add(pointer, "must be an object") }
                guard members.count <= max else { return faults.add(pointer, "must have at most \(max) members") }
                var attributes: [String: String] = [:]
                for member in members {
                    attributes[member.name] = checked(member.value, max: 128, pointer.appending(member.name), &faults)
                }
                entity[keyPath: path] = attributes
            })
    }
}

extension JSON {
    /// RFC 3339 in UTC; 0 is "not yet", null.
    static func time(microseconds: Int64) -> JSON {
        microseconds == 0 ? .null : .string(WallTime(microseconds: microseconds).rfc3339)
    }

    static func hex(_ bytes: Data) -> JSON { .string(Primitives.hex(bytes)) }

    /// The id in 16 bytes of a message; null for an empty one.
    static func id(_ bytes: Data) -> JSON { UUIDv7(bytes: bytes).map { .string($0.description) } ?? .null }
}

extension Money {
    /// `{"amount": "12.50", "currency": "EUR"}`
    init?(_ value: JSON, _ pointer: JSONPointer, _ faults: inout FieldFaults) {
        guard let members = value.members, let amount = value["amount"]?.text, let code = value["currency"]?.text,
            members.count == 2
        else {
            faults.add(pointer, "must be an object with amount and currency, both strings")
            return nil
        }
        guard let currency = Currency(code) else {
            faults.add(pointer.appending("currency"), MoneyError.unknownCurrency(code).reason)
            return nil
        }
        do throws(MoneyError) {
            try self.init(parsing: amount, currency)
        } catch {
            faults.add(pointer.appending("amount"), error.reason)
            return nil
        }
    }
}

private func checked(_ value: JSON, max: Int, _ pointer: JSONPointer, _ faults: inout FieldFaults) -> String? {
    guard let text = value.text else {
        faults.add(pointer, "must be a string")
        return nil
    }
    guard text.count <= max else {
        faults.add(pointer, "must have at most \(max) characters, it has \(text.count)")
        return nil
    }
    return text
}

private func items(_ value: JSON, max: Int, _ pointer: JSONPointer, _ faults: inout FieldFaults) -> [JSON]? {
    guard let items = value.items else {
        faults.add(pointer, "must be an array")
        return nil
    }
    guard items.count <= max else {
        faults.add(pointer, "must have at most \(max) items, it has \(items.count)")
        return nil
    }
    return items
}

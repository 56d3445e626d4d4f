import Foundation
public import Model

extension User: PersonalRecord {
    public static var mark: UInt8 { 20 }

    public mutating func withdraw() -> (first: User, second: User) {
        var part = User()
        for field in [\User.email, \.name] { move(field, "", from: &self, to: &part) }
        move(\.sealedSecret, Data(), from: &self, to: &part)
        return (part, User())
    }
}

/// A letter's address belongs to the user that it is for, or to the one that somebody has asked to become.
extension Letter: PersonalRecord {
    public static var mark: UInt8 { 21 }

    public mutating func withdraw() -> (first: Letter, second: Letter) {
        var part = Letter()
        for field in [\Letter.to, \.name] { move(field, "", from: &self, to: &part) }
        return (part, Letter())
    }
}

import ControlPlane
import Model

/// A subscriber as a client writes it: with the password that becomes its credential. Nothing reads it back.
struct SubscriberDraft: Blank {
    var entity = Subscriber()
    var password: Password?

    init() {}

    init(_ entity: Subscriber) { self.entity = entity }
}

extension Field<SubscriberDraft> {
    static func password(_ path: Path<Password?>) -> Field {
        Field(
            "password", path, .writeOnly, isRequired: true,
            schema: ["type": "string", "minLength": 8, "maxLength": 128, "format": "password"],
            about: "For digest authentication. It is kept as a sealed hash, and never shown.",
            read: { _, _ in .null },
            write: { value, draft, _, pointer, faults in
                guard let text = value.text else { return faults.add(pointer, "must be a string") }
                draft[keyPath: path] = Password(text)
            })
    }
}

import ControlPlane
import Foundation
import Ledger
import Mail
import Model
import OpenSSL
import Primitives
import Projections
import Testing

@testable import ControlAPI

/// A platform that people sign up at, with a mail server.
private struct Office: Sendable {
    let sink: MailSink
    let platform: TestPlatform
    let api: Platform

    init(_ sink: MailSink, providers: IdentityRules.SignUp = .open, mailLeavesByItself: Bool = true, _ change: (inout MailServer) -> Void = { _ in }) throws {
        self.sink = sink
        var server = MailServer(host: "127.0.0.1", port: sink.port, encryption: .none, from: "noreply@platform.example")
        change(&server)
        platform = try TestPlatform { configuration in
            configuration.mail = MailSettings(server: server, publicURL: "https://console.example/")
            configuration.mailLeavesByItself = mailLeavesByItself
            configuration.settings.identity.providers = providers
        }
        var api = Platform(platform.service)
        // A guess has to cost nothing here.
        api.identity?.cost = Scrypt(cost: 4, blockSize: 8, parallel: 1)
        api.throttle = Throttle { _ in 10_000 }
        self.api = api
    }

    func open(_ body: @Sendable (Client) async throws -> Void) async throws { try await TestPlatform.with(platform, api, body) }

    /// Everything that is due at a time, on a thread that may wait.
    func sendMail(at time: WallTime) async {
        let mail = platform.service.mail
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                mail?.pass(at: time)
                continuation.resume()
            }
        }
    }

    var due: [LetterState] {
        get throws {
            try platform.service.views.read { views throws(ViewsError) in
                try views.letters(dueBy: WallTime(microseconds: .max), limit: 100)
            }
        }
    }
}

private func provider(_ token: String, _ namespace: String = "kages.example") -> JSON {
    [
        "token": .string(token), "name": "Anna Muster", "password": "a long enough one", "organisation": "Kages", "namespace": .string(namespace),
        "currency": "EUR", "time_zone": "Europe/Vienna", "phone": "+43 1 1", "street": "Ring 1", "postal_code": "1010", "city": "Wien",
        "country": "AT", "theme_product_name": "Kages Cloud", "theme_logo_url": "https://kages.example/logo.png",
        "theme_primary_color": "#aa0011",
    ]
}

extension Client {
    fileprivate func logIn(_ email: String, _ password: String, code: String = "") async throws -> Answer {
        try await with(nil).post("/v1/sessions", ["email": .string(email), "password": .string(password), "code": .string(code)])
    }

    fileprivate func logged(in email: String, _ password: String, code: String = "") async throws -> Client {
        let answer = try await logIn(email, password, code: code)
        return with(try #require(answer["secret"]?.text, "\(answer.text)"))
    }

    /// A provider that has signed up, and its first user.
    fileprivate func signedUp(_ sink: MailSink, _ email: String, _ namespace: String) async throws -> Client {
        let asked = try await with(nil).post("/v1/sign-up", ["email": .string(email)])
        try #require(asked.status == 202, "\(asked.text)")
        let mail = try #require(try await sink.next())
        let made = try await with(nil).post("/v1/sign-up/confirm", provider(mail.token, namespace))
        try #require(made.status == 201, "\(made.text)")
        return try await logged(in: email, "a long enough one")
    }
}

@Suite struct SignUpTests {
    @Test func somebodyBecomesAProviderByMail() async throws {
        let office = try Office(try await MailSink())
        try await office.open { client in
            let nobody = client.with(nil)
            let asked = try await nobody.post("/v1/sign-up", ["email": "Anna@Kages.example"])
            #expect(asked.status == 202, "\(asked.text)")
            let mail = try #require(try await office.sink.next())
            #expect(mail.to == "anna@kages.example")
            #expect(mail.sender == "noreply@platform.example")
            #expect(mail.header("From") == "Ledgerline <noreply@platform.example>")
            #expect(mail.bodies.count == 2)
            #expect(mail.bodies[0].contains("https://console.example/sign-up#token="))

            // Whatever cannot be leaves the link as it was.
            for (field, value) in [
                ("namespace", "no spaces.example"), ("currency", "euro"), ("country", "Austria"), ("password", "short"), ("theme_primary_color", "red"),
                ("theme_logo_url", "javascript:alert(1)"), ("name", ""),
            ] as [(String, JSON)] {
                guard case .object(let members) = provider(mail.token) else { return }
                let body = JSON.object(members.map { $0.name == field ? JSON.Member(field, value) : $0 })
                let answer = try await nobody.post("/v1/sign-up/confirm", body)
                #expect(answer.places == ["/" + field], "\(field): \(answer.text)")
            }
            #expect(try await nobody.post("/v1/sign-up/confirm", provider(String(repeating: "0", count: 64))).places == ["/token"])

            let made = try await nobody.post("/v1/sign-up/confirm", provider(mail.token))
            try #require(made.status == 201, "\(made.text)")
            #expect(made["role"] == "provider_admin")
            #expect(made["status"] == "active")
            let log = office.platform.service.log
            let first = try #require(try (1...log.head).first { try log.event(at: $0)?.type == "provider.created" })
            let events = try (first..<first + 4).map { try #require(try log.event(at: $0)) }
            #expect(events.map(\.type) == ["provider.created", "contact.created", "user.created", "letter.used"])
            // One commit, and nothing of the tries before.
            #expect(Set(events.map(\.cause)).count == 1)
            let again = try await nobody.post("/v1/sign-up/confirm", provider(mail.token, "other.example"))
            #expect(again.places == ["/token"])
            #expect(again.text.contains("used"))

            let anna = try await client.logged(in: "anna@kages.example", "a long enough one")
            let own = try await anna.get("/v1/users/self")
            #expect(own["name"] == "Anna Muster")
            let scope = try #require(made["scope_id"]?.text)
            let party = try await anna.get("/v1/providers/\(scope)")
            #expect(party["namespace"] == "kages.example")
            #expect(party["theme_product_name"] == "Kages Cloud")
            let contact = try await anna.get("/v1/contacts/\(party["contact_id"]?.text ?? "")")
            #expect(contact["street"] == "Ring 1")
            #expect(contact["email"] == "anna@kages.example")
            #expect(try await anna.get("/v1/providers")["items"]?.items?.count == 1)
            #expect(try await anna.delete("/v1/sessions/self").status == 204)
            #expect(try await anna.get("/v1/users/self").status == 401)

            // Neither the address nor the name, the password or the link is in the log.
            for sequence in 1...office.platform.service.log.head {
                let event = try #require(try office.platform.service.log.event(at: sequence))
                let text = String(decoding: event.payload, as: UTF8.self)
                for word in ["anna", "Anna", "long enough", String(mail.token.suffix(32))] { #expect(!text.contains(word), "\(event.type)") }
            }
        }
    }

    @Test func whoHasAnAccountIsToldByMailAndNobodyElseIs() async throws {
        let office = try Office(try await MailSink())
        try await office.open { client in
            _ = try await client.signedUp(office.sink, "anna@kages.example", "kages.example")
            let again = try await client.with(nil).post("/v1/sign-up", ["email": "anna@kages.example"])
            #expect(again.status == 202)
            #expect(again.text.isEmpty)
            let mail = try #require(try await office.sink.next())
            #expect(mail.bodies[0].contains("has an account already"))
            #expect(!mail.bodies[0].contains("#token="))
            // A reset for nobody looks the same, and nothing is sent: the next mail is somebody's.
            #expect(try await client.with(nil).post("/v1/password-resets", ["email": "nobody@kages.example"]).status == 202)
            #expect(try await client.with(nil).post("/v1/password-resets", ["email": "anna@kages.example"]).status == 202)
            #expect(try await office.sink.next()?.bodies[0].contains("set a new password") == true)
            for email in ["x", "", "a b@example.net", "a@b.example\r\nBcc: c@d.example"] {
                #expect(try await client.with(nil).post("/v1/sign-up", ["email": .string(email)]).status == 422, "\(email)")
            }
        }
    }

    @Test func providersTakeCustomersUnderTheirOwnName() async throws {
        let office = try Office(try await MailSink(), providers: .closed)
        try await office.open { client in
            let nobody = client.with(nil)
            #expect(try await nobody.post("/v1/sign-up", ["email": "x@example.net"]).status == 403)
            let estate = try await Estate(client, name: "alpha", digits: "4311001")
            let body: JSON = ["email": "carl@example.net", "namespace": "alpha.example"]
            #expect(try await nobody.post("/v1/sign-up", body).status == 403)
            _ = try await client.patch("/v1/service-plans/\(estate.plan)", ["is_offered": true])
            _ = try await client.patch(
                "/v1/providers/\(estate.provider)",
                [
                    "theme_product_name": "Alpha Phones", "theme_primary_color": "#00aa00", "mail_reply_to": "help@alpha.example",
                    "public_url": "https://my.alpha.example",
                ])
            let offers = try await nobody.get("/v1/sign-up/offers?namespace=alpha.example")
            #expect(offers["is_open"] == true, "\(offers.text)")
            #expect(offers["product_name"] == "Alpha Phones")
            #expect(offers["plans"]?[0]?["id"]?.text == estate.plan)
            #expect(try await nobody.post("/v1/sign-up", body).status == 202)
            let mail = try #require(try await office.sink.next())
            #expect(mail.header("From") == "Alpha Phones <noreply@platform.example>")
            #expect(mail.header("Reply-To") == "<help@alpha.example>")
            #expect(mail.bodies[0].contains("https://my.alpha.example/sign-up#token="))
            #expect(mail.bodies[1].contains("#00aa00"))
            func form(_ plan: String) -> JSON {
                ["token": .string(mail.token), "name": "Carl", "password": "a long enough one", "plan_id": .string(plan), "city": "Graz"]
            }
            let wrong = try await nobody.post("/v1/sign-up/confirm", form(estate.provider))
            #expect(wrong.places == ["/service_plan_id"], "\(wrong.text)")
            let made = try await nobody.post("/v1/sign-up/confirm", form(estate.plan))
            try #require(made.status == 201, "\(made.text)")
            #expect(made["role"] == "customer_admin")
            let carl = try await client.logged(in: "carl@example.net", "a long enough one")
            let customers = try await carl.get("/v1/customers")
            #expect(customers["items"]?.items?.count == 1)
            #expect(customers["items"]?[0]?["name"] == "Carl")
        }
    }

    @Test func aPasswordIsSetAnewByMailOnce() async throws {
        let office = try Office(try await MailSink())
        try await office.open { client in
            let anna = try await client.signedUp(office.sink, "anna@kages.example", "kages.example")
            let nobody = client.with(nil)
            var tokens: [String] = []
            for _ in 0..<2 {
                #expect(try await nobody.post("/v1/password-resets", ["email": "anna@kages.example"]).status == 202)
                tokens.append(try #require(try await office.sink.next()).token)
            }
            #expect(tokens[0] != tokens[1])
            let short = try await nobody.post("/v1/password-resets/confirm", ["token": .string(tokens[0]), "password": "short"])
            #expect(short.places == ["/password"])
            let set = try await nobody.post("/v1/password-resets/confirm", ["token": .string(tokens[0]), "password": "another long one"])
            #expect(set.status == 204, "\(set.text)")
            #expect(try await office.sink.next()?.bodies[0].contains("was changed") == true)
            // The other link, and sessions of before, are void.
            for token in tokens {
                let late = try await nobody.post("/v1/password-resets/confirm", ["token": .string(token), "password": "a third long one"])
                #expect(late.places == ["/token"])
            }
            #expect(try await anna.get("/v1/users/self").status == 401)
            #expect(try await client.logIn("anna@kages.example", "a long enough one").status == 401)
            let back = try await client.logged(in: "anna@kages.example", "another long one")
            let wrong = try await back.post("/v1/users/self/password", ["old_password": "x", "password": "a fourth long one"])
            #expect(wrong.places == ["/old_password"])
            #expect(try await back.post("/v1/users/self/password", ["old_password": "another long one", "password": "a fourth long one"]).status == 204)
            #expect(try await back.get("/v1/users/self").status == 401)
            #expect(try await client.logIn("anna@kages.example", "a fourth long one").status == 201)
        }
    }

    @Test func guessesLockAUserOutAndTellNothing() async throws {
        let office = try Office(try await MailSink())
        try await office.open { client in
            _ = try await client.signedUp(office.sink, "anna@kages.example", "kages.example")
            let unknown = try await client.logIn("nobody@kages.example", "a long enough one")
            for _ in 0..<5 {
                let wrong = try await client.logIn("anna@kages.example", "not the one at all")
                #expect(wrong.status == 401)
                #expect(wrong["detail"] == unknown["detail"])
            }
            // What was sent is recorded.
            await office.sendMail(at: .now)
            let head = office.platform.service.log.head
            // The right one is refused, too, and nothing is recorded any more.
            let locked = try await client.logIn("anna@kages.example", "a long enough one")
            #expect(locked.status == 401)
            #expect(locked["detail"] == unknown["detail"])
            #expect(office.platform.service.log.head == head)
            // Whoever reads the mail is the user.
            _ = try await client.with(nil).post("/v1/password-resets", ["email": "anna@kages.example"])
            let token = try #require(try await office.sink.next()).token
            _ = try await client.with(nil).post("/v1/password-resets/confirm", ["token": .string(token), "password": "another long one"])
            #expect(try await client.logIn("anna@kages.example", "another long one").status == 201)
        }
    }

    @Test func aSecondFactorIsAskedForAndNoCodeIsAcceptedTwice() async throws {
        let office = try Office(try await MailSink())
        try await office.open { client in
            let (email, password) = ("anna@kages.example", "a long enough one")
            let anna = try await client.signedUp(office.sink, email, "kages.example")
            let path = "/v1/users/self/second-factor"
            #expect(try await anna.post(path, ["old_password": "wrong wrong wrong"]).places == ["/old_password"])
            #expect(try await anna.post(path + "/confirm", ["code": "000000"]).status == 409)
            let offered = try await anna.post(path, ["old_password": .string(password)])
            #expect(offered["uri"]?.text?.contains(":anna%40kages.example?secret=") == true, "\(offered.text)")
            // Not in force yet.
            #expect(try await client.logIn(email, password).status == 201)
            let user = try #require(try office.platform.service.views.read { views throws(ViewsError) in try views.user(email: email) })
            let key = try #require(office.api.identity).secret(of: user).totpCandidate
            let totp = TOTP(key: Array(key))
            #expect(Base32.encode(totp.key) == offered["secret"]?.text)
            #expect(try await anna.post(path + "/confirm", ["code": "12345"]).places == ["/code"])
            // The clock goes on between two lines, by minutes where passwords are hashed on a busy machine: each code is made when it is
            // needed, the later ones as early as they are accepted.
            let now = TOTP.step(at: .now)
            let confirmed = try await anna.post(path + "/confirm", ["code": .string(totp.code(step: now))])
            let codes = (confirmed["recovery_codes"]?.items ?? []).compactMap(\.text)
            #expect(codes.count == 10, "\(confirmed.text)")

            let asked = try await client.logIn(email, password)
            #expect(asked.status == 401)
            #expect(asked.places == ["/code"])
            #expect(try await client.logIn(email, password, code: totp.code(step: now)).status == 401)
            let next = totp.code(step: TOTP.step(at: .now) + 1)
            let entered = try await client.logged(in: email, password, code: next)
            #expect(try await client.logIn(email, password, code: next).status == 401)
            // A recovery code lets in once.
            #expect(try await client.logIn(email, password, code: codes[3].uppercased()).status == 201)
            #expect(try await client.logIn(email, password, code: codes[3]).status == 401)
            #expect(try await entered.post(path + "/remove", ["code": .string(codes[3])]).places == ["/code"])
            #expect(try await entered.post(path + "/remove", ["code": .string(codes[4])]).status == 204)
            #expect(try await client.logIn(email, password).status == 201)
        }
    }

    @Test func administratorsInviteBelowThemselves() async throws {
        let office = try Office(try await MailSink())
        try await office.open { client in
            let estate = try await Estate(client, name: "alpha", digits: "4311001")
            let boss = try await client.token("boss", role: "provider_admin", scope: estate.provider)
            func user(_ email: String, _ role: String, _ scope: String?) -> JSON {
                ["email": .string(email), "name": "Berta", "role": .string(role), "scope_id": scope.map(JSON.string) ?? .null]
            }
            #expect(try await boss.post("/v1/users", user("x@example.net", "platform_admin", nil)).status == 403)
            #expect(try await boss.post("/v1/users", user("x@example.net", "customer_admin", estate.provider)).status == 422)
            let made = try await boss.post("/v1/users", user("Berta@example.net", "customer_admin", estate.customer))
            try #require(made.status == 201, "\(made.text)")
            #expect(made["email"] == "berta@example.net")
            #expect(try await boss.post("/v1/users", user("berta@example.net", "billing", estate.provider)).status == 409)
            let mail = try #require(try await office.sink.next())
            #expect(mail.header("Subject")?.contains("invited") == true)
            #expect(try await client.logIn("berta@example.net", "a long enough one").status == 401)
            let set = try await client.with(nil).post("/v1/password-resets/confirm", ["token": .string(mail.token), "password": "a long enough one"])
            #expect(set.status == 204, "\(set.text)")
            let berta = try await client.logged(in: "berta@example.net", "a long enough one")
            #expect(try await berta.get("/v1/customers")["items"]?.items?.count == 1)
            #expect(try await boss.get("/v1/users?customer_id=\(estate.customer)")["items"]?.items?.count == 1)
            // Locked, then gone: logged out at once.
            #expect(try await boss.patch("/v1/users/\(made.id)", ["status": "locked"]).status == 200)
            #expect(try await berta.get("/v1/users/self").status == 401)
            #expect(try await client.logIn("berta@example.net", "a long enough one").status == 401)
            #expect(try await boss.patch("/v1/users/\(made.id)", ["status": "active"]).status == 200)
            let back = try await client.logged(in: "berta@example.net", "a long enough one")
            #expect(try await client.post("/v1/subjects/\(made.id)/erase", ["reason": "asked for"]).status == 200)
            #expect(try await back.get("/v1/users/self").status == 401)
            #expect(try await boss.get("/v1/users/\(made.id)").status == 404)
            #expect(try await client.logIn("berta@example.net", "a long enough one").status == 401)
        }
    }

    @Test func mailThatIsNotTakenIsTriedAgainAsTheSameMessage() async throws {
        let office = try Office(try await MailSink(), mailLeavesByItself: false)
        try await office.open { client in
            try office.sink.reply("451 later")
            _ = try await client.with(nil).post("/v1/sign-up", ["email": "anna@kages.example"])
            await office.sendMail(at: .now)
            #expect(try await office.sink.next() == nil)
            let state = try #require(try office.due.first)
            #expect(state.attempts == 1)
            #expect(state.fault == "the mail server answers 451")
            let wait = WallTime(microseconds: state.dueAt) - WallTime(microseconds: state.letter.wantedAt)
            #expect(wait >= MailService.firstRetry)
            // Not before its time; then again, for twice as long.
            await office.sendMail(at: WallTime(microseconds: state.dueAt - 1))
            #expect(try office.due.first?.attempts == 1)
            await office.sendMail(at: WallTime(microseconds: state.dueAt))
            #expect(try await office.sink.next() == nil)
            let second = try #require(try office.due.first)
            #expect(second.attempts == 2)
            #expect(second.dueAt - state.dueAt == 60_000_000)
            try office.sink.reply("")
            await office.sendMail(at: WallTime(microseconds: second.dueAt))
            let mail = try #require(try await office.sink.next())
            let id = UUIDv7(bytes: second.letter.id)?.description ?? ""
            #expect(mail.header("Message-ID") == "<\(id).letter@platform.example>")
            #expect(try office.due.isEmpty)
            // For good: nobody is there.
            try office.sink.reply("550 anna@kages.example is unknown")
            _ = try await client.with(nil).post("/v1/sign-up", ["email": "anna@kages.example"])
            await office.sendMail(at: .now)
            #expect(try await office.sink.next() == nil)
            #expect(try office.due.isEmpty)
        }
    }

    @Test func mailGoesOverTLSOrNotAtAll() async throws {
        let sink = try await MailSink(isEncrypted: true)
        let trusted = try Office(sink) { server in
            server.encryption = .starttls
            server.authorities = sink.authorities
            (server.user, server.password) = ("ledgerline", "secret of the server")
        }
        try await trusted.open { client in
            _ = try await client.with(nil).post("/v1/sign-up", ["email": "anna@kages.example"])
            let mail = try #require(try await sink.next())
            #expect(mail.isEncrypted && mail.isLoggedIn)
        }
        for (change, words) in [
            ({ $0.encryption = .starttls }, "no safe connection"),
            ({
                $0.encryption = .starttls
                $0.authorities = sink.authorities
                ($0.user, $0.password) = ("ledgerline", "wrong")
            }, "refuses the user name"),
            ({ $0.encryption = .none }, "answers 530"),
        ] as [((inout MailServer) -> Void, String)] {
            let office = try Office(sink, change)
            try await office.open { client in
                _ = try await client.with(nil).post("/v1/sign-up", ["email": "anna@kages.example"])
                await office.sendMail(at: .now)
                let state = try #require(try office.platform.service.views.read { views throws(ViewsError) in
                    try views.letters(dueBy: WallTime(microseconds: .max), limit: 1).first
                } ?? nil, "\(words)")
                #expect(state.fault.contains(words), "\(state.fault)")
            }
        }
    }

    @Test func oneAddressAsksForALittleAlone() async throws {
        let throttle = Throttle()
        let now = WallTime.now
        for _ in 0..<4 { #expect(throttle.wait(.recipient, "anna@example.net", at: now) == nil) }
        #expect(throttle.wait(.recipient, "anna@example.net", at: now) == 900)
        #expect(throttle.wait(.recipient, "berta@example.net", at: now) == nil)
        #expect(throttle.wait(.recipient, "anna@example.net", at: now + .seconds(901)) == nil)
        for _ in 0..<20 { #expect(throttle.wait(.mail, "2001:db8::1", at: now) == nil) }
        #expect(throttle.wait(.mail, "2001:db8::2", at: now) != nil)
        #expect(throttle.wait(.mail, "2001:db8:0:1::2", at: now) == nil)
        // Without a mail server nobody waits for a mail that never comes.
        try await TestPlatform.with { client in
            let answer = try await client.with(nil).post("/v1/sign-up", ["email": "anna@kages.example"])
            #expect(answer.status == 503)
        }
    }

    @Test func aResellerSignsUpBelowAProviderThatTakesSome() async throws {
        let office = try Office(try await MailSink(), providers: .closed)
        try await office.open { client in
            let estate = try await Estate(client, name: "kages", digits: "4313001")
            let nobody = client.with(nil)
            func ask(_ kind: String) async throws -> Answer {
                try await nobody.post("/v1/sign-up", ["email": "rita@reseller.example", "namespace": "kages.example", "as": .string(kind), "language": "de"])
            }
            // Whoever is above decides who takes resellers: nobody, until then.
            #expect(try await ask("provider").status == 403)
            #expect(try await ask("emperor").places == ["/as"])
            #expect(try await nobody.post("/v1/sign-up", ["email": "a@b.example", "as": "provider"]).places == ["/namespace"])
            let own = try await client.token("own", role: "provider_admin", scope: estate.provider)
            #expect(try await own.patch("/v1/providers/\(estate.provider)", ["provider_sign_up": "open"]).status == 403)
            #expect(try await client.patch("/v1/providers/\(estate.provider)", ["provider_sign_up": "pending"]).status == 200)
            let deck = try await client.made("/v1/rate-decks", ["provider_id": .string(estate.provider), "name": "resale", "currency": "EUR"])
            #expect(try await nobody.get("/v1/sign-up/offers?namespace=kages.example&as=provider")["plans"]?.items?.isEmpty == true)
            // Offered later, by who owns it: what it counts in does not change.
            for body in [["currency": "USD"], ["decimals": 2]] as [JSON] {
                let refused = try await own.patch("/v1/rate-decks/\(deck)", body)
                #expect(refused.status == 422, "\(refused.text)")
            }
            #expect(try await own.patch("/v1/rate-decks/\(deck)", ["is_offered": true])["is_offered"] == true)
            let history = try await own.get("/v1/entities/\(deck)/history")
            #expect(history["items"]?.items?.contains { $0["type"] == "rate_deck.changed" } == true, "\(history.text)")
            let offers = try await nobody.get("/v1/sign-up/offers?namespace=kages.example&as=provider")
            #expect(offers["is_open"] == true && offers["plans"]?.items?.map { $0["id"]?.text } == [deck], "\(offers.text)")
            #expect(try await nobody.get("/v1/sign-up/offers?namespace=kages.example")["is_open"] == false)
            #expect(try await ask("provider").status == 202)
            let mail = try #require(try await office.sink.next())
            #expect(mail.to == "rita@reseller.example" && mail.bodies[0].contains("Anmeldung abzuschließen") && mail.header("From")?.hasPrefix("kages ") == true)

            guard case .object(let members) = provider(mail.token, "rita.example") else { return }
            func confirm(_ deck: JSON) async throws -> Answer { try await nobody.post("/v1/sign-up/confirm", .object(members + [JSON.Member("plan_id", deck)])) }
            #expect(try await confirm(.null).places.count == 1)
            let made = try await confirm(.string(deck))
            try #require(made.status == 201, "\(made.text)")
            #expect(made["role"] == "provider_admin" && made["status"] == "pending")
            let id = try #require(made["scope_id"]?.text)
            let reseller = try await client.get("/v1/providers/\(id)")
            #expect(reseller["parent_id"]?.text == estate.provider && reseller["wholesale_deck_id"]?.text == deck && reseller["provider_sign_up"] == "closed")
            // It sees itself, and is seen and activated from above.
            let rita = try await client.logged(in: "rita@reseller.example", "a long enough one")
            #expect(try await rita.get("/v1/providers")["items"]?.items?.compactMap { $0["id"]?.text } == [id])
            #expect(try await rita.get("/v1/providers/\(estate.provider)").status == 404)
            #expect(try await own.patch("/v1/providers/\(id)", ["status": "active"]).status == 200)
            // A link of one kind makes nothing of the other.
            #expect(try await client.patch("/v1/service-plans/\(estate.plan)", ["is_offered": true]).status == 200)
            #expect(try await nobody.post("/v1/sign-up", ["email": "carl@customer.example", "namespace": "kages.example"]).status == 202)
            let other = try #require(try await office.sink.next())
            #expect(try await nobody.post("/v1/sign-up/confirm", provider(other.token, "carl.example")).status == 422)
        }
    }
}

import ControlPlane
import HTTPTypes
import Hummingbird
import Ledger
import Primitives
import Projections

/// The earlier sequence that a request asks about.
///
/// Who asks is judged by the token as it is now; what is seen by it, by where things stood then.
struct Past: Sendable {
    let states: StateViews
    /// Prices are in force at a time: the one that was asked for, or that of the sequence's event.
    let time: WallTime
}

extension Past {
    /// nil: the request is about now.
    init?(_ query: Query, of platform: Platform) async throws {
        guard let moment = query.asOf else { return nil }
        do throws(PastError) {
            try await self.init(moment, of: platform)
        } catch {
            throw Problem(error)
        }
    }

    private init(_ moment: Moment, of platform: Platform) async throws(PastError) {
        let sequence = try moment.sequence(in: platform.log, now: .now)
        try await Self.wait(for: sequence, in: platform.views)
        self.init(
            states: try await platform.past.states(asOf: sequence),
            time: try Self.time(of: moment, at: sequence, in: platform.log))
    }

    /// What was recorded a moment ago is in the log before readers of the views see it.
    private static func wait(for sequence: UInt64, in views: Views) async throws(PastError) {
        for _ in 0..<40 {
            do throws(ViewsError) {
                guard try views.read({ views in views.applied }) < sequence else { return }
            } catch {
                throw .views(error)
            }
            try? await Task.sleep(for: .milliseconds(25))
        }
    }

    /// The time that was asked for, or that of the sequence's event.
    static func time(of moment: Moment, at sequence: UInt64, in log: any EventLog) throws(PastError) -> WallTime {
        switch moment {
        case .time(let time): return time
        case .sequence:
            do throws(LedgerError) {
                return try log.event(at: sequence)?.time ?? WallTime(microseconds: 0)
            } catch {
                throw .views(.log(error))
            }
        }
    }
}

extension Past? {
    /// With the sequence that answered.
    func marked(_ response: Response) -> Response {
        guard let past = self else { return response }
        var response = response
        response.headers[.asOf] = String(past.states.sequence)
        return response
    }
}

extension Problem {
    init(_ error: PastError) {
        switch error {
        case .beyondHead(let asked, let head):
            self = .asOf("sequence \(asked) is not there yet; the last is \(head)")
        case .inTheFuture: self = .asOf("is a time that has not come yet")
        case .busy:
            self.init(
                .unavailable, "Other questions about the past are being answered; ask again in a moment.",
                headers: [.retryAfter: "2"])
        case .views(let error): self.init(error)
        }
    }

    private static func asOf(_ reason: String) -> Problem {
        Problem(
            .badRequest, "Some query parameters cannot be accepted.", faults: [FieldFault(.parameter("as_of"), reason)])
    }
}

extension Exchange {
    /// The time that the question is about.
    var time: WallTime { past?.time ?? .now }
}

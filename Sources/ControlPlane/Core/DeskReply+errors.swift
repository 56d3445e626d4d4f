import Model
import SwiftProtobuf

extension DeskReply {
    static func error(_ code: DeskErrorCode, _ detail: String = "") -> DeskReply {
        .with {
            $0.error.code = code
            $0.error.detail = detail
        }
    }

    static func recorded(at position: UInt64) -> DeskReply { .with { $0.recorded.logPosition = position } }
}

import Logging
import Projections

extension Views {
    /// For what is looked at again soon. nil: the views cannot be read, which is logged.
    func read<R>(for purpose: String, logger: Logger, _ body: (borrowing ViewSnapshot) throws(ViewsError) -> R) -> R? {
        do throws(ViewsError) {
            return try read(body)
        } catch {
            logger.error("the views cannot be read", metadata: ["for": "\(purpose)", "reason": "\(error)"])
            return nil
        }
    }
}

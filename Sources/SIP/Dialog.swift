/// One side's view of a dialog (RFC 3261 §12).
package struct Dialog: Hashable, Sendable {
    /// All of it as plain text and numbers, so that another process can carry the dialog on.
    package struct State: Hashable, Sendable {
        package var callID: String
        package var localTag: String
        /// Empty when a peer of RFC 2543 gave none.
        package var remoteTag: String
        /// From and To values without tags, display names included.
        package var localURI: String
        package var remoteURI: String
        /// The peer's Contact.
        package var remoteTarget: String
        /// Route values in the order they are to be sent.
        package var routeSet: [String]
        /// Number of our last request; 0: none yet.
        package var localCSeq: UInt32
        /// Number of the peer's last request; nil: none yet.
        package var remoteCSeq: UInt32?
        package var isEarly: Bool

        package init(
            callID: String, localTag: String, remoteTag: String, localURI: String, remoteURI: String,
            remoteTarget: String,
            routeSet: [String], localCSeq: UInt32, remoteCSeq: UInt32?, isEarly: Bool
        ) {
            self.callID = callID
            self.localTag = localTag
            self.remoteTag = remoteTag
            self.localURI = localURI
            self.remoteURI = remoteURI
            self.remoteTarget = remoteTarget
            self.routeSet = routeSet
            self.localCSeq = localCSeq
            self.remoteCSeq = remoteCSeq
            self.isEarly = isEarly
        }
    }

    package let callID: String
    /// With our tag.
    package private(set) var local: NameAddress
    /// With the peer's tag, if it has one.
    package private(set) var remote: NameAddress
    package private(set) var remoteTarget: URI
    package private(set) var routeSet: [NameAddress]
    package var localCSeq: UInt32
    package private(set) var remoteCSeq: UInt32?
    package private(set) var isEarly: Bool

    /// The answering side (§12.1.1).
    ///
    /// - Returns: nil when the request has no usable Contact.
    package init?(answering request: SIPMessage, localTag: String, isEarly: Bool = true) {
        guard request.isRequest, let contact = request.contact else { return nil }
        callID = request.callID
        local = request.to
        local.tag = localTag
        remote = request.from
        remoteTarget = contact.uri
        routeSet = request.recordRoutes
        localCSeq = 0
        remoteCSeq = request.cseq.number
        self.isEarly = isEarly
    }

    /// The calling side (§12.1.2): one dialog for each tag that a response brings.
    ///
    /// - Returns: nil for 100, for a failure, for a response without a To tag, and for a 2xx without a Contact. A
    ///   provisional response without a Contact keeps the request's URI as target until a later one brings it.
    package init?(calling request: SIPMessage, response: SIPMessage) {
        guard let uri = request.requestURI, response.status > 100, response.status < 300, response.to.tag != nil else {
            return nil
        }
        let contact = response.contact
        guard contact != nil || response.isProvisional else { return nil }
        callID = request.callID
        local = request.from
        remote = response.to
        remoteTarget = contact?.uri ?? uri
        routeSet = response.recordRoutes.reversed()
        localCSeq = request.cseq.number
        remoteCSeq = nil
        isEarly = response.isProvisional
    }

    package init?(restoring state: State) {
        guard var local = NameAddress(state.localURI), var remote = NameAddress(state.remoteURI),
            let target = URI(state.remoteTarget)
        else { return nil }
        var routes: [NameAddress] = []
        for text in state.routeSet {
            guard let route = NameAddress(text) else { return nil }
            routes.append(route)
        }
        local.tag = state.localTag
        remote.tag = state.remoteTag.isEmpty ? nil : state.remoteTag
        callID = state.callID
        self.local = local
        self.remote = remote
        remoteTarget = target
        routeSet = routes
        localCSeq = state.localCSeq
        remoteCSeq = state.remoteCSeq
        isEarly = state.isEarly
    }

    package var state: State {
        func untagged(_ address: NameAddress) -> String {
            var address = address
            address.tag = nil
            return address.description
        }
        return State(
            callID: callID, localTag: local.tag ?? "", remoteTag: remote.tag ?? "", localURI: untagged(local),
            remoteURI: untagged(remote), remoteTarget: remoteTarget.description, routeSet: routeSet.map(\.description),
            localCSeq: localCSeq, remoteCSeq: remoteCSeq, isEarly: isEarly)
    }

    package var localTag: String { local.tag ?? "" }
    package var remoteTag: String { remote.tag ?? "" }
}

extension Dialog {
    package enum Rejection: Error, Hashable, Sendable {
        /// Tags or Call-ID are of another dialog: 481.
        case notThisDialog
        /// A lower number than one already seen: 500 (§12.2.2).
        case outOfOrder(have: UInt32, expected: UInt32)

        package var status: Int {
            switch self {
            case .notThisDialog: 481
            case .outOfOrder: 500
            }
        }
    }

    /// Whether a message of the peer, request or response to one of ours, belongs here.
    package func matches(_ message: SIPMessage) -> Bool {
        guard message.callID == callID else { return false }
        return message.isRequest
            ? message.to.tag == local.tag && message.from.tag == remote.tag
            : message.from.tag == local.tag && message.to.tag == remote.tag
    }

    /// A request of the peer within the dialog (§12.2.2): checks the order, follows the peer's target.
    ///
    /// ACK and CANCEL carry the number of their INVITE and are not counted.
    package mutating func receive(_ request: SIPMessage) throws(Rejection) {
        guard matches(request) else { throw .notThisDialog }
        guard let method = request.method, method != .ack, method != .cancel else { return }
        if let remoteCSeq, request.cseq.number < remoteCSeq {
            throw .outOfOrder(have: request.cseq.number, expected: remoteCSeq)
        }
        remoteCSeq = request.cseq.number
        refreshTarget(from: request)
    }

    /// A response to one of our requests within the dialog, or the 2xx that confirms it: an early dialog takes
    /// its route set anew (§13.2.2.4), a target refresh moves the target (§12.2.1.2).
    package mutating func receive(response: SIPMessage) {
        guard response.status > 100, response.status < 300, matches(response) else { return }
        if isEarly, response.cseq.method == .invite, response.isSuccess {
            routeSet = response.recordRoutes.reversed()
            isEarly = false
        }
        refreshTarget(from: response)
    }

    /// The dialog of a 2xx goes on with the numbers of the same dialog while it was early: requests of both sides have used some.
    package mutating func carryOn(_ early: Dialog) {
        localCSeq = max(localCSeq, early.localCSeq)
        remoteCSeq = early.remoteCSeq ?? remoteCSeq
    }

    /// Our side answered 2xx.
    package mutating func confirm() { isEarly = false }

    private mutating func refreshTarget(from message: SIPMessage) {
        switch message.cseq.method {
        case .invite, .update, .subscribe, .notify, .refer:
            if let contact = message.contact { remoteTarget = contact.uri }
        case .ack, .bye, .cancel, .register, .options, .prack, .info, .message, .publish, .other:
            break
        }
    }
}

extension Dialog {
    /// Where the next request goes, before any DNS: the first route, or the target.
    package var nextHop: URI { routeSet.first?.uri ?? remoteTarget }

    /// The next request of our side (§12.2.1.1); takes the next number.
    package mutating func request(_ method: Method, via: Via) -> SIPMessage {
        localCSeq += 1
        return make(method, via: via, cseq: localCSeq)
    }

    /// The ACK for a 2xx to our INVITE of that number, with its credentials (§13.2.2.4). Its branch is new.
    package func acknowledgement(of invite: SIPMessage, via: Via) -> SIPMessage {
        var ack = make(.ack, via: via, cseq: invite.cseq.number)
        for name in [HeaderName.authorization, .proxyAuthorization] {
            for value in invite.headers.all(name) { ack.headers.append(name, value) }
        }
        return ack
    }

    private func make(_ method: Method, via: Via, cseq: UInt32) -> SIPMessage {
        var target = remoteTarget
        target.headers = nil
        target.parameters.remove("method")
        var routes = routeSet
        if let first = routes.first, !first.uri.isLooseRouter {
            // A strict router of RFC 2543 wants itself as Request-URI and the target last.
            routes.removeFirst()
            routes.append(NameAddress(uri: target))
            target = first.uri
            target.headers = nil
        }
        var request = SIPMessage(method, target, via: via, from: local, to: remote, callID: callID, cseq: cseq)
        for route in routes { request.headers.append(.route, route.description) }
        return request
    }
}

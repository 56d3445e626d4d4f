import Model
import Primitives
import SIP

/// A BYE to a gateway until it is answered. A carrier may want to know who hangs up as it wanted to know who calls (RFC 3261 §22.2), and
/// without an answer its leg would stay up, and cost.
struct Goodbye: Sendable {
    let call: CallID
    let gateway: GatewayID
    var request: SIPMessage
    let hop: Hop
    /// What it has asked, while the control plane is asked for the answer.
    var challenge: (status: Int, asked: DigestChallenge)?
}

extension CallKit {
    /// Hangs up on one side.
    ///
    /// - Parameter isOwned: the call wants to hear of the answer.
    mutating func bye(_ leg: inout Leg, of call: CallID, reason: [String] = [], isOwned: Bool = false) -> ClientTransactionID? {
        var request = leg.dialog.request(.bye, via: via(call))
        for value in reason { request.headers.append(.reason, value) }
        guard let transaction = send(request, to: leg.path, of: isOwned ? call : nil) else { return nil }
        if let gateway = leg.gateway { goodbyes[transaction] = Goodbye(call: call, gateway: gateway, request: request, hop: leg.path) }
        return transaction
    }
}

extension SignalMachine {
    mutating func goodbyeAnswered(_ id: ClientTransactionID, _ response: SIPMessage) {
        guard response.isFinal, var goodbye = kit.goodbyes.removeValue(forKey: id) else { return }
        guard response.status == 401 || response.status == 407, let challenge = DigestChallenge.all(in: response).first else { return }
        goodbye.challenge = (response.status, challenge)
        kit.goodbyes[id] = goodbye
        var question = DeskRequest()
        question.gatewayChallenged.gatewayID = goodbye.gateway.data
        question.gatewayChallenged.realm = challenge.realm
        question.gatewayChallenged.sha256 = challenge.algorithm == .sha256
        kit.ask(question, .goodbyeCredential(id))
    }

    /// Said once more with the answer, and no more.
    mutating func goodbyeCredential(_ credential: GatewayCredential, for id: ClientTransactionID) {
        guard let goodbye = kit.goodbyes.removeValue(forKey: id), let challenge = goodbye.challenge, !credential.username.isEmpty else { return }
        var request = goodbye.request
        request.cseq.number += 1
        request.vias = [kit.via(goodbye.call)]
        request.authorise(challenge.asked, challenge.status, by: credential, &kit.random)
        kit.send(request, to: goodbye.hop, of: nil)
    }
}

extension SIPMessage {
    /// Answers a gateway's challenge, which came with that status.
    mutating func authorise(_ challenge: DigestChallenge, _ status: Int, by credential: GatewayCredential, _ random: inout RandomSource) {
        guard let method, let uri = requestURI else { return }
        headers.remove(.authorization)
        headers.remove(.proxyAuthorization)
        let answer = DigestCredentials(
            answering: challenge, username: credential.username, ha1: Array(credential.ha1), method: method, uri: uri.description,
            cnonce: hex(random.bytes(8)), nc: 1)
        headers.append(status == 401 ? .authorization : .proxyAuthorization, answer.description)
    }
}

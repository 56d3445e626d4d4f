import Foundation
import Model
import Primitives
import SIP

/// A gateway that wants to know who calls (RFC 3261 §22.2): the control plane makes the hash of its realm, the INVITE goes out again.
extension CallMachine {
    /// false: the challenge cannot be met.
    mutating func challenged(_ index: Int, by response: SIPMessage, _ kit: inout CallKit) -> Bool {
        guard attempts[index].isOpen, case .gateway(let gateway) = attempts[index].target.kind,
            let challenge = DigestChallenge.all(in: response).first
        else { return false }
        // Asked again, it does not like the password; unless only the nonce was too old.
        if let before = attempts[index].challenge, !challenge.isStale || before.asked.isStale { return false }
        attempts[index].challenge = (response.status, response.reason, challenge)
        var question = DeskRequest()
        question.gatewayChallenged.gatewayID = gateway.gatewayID
        question.gatewayChallenged.realm = challenge.realm
        question.gatewayChallenged.sha256 = challenge.algorithm == .sha256
        kit.ask(question, .gatewayCredential(id, attempts[index].transaction))
        return true
    }

    /// - Parameter credential: empty if there is none, or nobody has said.
    mutating func credential(_ credential: GatewayCredential, for transaction: ClientTransactionID, _ kit: inout CallKit) {
        guard let index = attempts.firstIndex(where: { $0.transaction == transaction }), attempts[index].isOpen,
            let challenge = attempts[index].challenge
        else { return }
        guard !credential.username.isEmpty else { return failed(index, challenge.status, challenge.reason, &kit) }
        var request = attempts[index].request
        request.cseq.number += 1
        request.vias = [kit.via(id)]
        request.authorise(challenge.asked, challenge.status, by: credential, &kit.random)
        guard let again = kit.send(request, to: attempts[index].hop, of: id) else { return failed(index, 503, "too many transactions", &kit) }
        clients.append(again)
        attempts[index].transaction = again
        attempts[index].request = request
        attempts[index].deadline = kit.now + kit.configuration.gatewaySilence
        attempts[index].state = .calling
    }
}

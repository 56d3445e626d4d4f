import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Carriers and their gateways. A gateway's address is unique on the platform: it says whose call comes in.
enum CarrierDecider {
    static let gatewaysMax = 32
    static let membersMax = 32

    /// A carrier without a provider is the platform's own.
    static func create<State: ViewQueries & ~Copyable>(
        _ carrier: Carrier, vault: Vault, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var carrier = carrier
        let id = try Checks.newID(carrier.id, &decision)
        guard try state.carrier(CarrierID(id)) == nil else { throw AdminRejection.taken("id", id.description) }
        carrier.id = CarrierID(id).data
        if !carrier.providerID.isEmpty { _ = try Ownership.provider(carrier.providerID, in: state) }
        try complete(&carrier, before: nil, vault, in: state, &decision)
        decision.record(.carrierCreated(.with { $0.carrier = carrier }), in: id)
        return id
    }

    static func change<State: ViewQueries & ~Copyable>(
        _ carrier: Carrier, vault: Vault, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var carrier = carrier
        let id = try Checks.existingID(carrier.id)
        guard let before = try state.carrier(CarrierID(id)) else {
            throw AdminRejection.notFound("carrier", id.description)
        }
        try Checks.unchanged(carrier.providerID, before.providerID, field: "provider_id")
        for (index, gateway) in carrier.gateways.enumerated() where !gateway.id.isEmpty {
            guard before.gateways.contains(where: { $0.id == gateway.id }) else {
                throw AdminRejection.invalid("gateways[\(index)].id", "is not a gateway of this carrier")
            }
        }
        try complete(&carrier, before: before, vault, in: state, &decision)
        decision.record(.carrierChanged(.with { $0.carrier = carrier }), in: id)
        return id
    }

    private static func complete<State: ViewQueries & ~Copyable>(
        _ carrier: inout Carrier, before: Carrier?, _ vault: Vault, in state: borrowing State, _ decision: inout Decision
    ) throws {
        try Checks.name(carrier.name)
        if !carrier.costDeckID.isEmpty {
            let deckID = RateDeckID(try Checks.reference(carrier.costDeckID, field: "cost_deck_id"))
            guard let deck = try state.rateDeck(deckID), deck.providerID == carrier.providerID else {
                throw AdminRejection.unknownReference("cost_deck_id", deckID.description)
            }
        }
        try Checks.contact(carrier.contactID, of: carrier.providerID, in: state)
        guard carrier.gateways.count <= gatewaysMax else {
            throw AdminRejection.invalid("gateways", "at most \(gatewaysMax)")
        }
        var addresses: Set<String> = []
        for index in carrier.gateways.indices {
            let field = "gateways[\(index)]"
            let address = try complete(&carrier.gateways[index], field: field, &decision)
            let known = before?.gateways.first { $0.id == carrier.gateways[index].id }
            try secret(of: &carrier.gateways[index], before: known, field: field, vault, &decision)
            guard addresses.insert(address).inserted else {
                throw AdminRejection.taken(field + ".host", address)
            }
            if let holder = try state.gateway(host: carrier.gateways[index].host, port: carrier.gateways[index].port),
                holder.carrier.id != carrier.id
            {
                throw AdminRejection.taken(field + ".host", address)
            }
        }
        guard Set(carrier.gateways.map(\.id)).count == carrier.gateways.count else {
            throw AdminRejection.invalid("gateways", "two gateways have the same id")
        }
        try CarrierRules.check(carrier)
        try group(carrier, in: state)
    }

    /// Carriers that are asked one after the other. Groups have no groups in them.
    private static func group<State: ViewQueries & ~Copyable>(_ carrier: Carrier, in state: borrowing State) throws {
        try Checks.recognised(carrier.choice.isRecognised, field: "choice")
        guard !carrier.memberIds.isEmpty else { return }
        guard carrier.memberIds.count <= membersMax else { throw AdminRejection.limitReached(field: "member_ids", limit: UInt64(membersMax)) }
        guard carrier.gateways.isEmpty, carrier.costDeckID.isEmpty, carrier.outboundRules.isEmpty, carrier.inboundRules.isEmpty,
            carrier.callsMax == 0, carrier.callsPerSecondMax == 0
        else {
            throw AdminRejection.invalid("member_ids", "a group has carriers and nothing else: gateways, rules, limits and prices are theirs")
        }
        var known: Set<Data> = []
        for (index, id) in carrier.memberIds.enumerated() {
            let field = "member_ids[\(index)]"
            try Ownership.carrier(id, reachableFrom: carrier.providerID, field: field, in: state)
            guard known.insert(id).inserted else { throw AdminRejection.taken(field, UUIDv7(bytes: id)?.description ?? "") }
            guard id != carrier.id, let member = CarrierID(id), try state.carrier(member)?.memberIds.isEmpty == true else {
                throw AdminRejection.invalid(field, "is a group itself")
            }
        }
        if let id = UUIDv7(bytes: carrier.id), let user = try state.firstReferrer(of: id), user.kind == .carrier {
            throw AdminRejection.invalid("member_ids", "the carrier is in group \(user.id), so it cannot be one")
        }
    }

    /// A password that comes is sealed; without one the old stays.
    private static func secret(
        of gateway: inout Gateway, before: Gateway?, field: String, _ vault: Vault, _ decision: inout Decision
    ) throws {
        let password = gateway.authPassword
        gateway.authPassword = ""
        try Checks.shortText(gateway.authUsername, field: field + ".auth_username")
        guard !gateway.authUsername.isEmpty else {
            gateway.sealedPassword = Data()
            guard password.isEmpty else { throw AdminRejection.invalid(field + ".auth_password", "is of no use without auth_username") }
            return
        }
        guard password.isEmpty else {
            try Checks.shortText(password, field: field + ".auth_password")
            guard let id = GatewayID(gateway.id) else { throw AdminRejection.invalid(field + ".id", "must be 16 bytes") }
            gateway.sealedPassword = vault.seal(password, for: id, random: &decision.random)
            return
        }
        gateway.sealedPassword = before?.sealedPassword ?? Data()
        guard !gateway.sealedPassword.isEmpty else { throw AdminRejection.invalid(field + ".auth_password", "is required with auth_username") }
    }

    private static func complete(
        _ gateway: inout Gateway, field: String, _ decision: inout Decision
    ) throws -> String {
        gateway.id = GatewayID(try Checks.newID(gateway.id, &decision)).data
        try Checks.name(gateway.name, field: field + ".name")
        try Checks.shortText(gateway.display, field: field + ".display")
        try GatewayChecks.address(&gateway, field: field)
        try GatewayChecks.registration(gateway, field: field)
        try GatewayChecks.probing(gateway, field: field)
        try GatewayChecks.codecs(gateway.codecs, field: field + ".codecs")
        try Checks.recognised(gateway.applyTo.isRecognised, field: field + ".apply_to")
        guard gateway.outboundStrip <= 16 else { throw AdminRejection.invalid(field + ".outbound_strip", "at most 16") }
        guard gateway.inboundStrip <= 16 else { throw AdminRejection.invalid(field + ".inbound_strip", "at most 16") }
        try numberPart(gateway.outboundPrefix, field: field + ".outbound_prefix")
        try numberPart(gateway.inboundPrefix, field: field + ".inbound_prefix")
        try GatewayChecks.uriPart(gateway.sourceUser, field: field + ".source_user")
        try GatewayChecks.uriPart(gateway.sourceDomain, field: field + ".source_domain")
        try GatewayChecks.profile(&gateway, field: field)
        return "\(gateway.host):\(gateway.port)"
    }

    private static func numberPart(_ text: String, field: String) throws {
        guard text.utf8.count <= 16, text.allSatisfy({ $0.isASCII && ($0.isNumber || "+*#".contains($0)) }) else {
            throw AdminRejection.invalid(field, "at most 16 of 0-9, +, * and #")
        }
    }
}

import Model
import Primitives
import Projections

/// A list over many owners, one after another, that can be taken up again where a page ended: the providers of a
/// subtree, their customers, those customers' tenants and so on, each in the order of its id.
struct Walk {
    /// The owners to begin with.
    let roots: [UUIDv7]
    /// What is below a root, and below that; the last kind is what is listed. Empty: the roots themselves.
    let levels: [EntityKind]

    /// - Parameter path: of the last item of the page before, from its root down.
    func page<Queries: ViewQueries & ~Copyable>(
        after path: [UUIDv7], limit: Int, in views: borrowing Queries
    ) throws(ViewsError) -> [[UUIDv7]] {
        var found: [[UUIDv7]] = []
        // A root that has gone since is no reason to start again: those after it in the list are unknown then, and
        // the page is empty.
        let start = path.first.map { root in roots.firstIndex(of: root) ?? roots.count } ?? 0
        for (index, root) in roots.enumerated().dropFirst(start) where found.count < limit {
            let resumed = index == start ? path.dropFirst() : []
            if levels.isEmpty {
                if index > start || path.isEmpty { found.append([root]) }
            } else {
                try descend([root], resumed, limit, &found, in: views)
            }
        }
        return found
    }

    private func descend<Queries: ViewQueries & ~Copyable>(
        _ owner: [UUIDv7], _ resumed: ArraySlice<UUIDv7>, _ limit: Int, _ found: inout [[UUIDv7]],
        in views: borrowing Queries
    ) throws(ViewsError) {
        guard let id = owner.last else { return }
        let kind = levels[owner.count - 1]
        let isLeaf = owner.count == levels.count
        if !isLeaf, let child = resumed.first {
            try descend(owner + [child], resumed.dropFirst(), limit, &found, in: views)
        }
        var after = resumed.first
        while found.count < limit {
            let size = isLeaf ? limit - found.count : 100
            let children = try views.referrers(of: id, kind: kind, after: after, limit: size)
            for child in children where found.count < limit {
                if isLeaf {
                    found.append(owner + [child])
                } else {
                    try descend(owner + [child], [], limit, &found, in: views)
                }
            }
            guard children.count == size else { return }
            after = children.last
        }
    }
}

extension ViewQueries where Self: ~Copyable {
    /// A provider and all below it, each before those below it.
    func subtree(of provider: ProviderID) throws(ViewsError) -> [UUIDv7] {
        var result: [UUIDv7] = []
        var seen: Set<UUIDv7> = []
        var open = [provider.value]
        while let next = open.popLast() {
            guard seen.insert(next).inserted else { continue }
            result.append(next)
            open += try referrers(of: next, kind: .provider, limit: .max).reversed()
        }
        return result
    }
}

import Foundation

/// Certificates of a test, all vouched for by `root.pem`.
enum Certificates {
    /// - Parameters:
    ///   - own: the platform's name; `own/default.crt` and `own/default.key`.
    ///   - peer: another's address; `peer.pem`, certificate and key in one.
    static func make(in folder: String, own: String, peer: String) async throws {
        let script = """
            set -e; cd '\(folder)'; mkdir own
            ec="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            openssl req -x509 $ec -days 2 -subj /CN=root -keyout root.key -out root.pem
            issue() {
                printf 'subjectAltName=%s\\n' "$2" > extensions
                openssl req -new $ec -subj "/CN=$1" -keyout "$3.key" -out new.csr
                openssl x509 -req -in new.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 -extfile extensions -out "$3.crt"
            }
            issue '\(own)' 'DNS:\(own)' own/default
            issue '\(peer)' 'IP:\(peer)' peer
            cat peer.key peer.crt > peer.pem
            """
        let made = try await run("bash", ["-c", script])
        guard made.status == 0 else { throw ServerFailure(description: made.output) }
    }
}

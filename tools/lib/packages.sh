# Installs Debian packages by name, once, without letting any daemon start itself.
# Sourced by tools/demo, tools/test and tools/bench.

build_packages=(liblmdb-dev zlib1g-dev libzmq3-dev libsrtp2-dev libssl-dev libosip2-dev libre2-dev libphonenumber-dev libc-ares-dev libcurl4-openssl-dev libopus-dev libspandsp-dev libspeex-dev libspeexdsp-dev libjemalloc-dev g++ pkg-config python3)
# G.729 is spoken where this library is found when the worker starts (docs/decisions/0055-codec-libraries.md).
codec_packages=(libbcg729-0)
phone_packages=(baresip-core linphone-cli openssl sip-tester)
# Speaks announcements of the operator's own (docs/media.md).
speech_packages=(espeak-ng)
# Compiles what scores speech (tools/listening/setup).
listening_packages=(python3-dev)
# Invoices: PDF files, their pages as pictures, schemas of the electronic invoice.
invoice_packages=(weasyprint fonts-liberation poppler-utils libxml2-utils)
# Exports are sent with the client; the server answers in their tests, under a configuration of its own, never as a daemon.
ssh_packages=(openssh-client openssh-server)
# A carrier that tests register at, without its daemon.
peer_packages=(kamailio)
# Carries the bytes of programs that speak no TLS.
tls_packages=(socat)
# A DNS server that tests start on loopback, without its daemon.
dns_packages=(dnsmasq-base)
# Network namespaces of tests and benchmarks.
namespace_packages=(iproute2 ethtool)
# Benchmarks' programs in the kernel.
bpf_packages=(libbpf-dev)
# A browser that calls and is called.
browser_packages=(chromium)
# A mail server that tests start on loopback.
mail_packages=(python3-aiosmtpd)
# Others' tools on our tree (tools/tlog), and kills at chosen system calls.
proof_packages=(curl golang-go golang-golang-x-mod-dev strace)
python3 -m pip --version >/dev/null 2>&1 || proof_packages+=(python3-pip)

# install_packages NAME…
install_packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q '^install ok installed' || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    local run=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || {
            echo "these packages are needed and only root may install them: ${missing[*]}" >&2
            return 77
        }
        run=(sudo)
    fi
    echo "installing: ${missing[*]}"
    # A policy-rc.d that answers 101 keeps daemons from starting; an existing one is left alone.
    local policy=/usr/sbin/policy-rc.d ours=0
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${run[@]}" tee "$policy" >/dev/null
        "${run[@]}" chmod 755 "$policy"
        ours=1
    fi
    local status=0
    "${run[@]}" apt-get update -qq || status=$?
    [ $status -ne 0 ] ||
        "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        status=$?
    [ $ours -eq 0 ] || "${run[@]}" rm -f "$policy"
    return $status
}

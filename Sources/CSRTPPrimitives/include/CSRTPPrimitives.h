// AES-CM, AES-GCM and HMAC-SHA1 for libsrtp, made of OpenSSL's.
//
// Why: the libsrtp of Debian 12 is built on NSS, which makes and frees a context for each packet: 14
// allocations and nine times the processor time. libsrtp lets a program bring its own primitives; it
// tests them against its vectors before it takes them. In C because libsrtp calls them through tables of
// function pointers. No protocol is in here.
#pragma once
#include <srtp2/srtp.h>

// Puts the primitives in place of libsrtp's own. Once, after srtp_init, before any session.
srtp_err_status_t csrtp_use_openssl(void);

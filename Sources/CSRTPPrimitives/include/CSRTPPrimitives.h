// AES-CM, AES-GCM and HMAC-SHA1 for libsrtp, made of OpenSSL's and, where the processor has them, of its own instructions.
//
// Why: the libsrtp of Debian 12 is built on NSS, which makes and frees a context for each packet: 14
// allocations and nine times the processor time. libsrtp lets a program bring its own primitives; it
// tests them against its vectors before it takes them. In C because libsrtp calls them through tables of
// function pointers. No protocol is in here.
#pragma once
#include <srtp2/srtp.h>

// Puts the primitives in place of libsrtp's own. Once, after srtp_init, before any session.
srtp_err_status_t csrtp_use_openssl(void);

// Whether counter mode is computed by instructions of the processor instead of OpenSSL.
int csrtp_has_aes_instructions(void);

// For tests of either: encrypts `count` bytes in pieces of `piece`, under 16 or 32 bytes of key and 14 of salt. 0, or -1: it cannot.
int csrtp_counter_mode_apply(int by_instructions, const uint8_t *key, int key_and_salt_bytes, const uint8_t iv[16], uint8_t *bytes, unsigned count, unsigned piece);

// The primitives that libsrtp is given: ciphers, and the message code, each in a file of its own.
#pragma once
#include <srtp2/auth.h>
#include <srtp2/cipher.h>

// Where a session's media cipher and code lie (CSRTPPrimitives.h).
void csrtp_note_cipher(const void *cipher);
void csrtp_note_code(const void *code);

// libsrtp's tests of either counter mode.
extern const srtp_cipher_test_case_t csrtp_counter_mode_test, csrtp_counter_mode_256_test;
extern const srtp_cipher_type_t csrtp_counter_mode, csrtp_counter_mode_256;
#if defined(__x86_64__)
extern const srtp_cipher_type_t csrtp_counter_mode_x86, csrtp_counter_mode_256_x86;
#endif
extern const srtp_cipher_type_t csrtp_galois_mode, csrtp_galois_mode_256;
extern const srtp_auth_type_t csrtp_message_code;

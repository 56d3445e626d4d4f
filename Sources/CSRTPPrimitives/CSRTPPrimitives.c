#include "CSRTPPrimitives.h"
#include "Primitives.h"

#include <string.h>

// ---- where they lie ----

static _Thread_local struct csrtp_places *noted;

void csrtp_note_places(struct csrtp_places *places) {
    if (places) places->cipher = places->code = NULL;
    noted = places;
}

void csrtp_note_cipher(const void *cipher) {
    if (noted && !noted->cipher) noted->cipher = cipher;
}

void csrtp_note_code(const void *code) {
    if (noted && !noted->code) noted->code = code;
}

// ---- which are used ----

static const srtp_cipher_type_t *counter_mode(int by_instructions, int is_256) {
#if defined(__x86_64__)
    if (by_instructions && csrtp_has_aes_instructions()) return is_256 ? &csrtp_counter_mode_256_x86 : &csrtp_counter_mode_x86;
#endif
    if (by_instructions) return NULL;
    return is_256 ? &csrtp_counter_mode_256 : &csrtp_counter_mode;
}

int csrtp_counter_mode_apply(int by_instructions, const uint8_t *key, int key_and_salt_bytes, const uint8_t iv[16], uint8_t *bytes, unsigned count, unsigned piece) {
    const srtp_cipher_type_t *type = counter_mode(by_instructions, key_and_salt_bytes == SRTP_AES_ICM_256_KEY_LEN_WSALT);
    srtp_cipher_t *cipher = NULL;
    if (type == NULL || type->alloc(&cipher, key_and_salt_bytes, 0) != srtp_err_status_ok) return -1;
    uint8_t copy[16];
    memcpy(copy, iv, sizeof copy);
    int failed = type->init(cipher->state, key) != srtp_err_status_ok || type->set_iv(cipher->state, copy, srtp_direction_encrypt) != srtp_err_status_ok;
    for (unsigned done = 0; !failed && done < count; done += piece) {
        unsigned length = count - done < piece ? count - done : piece;
        failed = type->encrypt(cipher->state, bytes + done, &length) != srtp_err_status_ok;
    }
    type->dealloc(cipher);
    return failed ? -1 : 0;
}

srtp_err_status_t csrtp_use_own_primitives(void) {
    int by_instructions = csrtp_has_aes_instructions();
    const srtp_cipher_type_t *ciphers[] = {counter_mode(by_instructions, 0), counter_mode(by_instructions, 1), &csrtp_galois_mode, &csrtp_galois_mode_256};
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++) {
        srtp_err_status_t status = srtp_replace_cipher_type(ciphers[i], ciphers[i]->id);
        if (status != srtp_err_status_ok) return status;
    }
    return srtp_replace_auth_type(&csrtp_message_code, SRTP_HMAC_SHA1);
}

// HMAC-SHA1 (RFC 2104) by OpenSSL. Its low-level SHA-1 is what keeps a keyed state that can be copied without allocating; EVP's copies
// allocate (OpenSSL 3.0). It is deprecated in name and not removed.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "Primitives.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

// What SHA-1 has made of the padded key: of the whole state of the hash only this differs from stream to stream.
struct digest_state {
    SHA_LONG words[5];
};

struct message_code {
    srtp_auth_t auth;  // what libsrtp holds; its `state` points back here
    struct digest_state inner, outer;
};

// The message that this thread is at: libsrtp finishes one before it starts the next.
static _Thread_local struct {
    const struct message_code *owner;
    SHA_CTX hash;
} running;

static struct digest_state after_key(const uint8_t block[SHA_CBLOCK]) {
    SHA_CTX hash;
    SHA1_Init(&hash);
    SHA1_Update(&hash, block, SHA_CBLOCK);
    struct digest_state state = {{hash.h0, hash.h1, hash.h2, hash.h3, hash.h4}};
    OPENSSL_cleanse(&hash, sizeof hash);
    return state;
}

static void go_on_after_key(SHA_CTX *hash, const struct digest_state *state) {
    hash->h0 = state->words[0], hash->h1 = state->words[1], hash->h2 = state->words[2], hash->h3 = state->words[3], hash->h4 = state->words[4];
    hash->Nl = SHA_CBLOCK * 8, hash->Nh = 0, hash->num = 0;
}

static srtp_err_status_t message_code_dealloc(srtp_auth_t *auth) {
    struct message_code *self = auth->state;
    if (running.owner == self) running.owner = NULL;
    OPENSSL_cleanse(self, sizeof *self);
    free(self);
    return srtp_err_status_ok;
}

static srtp_err_status_t message_code_alloc(srtp_auth_t **result, int key_len, int out_len) {
    if (key_len < 0 || key_len > SHA_CBLOCK || out_len < 0 || out_len > SHA_DIGEST_LENGTH) return srtp_err_status_bad_param;
    struct message_code *self = NULL;
    // In two cache lines, not in three.
    if (posix_memalign((void **)&self, 64, sizeof *self) != 0) return srtp_err_status_alloc_fail;
    memset(self, 0, sizeof *self);
    csrtp_note_code(self);
    self->auth.type = &csrtp_message_code;
    self->auth.state = self;
    self->auth.out_len = out_len;
    self->auth.key_len = key_len;
    *result = &self->auth;
    return srtp_err_status_ok;
}

static srtp_err_status_t message_code_start(void *state) {
    struct message_code *self = state;
    running.owner = self;
    go_on_after_key(&running.hash, &self->inner);
    return srtp_err_status_ok;
}

static srtp_err_status_t message_code_init(void *state, const uint8_t *key, int key_len) {
    struct message_code *self = state;
    if (key_len < 0 || key_len > SHA_CBLOCK) return srtp_err_status_bad_param;
    uint8_t block[SHA_CBLOCK] = {0};
    memcpy(block, key, (size_t)key_len);
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36;
    self->inner = after_key(block);
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36 ^ 0x5c;
    self->outer = after_key(block);
    OPENSSL_cleanse(block, sizeof block);
    return message_code_start(state);
}

static srtp_err_status_t message_code_update(void *state, const uint8_t *message, int length) {
    if (running.owner != state) return srtp_err_status_algo_fail;
    SHA1_Update(&running.hash, message, (size_t)length);
    return srtp_err_status_ok;
}

static srtp_err_status_t message_code_compute(void *state, const uint8_t *message, int length, int tag_len, uint8_t *tag) {
    struct message_code *self = state;
    if (tag_len < 0 || tag_len > SHA_DIGEST_LENGTH) return srtp_err_status_bad_param;
    if (running.owner != self) return srtp_err_status_algo_fail;
    running.owner = NULL;
    uint8_t digest[SHA_DIGEST_LENGTH];
    SHA1_Update(&running.hash, message, (size_t)length);
    SHA1_Final(digest, &running.hash);
    go_on_after_key(&running.hash, &self->outer);
    SHA1_Update(&running.hash, digest, sizeof digest);
    SHA1_Final(digest, &running.hash);
    memcpy(tag, digest, (size_t)tag_len);
    return srtp_err_status_ok;
}

// RFC 2202, case 1.
static const uint8_t message_code_test_key[20] = {
    0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b};
static const uint8_t message_code_test_message[8] = {'H', 'i', ' ', 'T', 'h', 'e', 'r', 'e'};
static const uint8_t message_code_test_tag[20] = {
    0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b, 0xc0, 0xb6, 0xfb, 0x37, 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00};
static const srtp_auth_test_case_t message_code_test = {
    .key_length_octets = 20, .key = message_code_test_key, .data_length_octets = 8,
    .data = message_code_test_message, .tag_length_octets = 20, .tag = message_code_test_tag};

const srtp_auth_type_t csrtp_message_code = {
    .alloc = message_code_alloc, .dealloc = message_code_dealloc, .init = message_code_init,
    .compute = message_code_compute, .update = message_code_update, .start = message_code_start,
    .description = "HMAC-SHA1 by OpenSSL", .test_data = &message_code_test, .id = SRTP_HMAC_SHA1};

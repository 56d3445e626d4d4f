// The low-level SHA-1 is what keeps a keyed state that can be copied without allocating; EVP's copies
// allocate (OpenSSL 3.0). It is deprecated in name and not removed.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "CSRTPPrimitives.h"
#include "CounterMode.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <stdlib.h>
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

// ---- AES in counter mode (RFC 3711 §4.1.1) ----

struct counter_mode {
    srtp_cipher_t cipher;    // what libsrtp holds; its `state` points back here
    EVP_CIPHER_CTX *context;
    int key_bytes;           // without the salt
    uint8_t offset[16];      // the salt, times 2^16
};

static srtp_err_status_t counter_mode_dealloc(srtp_cipher_t *cipher) {
    struct counter_mode *self = cipher->state;
    EVP_CIPHER_CTX_free(self->context);
    OPENSSL_cleanse(self, sizeof *self);
    free(self);
    return srtp_err_status_ok;
}


static srtp_err_status_t counter_mode_alloc(srtp_cipher_t **result, int key_len, int tag_len) {
    (void)tag_len;
    if (key_len != SRTP_AES_ICM_128_KEY_LEN_WSALT && key_len != SRTP_AES_ICM_256_KEY_LEN_WSALT) return srtp_err_status_bad_param;
    int is_256 = key_len == SRTP_AES_ICM_256_KEY_LEN_WSALT;
    struct counter_mode *self = calloc(1, sizeof *self);
    if (self == NULL) return srtp_err_status_alloc_fail;
    self->context = EVP_CIPHER_CTX_new();
    if (self->context == NULL) {
        free(self);
        return srtp_err_status_alloc_fail;
    }
    self->cipher.type = is_256 ? &csrtp_counter_mode_256 : &csrtp_counter_mode;
    self->cipher.state = self;
    self->cipher.key_len = key_len;
    self->cipher.algorithm = is_256 ? SRTP_AES_ICM_256 : SRTP_AES_ICM_128;
    self->key_bytes = key_len - SRTP_SALT_LEN;
    *result = &self->cipher;
    return srtp_err_status_ok;
}

// `key`: 16 or 32 bytes, then 14 of salt.
static srtp_err_status_t counter_mode_init(void *state, const uint8_t *key) {
    struct counter_mode *self = state;
    memcpy(self->offset, key + self->key_bytes, SRTP_SALT_LEN);
    memset(self->offset + SRTP_SALT_LEN, 0, sizeof self->offset - SRTP_SALT_LEN);
    const EVP_CIPHER *kind = self->key_bytes == SRTP_AES_128_KEY_LEN ? EVP_aes_128_ctr() : EVP_aes_256_ctr();
    if (EVP_EncryptInit_ex(self->context, kind, NULL, key, NULL) != 1) return srtp_err_status_init_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t counter_mode_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction) {
    (void)direction;  // counter mode is its own inverse
    struct counter_mode *self = state;
    uint8_t counter[16];
    for (size_t i = 0; i < sizeof counter; i++) counter[i] = self->offset[i] ^ iv[i];
    if (EVP_EncryptInit_ex(self->context, NULL, NULL, NULL, counter) != 1) return srtp_err_status_cipher_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t counter_mode_apply(void *state, uint8_t *buffer, unsigned int *length) {
    struct counter_mode *self = state;
    int done = 0;
    if (EVP_EncryptUpdate(self->context, buffer, &done, buffer, (int)*length) != 1) return srtp_err_status_cipher_fail;
    *length = (unsigned int)done;
    return srtp_err_status_ok;
}

// RFC 3711 appendix B.2: the first two blocks of key stream.
static const uint8_t counter_mode_test_key[30] = {
    0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f,
    0x3c, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd};
static uint8_t counter_mode_test_index[16];
static const uint8_t counter_mode_test_plain[32];
static const uint8_t counter_mode_test_cipher[32] = {
    0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80, 0xe1, 0x66, 0xb1, 0x6d, 0xd9, 0x2b, 0x4e, 0xb4,
    0xd2, 0x35, 0x13, 0x16, 0x2b, 0x02, 0xd0, 0xf7, 0x2a, 0x43, 0xa2, 0xfe, 0x4a, 0x5f, 0x97, 0xab};
const srtp_cipher_test_case_t csrtp_counter_mode_test = {
    .key_length_octets = 30, .key = counter_mode_test_key, .idx = counter_mode_test_index,
    .plaintext_length_octets = 32, .plaintext = counter_mode_test_plain,
    .ciphertext_length_octets = 32, .ciphertext = counter_mode_test_cipher};

const srtp_cipher_type_t csrtp_counter_mode = {
    .alloc = counter_mode_alloc, .dealloc = counter_mode_dealloc, .init = counter_mode_init,
    .encrypt = counter_mode_apply, .decrypt = counter_mode_apply, .set_iv = counter_mode_set_iv,
    .description = "AES-128 counter mode by OpenSSL", .test_data = &csrtp_counter_mode_test, .id = SRTP_AES_ICM_128};

// RFC 6188 §7.1: the first two blocks of key stream.
static const uint8_t counter_mode_256_test_key[46] = {
    0x57, 0xf8, 0x2f, 0xe3, 0x61, 0x3f, 0xd1, 0x70, 0xa8, 0x5e, 0xc9, 0x3c, 0x40, 0xb1, 0xf0, 0x92,
    0x2e, 0xc4, 0xcb, 0x0d, 0xc0, 0x25, 0xb5, 0x82, 0x72, 0x14, 0x7c, 0xc4, 0x38, 0x94, 0x4a, 0x98,
    0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd};
static const uint8_t counter_mode_256_test_cipher[32] = {
    0x92, 0xbd, 0xd2, 0x8a, 0x93, 0xc3, 0xf5, 0x25, 0x11, 0xc6, 0x77, 0xd0, 0x8b, 0x55, 0x15, 0xa4,
    0x9d, 0xa7, 0x1b, 0x23, 0x78, 0xa8, 0x54, 0xf6, 0x70, 0x50, 0x75, 0x6d, 0xed, 0x16, 0x5b, 0xac};
const srtp_cipher_test_case_t csrtp_counter_mode_256_test = {
    .key_length_octets = 46, .key = counter_mode_256_test_key, .idx = counter_mode_test_index,
    .plaintext_length_octets = 32, .plaintext = counter_mode_test_plain,
    .ciphertext_length_octets = 32, .ciphertext = counter_mode_256_test_cipher};

const srtp_cipher_type_t csrtp_counter_mode_256 = {
    .alloc = counter_mode_alloc, .dealloc = counter_mode_dealloc, .init = counter_mode_init,
    .encrypt = counter_mode_apply, .decrypt = counter_mode_apply, .set_iv = counter_mode_set_iv,
    .description = "AES-256 counter mode by OpenSSL", .test_data = &csrtp_counter_mode_256_test, .id = SRTP_AES_ICM_256};

// ---- AES in Galois/counter mode (RFC 7714) ----

#define GALOIS_NONCE_BYTES 12

struct galois_mode {
    srtp_cipher_t cipher;    // what libsrtp holds; its `state` points back here
    EVP_CIPHER_CTX *context;
    int key_bytes;           // without the salt, which libsrtp puts into the nonce itself
    int tag_bytes;           // 16; 8 in a test of libsrtp's own
};

static srtp_err_status_t galois_mode_dealloc(srtp_cipher_t *cipher) {
    struct galois_mode *self = cipher->state;
    EVP_CIPHER_CTX_free(self->context);
    OPENSSL_cleanse(self, sizeof *self);
    free(self);
    return srtp_err_status_ok;
}

extern const srtp_cipher_type_t csrtp_galois_mode, csrtp_galois_mode_256;

static srtp_err_status_t galois_mode_alloc(srtp_cipher_t **result, int key_len, int tag_len) {
    if (key_len != SRTP_AES_GCM_128_KEY_LEN_WSALT && key_len != SRTP_AES_GCM_256_KEY_LEN_WSALT) return srtp_err_status_bad_param;
    if (tag_len != 16 && tag_len != 8) return srtp_err_status_bad_param;
    int is_256 = key_len == SRTP_AES_GCM_256_KEY_LEN_WSALT;
    struct galois_mode *self = calloc(1, sizeof *self);
    if (self == NULL) return srtp_err_status_alloc_fail;
    self->context = EVP_CIPHER_CTX_new();
    if (self->context == NULL) {
        free(self);
        return srtp_err_status_alloc_fail;
    }
    self->cipher.type = is_256 ? &csrtp_galois_mode_256 : &csrtp_galois_mode;
    self->cipher.state = self;
    self->cipher.key_len = key_len;
    self->cipher.algorithm = is_256 ? SRTP_AES_GCM_256 : SRTP_AES_GCM_128;
    self->key_bytes = is_256 ? SRTP_AES_256_KEY_LEN : SRTP_AES_128_KEY_LEN;
    self->tag_bytes = tag_len;
    *result = &self->cipher;
    return srtp_err_status_ok;
}

static srtp_err_status_t galois_mode_init(void *state, const uint8_t *key) {
    struct galois_mode *self = state;
    const EVP_CIPHER *kind = self->key_bytes == SRTP_AES_128_KEY_LEN ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
    if (EVP_CipherInit_ex(self->context, kind, NULL, key, NULL, 1) != 1) return srtp_err_status_init_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t galois_mode_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction) {
    struct galois_mode *self = state;
    int is_encrypting = direction == srtp_direction_encrypt;
    if (EVP_CipherInit_ex(self->context, NULL, NULL, NULL, iv, is_encrypting) != 1) return srtp_err_status_cipher_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t galois_mode_set_aad(void *state, const uint8_t *aad, uint32_t length) {
    struct galois_mode *self = state;
    int done = 0;
    if (EVP_CipherUpdate(self->context, NULL, &done, aad, (int)length) != 1) return srtp_err_status_cipher_fail;
    return srtp_err_status_ok;
}

static srtp_err_status_t galois_mode_encrypt(void *state, uint8_t *buffer, unsigned int *length) {
    struct galois_mode *self = state;
    int done = 0;
    if (EVP_EncryptUpdate(self->context, buffer, &done, buffer, (int)*length) != 1) return srtp_err_status_cipher_fail;
    *length = (unsigned int)done;
    return srtp_err_status_ok;
}

static srtp_err_status_t galois_mode_get_tag(void *state, uint8_t *tag, uint32_t *length) {
    struct galois_mode *self = state;
    uint8_t nothing[16];
    int done = 0;
    if (EVP_EncryptFinal_ex(self->context, nothing, &done) != 1) return srtp_err_status_cipher_fail;
    if (EVP_CIPHER_CTX_ctrl(self->context, EVP_CTRL_GCM_GET_TAG, self->tag_bytes, tag) != 1) return srtp_err_status_cipher_fail;
    *length = (uint32_t)self->tag_bytes;
    return srtp_err_status_ok;
}

// The tag is the end of `buffer`.
static srtp_err_status_t galois_mode_decrypt(void *state, uint8_t *buffer, unsigned int *length) {
    struct galois_mode *self = state;
    if (*length < (unsigned int)self->tag_bytes) return srtp_err_status_bad_param;
    int size = (int)*length - self->tag_bytes, done = 0, last = 0;
    if (EVP_CIPHER_CTX_ctrl(self->context, EVP_CTRL_GCM_SET_TAG, self->tag_bytes, buffer + size) != 1) return srtp_err_status_cipher_fail;
    if (EVP_DecryptUpdate(self->context, buffer, &done, buffer, size) != 1) return srtp_err_status_cipher_fail;
    uint8_t nothing[16];
    if (EVP_DecryptFinal_ex(self->context, nothing, &last) != 1) return srtp_err_status_auth_fail;
    *length = (unsigned int)size;
    return srtp_err_status_ok;
}

// RFC 7714 §16.1.1 and §16.2.1: the packet that both protect, and what the key makes of it.
static const uint8_t galois_mode_test_key[44] = {
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15,
    0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x51, 0x75, 0x69, 0x64, 0x20, 0x70, 0x72, 0x6f, 0x20, 0x71, 0x75, 0x6f};
static uint8_t galois_mode_test_nonce[GALOIS_NONCE_BYTES] = {0x51, 0x75, 0x3c, 0x65, 0x80, 0xc2, 0x72, 0x6f, 0x20, 0x71, 0x84, 0x14};
static const uint8_t galois_mode_test_aad[12] = {0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2};
static const uint8_t galois_mode_test_plain[38] = {
    0x47, 0x61, 0x6c, 0x6c, 0x69, 0x61, 0x20, 0x65, 0x73, 0x74, 0x20, 0x6f, 0x6d, 0x6e, 0x69, 0x73, 0x20, 0x64, 0x69,
    0x76, 0x69, 0x73, 0x61, 0x20, 0x69, 0x6e, 0x20, 0x70, 0x61, 0x72, 0x74, 0x65, 0x73, 0x20, 0x74, 0x72, 0x65, 0x73};
static const uint8_t galois_mode_test_cipher[54] = {
    0xf2, 0x4d, 0xe3, 0xa3, 0xfb, 0x34, 0xde, 0x6c, 0xac, 0xba, 0x86, 0x1c, 0x9d, 0x7e, 0x4b, 0xca, 0xbe, 0x63,
    0x3b, 0xd5, 0x0d, 0x29, 0x4e, 0x6f, 0x42, 0xa5, 0xf4, 0x7a, 0x51, 0xc7, 0xd1, 0x9b, 0x36, 0xde, 0x3a, 0xdf,
    0x88, 0x33, 0x89, 0x9d, 0x7f, 0x27, 0xbe, 0xb1, 0x6a, 0x91, 0x52, 0xcf, 0x76, 0x5e, 0xe4, 0x39, 0x0c, 0xce};
static const srtp_cipher_test_case_t galois_mode_test = {
    .key_length_octets = 28, .key = galois_mode_test_key, .idx = galois_mode_test_nonce,
    .plaintext_length_octets = 38, .plaintext = galois_mode_test_plain,
    .ciphertext_length_octets = 54, .ciphertext = galois_mode_test_cipher,
    .aad_length_octets = 12, .aad = galois_mode_test_aad, .tag_length_octets = 16};
static const uint8_t galois_mode_256_test_cipher[54] = {
    0x32, 0xb1, 0xde, 0x78, 0xa8, 0x22, 0xfe, 0x12, 0xef, 0x9f, 0x78, 0xfa, 0x33, 0x2e, 0x33, 0xaa, 0xb1, 0x80,
    0x12, 0x38, 0x9a, 0x58, 0xe2, 0xf3, 0xb5, 0x0b, 0x2a, 0x02, 0x76, 0xff, 0xae, 0x0f, 0x1b, 0xa6, 0x37, 0x99,
    0xb8, 0x7b, 0x7a, 0xa3, 0xdb, 0x36, 0xdf, 0xff, 0xd6, 0xb0, 0xf9, 0xbb, 0x78, 0x78, 0xd7, 0xa7, 0x6c, 0x13};
static const srtp_cipher_test_case_t galois_mode_256_test = {
    .key_length_octets = 44, .key = galois_mode_test_key, .idx = galois_mode_test_nonce,
    .plaintext_length_octets = 38, .plaintext = galois_mode_test_plain,
    .ciphertext_length_octets = 54, .ciphertext = galois_mode_256_test_cipher,
    .aad_length_octets = 12, .aad = galois_mode_test_aad, .tag_length_octets = 16};

const srtp_cipher_type_t csrtp_galois_mode = {
    .alloc = galois_mode_alloc, .dealloc = galois_mode_dealloc, .init = galois_mode_init, .set_aad = galois_mode_set_aad,
    .encrypt = galois_mode_encrypt, .decrypt = galois_mode_decrypt, .set_iv = galois_mode_set_iv, .get_tag = galois_mode_get_tag,
    .description = "AES-128 GCM by OpenSSL", .test_data = &galois_mode_test, .id = SRTP_AES_GCM_128};
const srtp_cipher_type_t csrtp_galois_mode_256 = {
    .alloc = galois_mode_alloc, .dealloc = galois_mode_dealloc, .init = galois_mode_init, .set_aad = galois_mode_set_aad,
    .encrypt = galois_mode_encrypt, .decrypt = galois_mode_decrypt, .set_iv = galois_mode_set_iv, .get_tag = galois_mode_get_tag,
    .description = "AES-256 GCM by OpenSSL", .test_data = &galois_mode_256_test, .id = SRTP_AES_GCM_256};

// ---- HMAC-SHA1 (RFC 2104) ----

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

extern const srtp_auth_type_t csrtp_message_code;

static srtp_err_status_t message_code_alloc(srtp_auth_t **result, int key_len, int out_len) {
    if (key_len < 0 || key_len > SHA_CBLOCK || out_len < 0 || out_len > SHA_DIGEST_LENGTH) return srtp_err_status_bad_param;
    struct message_code *self = NULL;
    // In two cache lines, not in three.
    if (posix_memalign((void **)&self, 64, sizeof *self) != 0) return srtp_err_status_alloc_fail;
    memset(self, 0, sizeof *self);
    if (noted && !noted->code) noted->code = self;
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

srtp_err_status_t csrtp_use_openssl(void) {
    int by_instructions = csrtp_has_aes_instructions();
    const srtp_cipher_type_t *ciphers[] = {counter_mode(by_instructions, 0), counter_mode(by_instructions, 1), &csrtp_galois_mode, &csrtp_galois_mode_256};
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++) {
        srtp_err_status_t status = srtp_replace_cipher_type(ciphers[i], ciphers[i]->id);
        if (status != srtp_err_status_ok) return status;
    }
    return srtp_replace_auth_type(&csrtp_message_code, SRTP_HMAC_SHA1);
}

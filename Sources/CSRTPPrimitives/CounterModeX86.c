// AES in counter mode by the processor's own instructions (docs/decisions/0072-srtp-by-instructions.md). What a packet needs of its stream
// lies together, in four cache lines; with EVP it is spread over three objects, and among hundreds of calls most of what a packet costs is
// waiting for them.
#include "CSRTPPrimitives.h"
#include "Primitives.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define AES __attribute__((target("aes,sse4.1")))
enum { BLOCK = 16, LANES = 8, ROUNDS_MAX = 14 };

struct counter_mode {
    srtp_cipher_t cipher;               // what libsrtp holds; its `state` points back here
    unsigned position;                  // bytes of this packet's key stream that are used
    int rounds;
    int key_bytes;                      // without the salt
    __m128i counter;                    // of the packet's first block
    uint8_t offset[BLOCK];              // the salt, times 2^16
    __m128i round_keys[ROUNDS_MAX + 1];
};

int csrtp_has_aes_instructions(void) { return __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.1"); }

static srtp_err_status_t deallocate(srtp_cipher_t *cipher) {
    struct counter_mode *self = cipher->state;
    OPENSSL_cleanse(self, sizeof *self);
    free(self);
    return srtp_err_status_ok;
}

static srtp_err_status_t allocate(srtp_cipher_t **result, int key_len, int tag_len) {
    (void)tag_len;
    if (key_len != SRTP_AES_ICM_128_KEY_LEN_WSALT && key_len != SRTP_AES_ICM_256_KEY_LEN_WSALT) return srtp_err_status_bad_param;
    int is_256 = key_len == SRTP_AES_ICM_256_KEY_LEN_WSALT;
    struct counter_mode *self = NULL;
    if (posix_memalign((void **)&self, 64, sizeof *self) != 0) return srtp_err_status_alloc_fail;
    memset(self, 0, sizeof *self);
    self->cipher.type = is_256 ? &csrtp_counter_mode_256_x86 : &csrtp_counter_mode_x86;
    self->cipher.state = self;
    self->cipher.key_len = key_len;
    self->cipher.algorithm = is_256 ? SRTP_AES_ICM_256 : SRTP_AES_ICM_128;
    self->key_bytes = key_len - SRTP_SALT_LEN;
    self->rounds = is_256 ? 14 : 10;
    csrtp_note_cipher(self);
    *result = &self->cipher;
    return srtp_err_status_ok;
}

// FIPS 197 §5.2. The instruction's second word is SubWord and RotWord of its operand's second, its first word is SubWord alone.
AES static void expand(struct counter_mode *self, const uint8_t *key) {
    int of_key = self->key_bytes / 4, count = 4 * (self->rounds + 1);
    uint32_t words[4 * (ROUNDS_MAX + 1)];
    memcpy(words, key, (size_t)self->key_bytes);
    uint32_t constant = 1;
    for (int i = of_key; i < count; i++) {
        uint32_t word = words[i - 1];
        __m128i substituted = _mm_aeskeygenassist_si128(_mm_set1_epi32((int)word), 0);
        if (i % of_key == 0) {
            word = (uint32_t)_mm_extract_epi32(substituted, 1) ^ constant;
            constant = constant << 1 ^ (constant & 0x80 ? 0x11b : 0);
        } else if (of_key > 6 && i % of_key == 4) {
            word = (uint32_t)_mm_extract_epi32(substituted, 0);
        }
        words[i] = words[i - of_key] ^ word;
    }
    memcpy(self->round_keys, words, (size_t)count * 4);
    OPENSSL_cleanse(words, sizeof words);
}

// `key`: 16 or 32 bytes, then 14 of salt.
static srtp_err_status_t initialise(void *state, const uint8_t *key) {
    struct counter_mode *self = state;
    memcpy(self->offset, key + self->key_bytes, SRTP_SALT_LEN);
    memset(self->offset + SRTP_SALT_LEN, 0, sizeof self->offset - SRTP_SALT_LEN);
    expand(self, key);
    return srtp_err_status_ok;
}

static srtp_err_status_t set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction) {
    (void)direction;  // counter mode is its own inverse
    struct counter_mode *self = state;
    // Libsrtp does other things before it asks for the key stream.
    for (int round = 0; round <= self->rounds; round += 4) __builtin_prefetch(self->round_keys + round);
    self->counter = _mm_xor_si128(_mm_loadu_si128((const __m128i *)self->offset), _mm_loadu_si128((const __m128i *)iv));
    self->position = 0;
    return srtp_err_status_ok;
}

// LANES blocks of the key stream from `first` on.
AES static inline void key_stream(const struct counter_mode *self, unsigned first, __m128i blocks[LANES]) {
    // A packet's counter begins with its last 16 bits 0, and they alone count (RFC 3711 §4.1.1).
    unsigned low = (unsigned)_mm_extract_epi8(self->counter, 14) << 8 | (unsigned)_mm_extract_epi8(self->counter, 15);
    for (int i = 0; i < LANES; i++) {
        unsigned number = low + first + (unsigned)i;
        blocks[i] = _mm_insert_epi16(self->counter, (int)((number & 0xff) << 8 | (number >> 8 & 0xff)), 7);
        blocks[i] = _mm_xor_si128(blocks[i], self->round_keys[0]);
    }
    for (int round = 1; round < self->rounds; round++)
        for (int i = 0; i < LANES; i++) blocks[i] = _mm_aesenc_si128(blocks[i], self->round_keys[round]);
    for (int i = 0; i < LANES; i++) blocks[i] = _mm_aesenclast_si128(blocks[i], self->round_keys[self->rounds]);
}

AES static srtp_err_status_t apply(void *state, uint8_t *buffer, unsigned int *length) {
    struct counter_mode *self = state;
    unsigned count = *length, done = 0, low = (unsigned)_mm_extract_epi8(self->counter, 14) << 8 | (unsigned)_mm_extract_epi8(self->counter, 15);
    // More would use key stream twice.
    if (count > (0x10000 - low) * BLOCK - self->position) return srtp_err_status_cipher_fail;
    while (done < count) {
        __m128i blocks[LANES];
        unsigned skipped = self->position % BLOCK, left = count - done;
        key_stream(self, self->position / BLOCK, blocks);
        unsigned taken = left < sizeof blocks - skipped ? left : (unsigned)sizeof blocks - skipped;
        const uint8_t *stream = (const uint8_t *)blocks + skipped;
        unsigned at = 0;
        for (; at + BLOCK <= taken; at += BLOCK) {
            __m128i *to = (__m128i *)(buffer + done + at);
            _mm_storeu_si128(to, _mm_xor_si128(_mm_loadu_si128(to), _mm_loadu_si128((const __m128i *)(stream + at))));
        }
        for (; at < taken; at++) buffer[done + at] ^= stream[at];
        done += taken;
        self->position += taken;
    }
    return srtp_err_status_ok;
}

const srtp_cipher_type_t csrtp_counter_mode_x86 = {
    .alloc = allocate, .dealloc = deallocate, .init = initialise, .encrypt = apply, .decrypt = apply, .set_iv = set_iv,
    .description = "AES-128 counter mode by instructions", .test_data = &csrtp_counter_mode_test, .id = SRTP_AES_ICM_128};
const srtp_cipher_type_t csrtp_counter_mode_256_x86 = {
    .alloc = allocate, .dealloc = deallocate, .init = initialise, .encrypt = apply, .decrypt = apply, .set_iv = set_iv,
    .description = "AES-256 counter mode by instructions", .test_data = &csrtp_counter_mode_256_test, .id = SRTP_AES_ICM_256};

#else

int csrtp_has_aes_instructions(void) { return 0; }

#endif

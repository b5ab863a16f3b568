/*
 * Keys and signatures in the file formats of minisign (https://jedisct1.github.io/minisign/): Ed25519 over the BLAKE2b-512 hash of
 * the file, with a trusted comment that is signed too. What is written here the standard `minisign` program reads, and
 * the other way round. The cryptography is libsodium's.
 *
 *     secret key  Ed Sc B2 salt[32] opslimit[8] memlimit[8] (keynum[8] secret[64] checksum[32] xor scrypt(passphrase, salt))
 *     public key  Ed keynum[8] public[32]
 *     signature   ED keynum[8] signature[64] / trusted comment / signature of (signature, trusted comment)
 */
#ifndef ADG_GOVERN_MINISIGN_H
#define ADG_GOVERN_MINISIGN_H

#include <stdint.h>

#include "core/buffer.h"

struct adg_public_key {
    uint8_t number[8];
    uint8_t key[32];
};

struct adg_secret_key {
    uint8_t number[8];
    uint8_t key[64]; /* its second half is the public key */
};

#define ADG_TRUSTED_COMMENT_BYTES 2048

/* Makes a pair and writes `path` (mode 0600, encrypted under the passphrase) and `path`.pub. ADG_FAILED when either exists. */
ADG_MUST_CHECK enum adg_status adg_key_generate(const char *path, const char *passphrase, struct adg_error *error);

/* ADG_BAD_INPUT: no secret key of minisign, or one that is not encrypted; ADG_REFUSED: the passphrase is wrong. */
ADG_MUST_CHECK enum adg_status adg_secret_key_read(const char *path, const char *passphrase, struct adg_secret_key *out,
                                                   struct adg_error *error);
void adg_secret_key_wipe(struct adg_secret_key *key);

/* From the text of a .pub file; `name` is for the message. */
ADG_MUST_CHECK enum adg_status adg_public_key_parse(struct adg_span text, const char *name, struct adg_public_key *out,
                                                    struct adg_error *error);

/* Appends a signature file to `out`. The comment is one line of at most ADG_TRUSTED_COMMENT_BYTES - 1 bytes. */
ADG_MUST_CHECK enum adg_status adg_signature_make(const struct adg_secret_key *key, struct adg_span message,
                                                  const char *trusted_comment, struct adg_buffer *out,
                                                  struct adg_error *error);

struct adg_signature {
    uint8_t number[8]; /* of the key that made it */
    uint8_t signature[64], global[64];
    char trusted_comment[ADG_TRUSTED_COMMENT_BYTES]; /* not to be trusted before adg_signature_verify */
};

/* ADG_REFUSED: no signature file. `name` is for the message. */
ADG_MUST_CHECK enum adg_status adg_signature_parse(struct adg_span text, const char *name, struct adg_signature *out,
                                                   struct adg_error *error);
/* ADG_REFUSED: not of this key, or not over these bytes, or another trusted comment. */
ADG_MUST_CHECK enum adg_status adg_signature_verify(const struct adg_signature *signature,
                                                    const struct adg_public_key *key, struct adg_span message,
                                                    const char *name, struct adg_error *error);

#endif

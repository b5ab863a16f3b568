/*
 * minisign's files: see minisign.h.
 */
#include "govern/minisign.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"

enum {
    KEY_NUMBER_BYTES = 8,
    SECRET_BYTES = KEY_NUMBER_BYTES + crypto_sign_SECRETKEYBYTES + crypto_generichash_BYTES,
    SECRET_FILE_BYTES = 6 + crypto_pwhash_scryptsalsa208sha256_SALTBYTES + 16 + SECRET_BYTES,
    PUBLIC_FILE_BYTES = 2 + KEY_NUMBER_BYTES + crypto_sign_PUBLICKEYBYTES,
    SIGNATURE_FILE_BYTES = 2 + KEY_NUMBER_BYTES + crypto_sign_BYTES,
    LINE_BYTES = 1024,
};

static const char untrusted_prefix[] = "untrusted comment: ", trusted_prefix[] = "trusted comment: ";

static bool start_sodium(void)
{
    return sodium_init() >= 0;
}

static void put_number(uint8_t *out, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)(value >> 8 * i);
    }
}

static uint64_t take_number(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        value |= (uint64_t)bytes[i] << 8 * i;
    }
    return value;
}

static enum adg_status put_base64(struct adg_buffer *out, const uint8_t *bytes, size_t size, struct adg_error *error)
{
    char text[LINE_BYTES];
    sodium_bin2base64(text, sizeof text, bytes, size, sodium_base64_VARIANT_ORIGINAL);
    enum adg_status status = adg_buffer_printf(out, error, "%s\n", text);
    sodium_memzero(text, sizeof text);
    return status;
}

/* The next line of `text`, without its end; false when there is none, or it has no end. */
static bool take_line(struct adg_span *text, struct adg_span *line)
{
    const uint8_t *end = text->size > 0 ? memchr(text->data, '\n', text->size) : NULL;
    if (end == NULL) {
        return false;
    }
    *line = (struct adg_span){text->data, (size_t)(end - text->data)};
    text->data += line->size + 1;
    text->size -= line->size + 1;
    return true;
}

static bool has_prefix(struct adg_span line, const char *prefix)
{
    return line.size >= strlen(prefix) && memcmp(line.data, prefix, strlen(prefix)) == 0;
}

/* A line of base64 that says exactly `size` bytes. */
static bool take_base64(struct adg_span *text, uint8_t *out, size_t size)
{
    struct adg_span line;
    size_t found = 0;
    return take_line(text, &line) &&
           sodium_base642bin(out, size, (const char *)line.data, line.size, NULL, &found, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           found == size;
}

static bool take_untrusted(struct adg_span *text)
{
    struct adg_span line;
    return take_line(text, &line) && has_prefix(line, untrusted_prefix);
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

/* BLAKE2b-256 over algorithm, number and key. */
static void checksum_of(const uint8_t *secret, uint8_t out[crypto_generichash_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)"Ed", 2);
    crypto_generichash_update(&state, secret, KEY_NUMBER_BYTES + crypto_sign_SECRETKEYBYTES);
    crypto_generichash_final(&state, out, crypto_generichash_BYTES);
}

static enum adg_status xor_with_passphrase(uint8_t *secret, const char *passphrase, const uint8_t *salt,
                                           uint64_t opslimit, uint64_t memlimit, struct adg_error *error)
{
    uint8_t stream[SECRET_BYTES];
    if (opslimit > (uint64_t)1 << 40 || memlimit > (uint64_t)1 << 40) {
        return adg_fail(error, ADG_BAD_INPUT, "expected a key that a computer of today can open");
    }
    if (crypto_pwhash_scryptsalsa208sha256(stream, sizeof stream, passphrase, strlen(passphrase), salt, opslimit,
                                           (size_t)memlimit) != 0) {
        return adg_fail(error, ADG_FAILED, "opening a secret key takes %u MB of memory, which is not there",
                        (unsigned)(memlimit >> 20));
    }
    for (size_t i = 0; i < sizeof stream; i++) {
        secret[i] ^= stream[i];
    }
    sodium_memzero(stream, sizeof stream);
    return ADG_OK;
}

/* A new file, in one go; nothing is overwritten. */
static enum adg_status create_file(const char *path, unsigned mode, const struct adg_buffer *bytes,
                                   struct adg_error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0) {
        return errno == EEXIST ? adg_fail(error, ADG_FAILED, "%s is there already; keys are never overwritten", path)
                               : adg_fail_errno(error, errno, "%s cannot be created", path);
    }
    ssize_t written = write(fd, bytes->data, bytes->size);
    bool good = written >= 0 && (size_t)written == bytes->size && fsync(fd) == 0;
    int reason = errno;
    close(fd);
    if (!good) {
        unlink(path);
        return adg_fail_errno(error, reason, "%s cannot be written", path);
    }
    return ADG_OK;
}

enum adg_status adg_key_generate(const char *path, const char *passphrase, struct adg_error *error)
{
    uint8_t file[SECRET_FILE_BYTES], public_file[PUBLIC_FILE_BYTES], public_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t *salt = file + 6, *limits = salt + crypto_pwhash_scryptsalsa208sha256_SALTBYTES, *secret = limits + 16;
    struct adg_buffer text = {0}, public_text = {0}, public_path = {0};
    if (!start_sodium()) {
        return adg_fail(error, ADG_FAILED, "libsodium cannot be started");
    }
    memcpy(file, "EdScB2", 6);
    randombytes_buf(salt, crypto_pwhash_scryptsalsa208sha256_SALTBYTES);
    put_number(limits, crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE);
    put_number(limits + 8, crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE);
    randombytes_buf(secret, KEY_NUMBER_BYTES);
    crypto_sign_keypair(public_key, secret + KEY_NUMBER_BYTES);
    checksum_of(secret, secret + KEY_NUMBER_BYTES + crypto_sign_SECRETKEYBYTES);
    memcpy(public_file, "Ed", 2);
    memcpy(public_file + 2, secret, KEY_NUMBER_BYTES);
    memcpy(public_file + 2 + KEY_NUMBER_BYTES, public_key, sizeof public_key);
    enum adg_status status = xor_with_passphrase(secret, passphrase, salt,
                                                 crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE,
                                                 crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE, error);
    if (status == ADG_OK) {
        status = adg_buffer_printf(&text, error, "%sminisign encrypted secret key\n", untrusted_prefix);
    }
    if (status == ADG_OK) {
        status = put_base64(&text, file, sizeof file, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_printf(&public_text, error, "%sminisign public key %016llX\n", untrusted_prefix,
                                   (unsigned long long)take_number(public_file + 2));
    }
    if (status == ADG_OK) {
        status = put_base64(&public_text, public_file, sizeof public_file, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_printf(&public_path, error, "%s.pub", path);
    }
    if (status == ADG_OK) {
        status = create_file(path, 0600, &text, error);
    }
    if (status == ADG_OK) {
        status = create_file(adg_buffer_text(&public_path), 0644, &public_text, error);
        if (status != ADG_OK) {
            unlink(path);
        }
    }
    adg_buffer_fini(&public_path);
    adg_buffer_fini(&public_text);
    adg_buffer_fini(&text);
    sodium_memzero(file, sizeof file);
    return status;
}

enum adg_status adg_secret_key_read(const char *path, const char *passphrase, struct adg_secret_key *out,
                                    struct adg_error *error)
{
    uint8_t file[SECRET_FILE_BYTES], checksum[crypto_generichash_BYTES];
    const uint8_t *salt = file + 6, *limits = salt + crypto_pwhash_scryptsalsa208sha256_SALTBYTES;
    uint8_t *secret = file + 6 + crypto_pwhash_scryptsalsa208sha256_SALTBYTES + 16;
    struct adg_buffer text = {0};
    enum adg_status status = start_sodium() ? adg_file_read(path, &text, error)
                                            : adg_fail(error, ADG_FAILED, "libsodium cannot be started");
    struct adg_span rest = {text.data, text.size};
    if (status == ADG_OK && (!take_untrusted(&rest) || !take_base64(&rest, file, sizeof file) ||
                             memcmp(file, "Ed", 2) != 0 || memcmp(file + 4, "B2", 2) != 0)) {
        status = adg_fail(error, ADG_BAD_INPUT, "%s: expected a secret key of minisign", path);
    }
    if (status == ADG_OK && memcmp(file + 2, "Sc", 2) != 0) {
        status = adg_fail(error, ADG_BAD_INPUT, "%s: expected a secret key that is encrypted under a passphrase", path);
    }
    if (status == ADG_OK) {
        status = xor_with_passphrase(secret, passphrase, salt, take_number(limits), take_number(limits + 8), error);
        adg_context(error, status, "%s", path);
    }
    if (status == ADG_OK) {
        checksum_of(secret, checksum);
        if (sodium_memcmp(checksum, secret + KEY_NUMBER_BYTES + crypto_sign_SECRETKEYBYTES, sizeof checksum) != 0) {
            status = adg_fail(error, ADG_REFUSED, "%s: the passphrase is wrong", path);
        }
    }
    if (status == ADG_OK) {
        memcpy(out->number, secret, sizeof out->number);
        memcpy(out->key, secret + KEY_NUMBER_BYTES, sizeof out->key);
    }
    sodium_memzero(file, sizeof file);
    adg_buffer_fini(&text);
    return status;
}

void adg_secret_key_wipe(struct adg_secret_key *key)
{
    sodium_memzero(key, sizeof *key);
}

enum adg_status adg_public_key_parse(struct adg_span text, const char *name, struct adg_public_key *out,
                                     struct adg_error *error)
{
    uint8_t file[PUBLIC_FILE_BYTES];
    if (!take_untrusted(&text) || !take_base64(&text, file, sizeof file) || memcmp(file, "Ed", 2) != 0) {
        return adg_fail(error, ADG_BAD_INPUT, "%s: expected a public key of minisign", name);
    }
    memcpy(out->number, file + 2, sizeof out->number);
    memcpy(out->key, file + 2 + KEY_NUMBER_BYTES, sizeof out->key);
    return ADG_OK;
}

/* ---- signatures -------------------------------------------------------------------------------------------------- */

static void hash_message(struct adg_span message, uint8_t out[crypto_generichash_BYTES_MAX])
{
    crypto_generichash(out, crypto_generichash_BYTES_MAX, message.data, message.size, NULL, 0);
}

/* The bytes that the second signature covers; returns their number. */
static size_t join_comment(const uint8_t signature[crypto_sign_BYTES], const char *comment,
                           uint8_t out[crypto_sign_BYTES + ADG_TRUSTED_COMMENT_BYTES])
{
    memcpy(out, signature, crypto_sign_BYTES);
    memcpy(out + crypto_sign_BYTES, comment, strlen(comment));
    return crypto_sign_BYTES + strlen(comment);
}

enum adg_status adg_signature_make(const struct adg_secret_key *key, struct adg_span message,
                                   const char *trusted_comment, struct adg_buffer *out, struct adg_error *error)
{
    uint8_t hash[crypto_generichash_BYTES_MAX], file[SIGNATURE_FILE_BYTES], global[crypto_sign_BYTES];
    uint8_t joined[crypto_sign_BYTES + ADG_TRUSTED_COMMENT_BYTES];
    if (!start_sodium() || strlen(trusted_comment) >= ADG_TRUSTED_COMMENT_BYTES ||
        strpbrk(trusted_comment, "\r\n") != NULL) {
        return adg_fail(error, ADG_FAILED, "the trusted comment of a signature is one line of at most %d bytes",
                        ADG_TRUSTED_COMMENT_BYTES - 1);
    }
    hash_message(message, hash);
    memcpy(file, "ED", 2);
    memcpy(file + 2, key->number, KEY_NUMBER_BYTES);
    crypto_sign_detached(file + 2 + KEY_NUMBER_BYTES, NULL, hash, sizeof hash, key->key);
    size_t size = join_comment(file + 2 + KEY_NUMBER_BYTES, trusted_comment, joined);
    crypto_sign_detached(global, NULL, joined, size, key->key);
    enum adg_status status = adg_buffer_printf(out, error, "%ssignature from adg\n", untrusted_prefix);
    if (status == ADG_OK) {
        status = put_base64(out, file, sizeof file, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_printf(out, error, "%s%s\n", trusted_prefix, trusted_comment);
    }
    return status == ADG_OK ? put_base64(out, global, sizeof global, error) : status;
}

enum adg_status adg_signature_parse(struct adg_span text, const char *name, struct adg_signature *out,
                                    struct adg_error *error)
{
    uint8_t file[SIGNATURE_FILE_BYTES];
    struct adg_signature made = {0};
    struct adg_span comment;
    bool good = take_untrusted(&text) && take_base64(&text, file, sizeof file) && memcmp(file, "ED", 2) == 0 &&
                take_line(&text, &comment) && has_prefix(comment, trusted_prefix) &&
                comment.size - strlen(trusted_prefix) < ADG_TRUSTED_COMMENT_BYTES &&
                memchr(comment.data, '\0', comment.size) == NULL &&
                take_base64(&text, made.global, sizeof made.global) && text.size == 0;
    if (!good) {
        return adg_fail(error, ADG_REFUSED, "%s: expected a signature of minisign over a hash", name);
    }
    memcpy(made.number, file + 2, sizeof made.number);
    memcpy(made.signature, file + 2 + KEY_NUMBER_BYTES, sizeof made.signature);
    memcpy(made.trusted_comment, comment.data + strlen(trusted_prefix), comment.size - strlen(trusted_prefix));
    *out = made;
    return ADG_OK;
}

enum adg_status adg_signature_verify(const struct adg_signature *signature, const struct adg_public_key *key,
                                     struct adg_span message, const char *name, struct adg_error *error)
{
    uint8_t hash[crypto_generichash_BYTES_MAX], joined[crypto_sign_BYTES + ADG_TRUSTED_COMMENT_BYTES];
    if (!start_sodium() || memcmp(signature->number, key->number, sizeof key->number) != 0) {
        return adg_fail(error, ADG_REFUSED, "%s: the signature is of another key", name);
    }
    hash_message(message, hash);
    if (crypto_sign_verify_detached(signature->signature, hash, sizeof hash, key->key) != 0) {
        return adg_fail(error, ADG_REFUSED, "%s: the signature does not match the signed file", name);
    }
    size_t size = join_comment(signature->signature, signature->trusted_comment, joined);
    if (crypto_sign_verify_detached(signature->global, joined, size, key->key) != 0) {
        return adg_fail(error, ADG_REFUSED, "%s: the trusted comment was changed", name);
    }
    return ADG_OK;
}

/*
 * Signatures and who made them: see signoff.h.
 */
#include "govern/signoff.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/date.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/strings.h"
#include "govern/review.h"

/* ---- trusted keys ------------------------------------------------------------------------------------------------ */

static enum adg_status add_key(struct adg_trust *trust, int role, const char *folder, const char *name,
                               struct adg_error *error)
{
    struct adg_buffer text = {0};
    struct adg_public_key key;
    char *path = adg_path_join(folder, name);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : adg_file_read(path, &text, error);
    if (status == ADG_OK) {
        status = adg_public_key_parse((struct adg_span){text.data, text.size}, path, &key, error);
    }
    if (status == ADG_OK) {
        struct adg_public_key *keys = adg_realloc_array(trust->keys[role], trust->counts[role] + 1, sizeof *keys);
        if (keys == NULL) {
            status = adg_fail_memory(error);
        } else {
            keys[trust->counts[role]++] = key;
            trust->keys[role] = keys;
        }
    }
    adg_buffer_fini(&text);
    adg_free(path);
    return status;
}

static enum adg_status read_role(struct adg_trust *trust, int role, const char *trust_folder, struct adg_error *error)
{
    char *folder = adg_path_join(trust_folder, adg_signer_names[role]);
    if (folder == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = ADG_OK;
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        status = errno == ENOENT ? adg_fail(error, ADG_REFUSED, "%s is missing: it holds the %ss' public keys", folder,
                                            adg_signer_names[role])
                                 : adg_fail_errno(error, errno, "%s cannot be read", folder);
    }
    const struct dirent *entry;
    while (status == ADG_OK && (entry = readdir(entries)) != NULL) {
        if (adg_ends_with(entry->d_name, ".pub")) {
            status = add_key(trust, role, folder, entry->d_name, error);
        }
    }
    if (entries != NULL) {
        closedir(entries);
    }
    if (status == ADG_OK && trust->counts[role] == 0) {
        status = adg_fail(error, ADG_REFUSED, "%s holds no public key (*.pub)", folder);
    }
    adg_free(folder);
    return status;
}

enum adg_status adg_trust_read(const char *folder, struct adg_trust *out, struct adg_error *error)
{
    struct adg_trust trust = {{NULL}, {0}};
    enum adg_status status = ADG_OK;
    for (int role = 0; role < ADG_SIGNERS && status == ADG_OK; role++) {
        status = read_role(&trust, role, folder, error);
    }
    for (uint32_t r = 0; r < trust.counts[ADG_REVIEWER] && status == ADG_OK; r++) {
        for (uint32_t a = 0; a < trust.counts[ADG_APPROVER] && status == ADG_OK; a++) {
            if (memcmp(trust.keys[ADG_REVIEWER][r].key, trust.keys[ADG_APPROVER][a].key, 32) == 0) {
                status = adg_fail(error, ADG_REFUSED,
                                  "%s trusts one key as reviewer and as approver: two people have two keys", folder);
            }
        }
    }
    if (status != ADG_OK) {
        adg_trust_fini(&trust);
        return status;
    }
    *out = trust;
    return ADG_OK;
}

void adg_trust_fini(struct adg_trust *trust)
{
    for (int role = 0; role < ADG_SIGNERS; role++) {
        adg_free(trust->keys[role]);
    }
    *trust = (struct adg_trust){{NULL}, {0}};
}

/* ---- the signed comment ------------------------------------------------------------------------------------------ */

static enum adg_status write_comment(enum adg_role_of_signer role, const struct adg_signer *signer,
                                     struct adg_buffer *out, struct adg_error *error)
{
    char date[11] = "";
    adg_date_format(signer->date, date);
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:I, s:s}}", "role", adg_signer_names[role], "name",
                             signer->name, "email", signer->email, "date", date, "review_sha256", signer->review_sha256,
                             "checklist", "confirmed", (json_int_t)signer->questions, "asked",
                             signer->on_terminal ? "question by question" : "by option");
    char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
    enum adg_status status = text == NULL ? adg_fail(error, ADG_BAD_INPUT, "name and e-mail must be UTF-8")
                                          : adg_buffer_append_text(out, text, error);
    free(text); /* jansson's own memory */
    json_decref(root);
    return status == ADG_OK && adg_buffer_text(out) == NULL ? adg_fail_memory(error) : status;
}

static bool take_text(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length >= size) {
        return false;
    }
    memcpy(out, text, length + 1);
    return true;
}

static enum adg_status read_comment(const char *comment, enum adg_role_of_signer role, struct adg_signer *out,
                                    struct adg_error *error)
{
    const char *file = adg_signature_files[role], *stated, *name, *email, *date, *review, *asked;
    json_int_t questions = 0;
    json_t *root = json_loads(comment, JSON_REJECT_DUPLICATES, NULL);
    enum adg_status status = ADG_OK;
    if (root == NULL ||
        json_unpack(root, "{s:s, s:s, s:s, s:s, s:s, s:{s:I, s:s !} !}", "role", &stated, "name", &name, "email",
                    &email, "date", &date, "review_sha256", &review, "checklist", "confirmed", &questions, "asked",
                    &asked) != 0 ||
        questions < 0 || questions > UINT32_MAX || !take_text(out->name, sizeof out->name, name) ||
        !take_text(out->email, sizeof out->email, email) ||
        !take_text(out->review_sha256, sizeof out->review_sha256, review) ||
        !adg_date_parse(date, strlen(date), &out->date)) {
        status = adg_fail(error, ADG_REFUSED, "%s: the signed comment is not one of adg sign", file);
    } else if (strcmp(stated, adg_signer_names[role]) != 0) {
        status = adg_fail(error, ADG_REFUSED, "%s: was signed by a %s, expected the %s", file, stated,
                          adg_signer_names[role]);
    } else {
        out->questions = (uint32_t)questions;
        out->on_terminal = strcmp(asked, "question by question") == 0;
    }
    json_decref(root);
    return status;
}

/* Without regard to case and blanks at the ends. */
static bool same_words(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    for (; a_length > 0 && (*a == ' ' || *a == '\t'); a++) {
        a_length--;
    }
    for (; b_length > 0 && (*b == ' ' || *b == '\t'); b++) {
        b_length--;
    }
    while (a_length > 0 && (a[a_length - 1] == ' ' || a[a_length - 1] == '\t')) {
        a_length--;
    }
    while (b_length > 0 && (b[b_length - 1] == ' ' || b[b_length - 1] == '\t')) {
        b_length--;
    }
    return a_length == b_length && strncasecmp(a, b, a_length) == 0;
}

static enum adg_status check_two_people(const struct adg_signer *reviewer, const struct adg_signer *approver,
                                        const uint8_t *reviewer_key, const uint8_t *approver_key,
                                        struct adg_error *error)
{
    const char *same = memcmp(reviewer_key, approver_key, 8) == 0     ? "key"
                       : same_words(reviewer->name, approver->name)   ? "name"
                       : same_words(reviewer->email, approver->email) ? "e-mail"
                                                                      : NULL;
    return same == NULL
               ? ADG_OK
               : adg_fail(error, ADG_REFUSED, "reviewer and approver have the same %s: they must be two people", same);
}

static enum adg_status parse_file(const struct adg_metadata_folder *folder, enum adg_role_of_signer role,
                                  struct adg_signature *out, struct adg_error *error)
{
    const struct adg_buffer *file = &folder->signatures[role];
    if (file->size == 0) {
        return adg_fail(error, ADG_REFUSED, "there is no %s: the %s has not signed", adg_signature_files[role],
                        adg_signer_names[role]);
    }
    return adg_signature_parse((struct adg_span){file->data, file->size}, adg_signature_files[role], out, error);
}

/* ---- signing ----------------------------------------------------------------------------------------------------- */

/* What the reviewer's file says, before an approver signs. */
static enum adg_status check_reviewer(const struct adg_metadata_folder *folder, const struct adg_signer *approver,
                                      const struct adg_secret_key *key, struct adg_error *error)
{
    struct adg_signature signature;
    struct adg_signer reviewer = {.name = ""};
    enum adg_status status = parse_file(folder, ADG_REVIEWER, &signature, error);
    if (status == ADG_OK) {
        status = read_comment(signature.trusted_comment, ADG_REVIEWER, &reviewer, error);
    }
    if (status == ADG_OK) {
        status = check_two_people(&reviewer, approver, signature.number, key->number, error);
    }
    if (status == ADG_OK && strcmp(reviewer.review_sha256, folder->review_sha256) != 0) {
        status = adg_fail(error, ADG_REFUSED, "%s: the reviewer signed another %s", adg_signature_files[ADG_REVIEWER],
                          ADG_REVIEW_FILE);
    }
    return status;
}

static bool is_email(const char *text)
{
    const char *at = strchr(text, '@');
    return at != NULL && at > text && at[1] != '\0' && strpbrk(text, " \t\r\n") == NULL && strchr(at + 1, '@') == NULL;
}

static enum adg_status check_person(const struct adg_sign_options *options, struct adg_signer *signer,
                                    struct adg_error *error)
{
    if (!take_text(signer->name, sizeof signer->name, options->name) || strpbrk(options->name, "\r\n") != NULL ||
        same_words(options->name, "")) {
        return adg_fail(error, ADG_USAGE, "option --name: expected the name of a person, at most 255 bytes");
    }
    if (!take_text(signer->email, sizeof signer->email, options->email) || !is_email(options->email)) {
        return adg_fail(error, ADG_USAGE, "option --email: expected an e-mail address, at most 255 bytes");
    }
    return options->date > options->today
               ? adg_fail(error, ADG_REFUSED, "option --date: the day of a signature is not in the future")
               : ADG_OK;
}

static enum adg_status write_signature(const struct adg_sign_options *options, const struct adg_metadata_folder *folder,
                                       const struct adg_secret_key *key, const struct adg_signer *signer,
                                       struct adg_error *error)
{
    struct adg_buffer comment = {0}, signature = {0};
    char *path = adg_path_join(options->meta_folder, adg_signature_files[options->role]);
    enum adg_status status = path == NULL ? adg_fail_memory(error)
                                          : write_comment(options->role, signer, &comment, error);
    if (status == ADG_OK) {
        status = adg_signature_make(key, (struct adg_span){folder->manifest.data, folder->manifest.size},
                                    (const char *)comment.data, &signature, error);
    }
    if (status == ADG_OK) {
        status = adg_file_write(path, signature.data, signature.size, error);
    }
    adg_buffer_fini(&signature);
    adg_buffer_fini(&comment);
    adg_free(path);
    return status;
}

enum adg_status adg_sign(const struct adg_sign_options *options, struct adg_error *error)
{
    struct adg_arena arena = {0};
    struct adg_metadata_folder folder = {0};
    struct adg_secret_key key = {{0}, {0}};
    struct adg_signer signer = {.date = options->date, .on_terminal = options->on_terminal};
    const char *const *checklist = NULL;
    enum adg_status status = check_person(options, &signer, error);
    if (status == ADG_OK) {
        status = adg_metadata_folder_read(options->meta_folder, &folder, error);
    }
    if (status == ADG_OK) {
        status = adg_review_confirm(&folder, &arena, &checklist, &signer.questions, error);
    }
    if (status == ADG_OK) {
        memcpy(signer.review_sha256, folder.review_sha256, sizeof signer.review_sha256);
        status = adg_secret_key_read(options->key_path, options->passphrase, &key, error);
    }
    if (status == ADG_OK && options->role == ADG_APPROVER) {
        status = check_reviewer(&folder, &signer, &key, error);
    }
    for (uint32_t i = 0; i < signer.questions && status == ADG_OK; i++) {
        if (!options->confirm(options->context, checklist[i], i + 1, signer.questions)) {
            status = adg_fail(error, ADG_REFUSED, "question %u of the checklist is not confirmed: nothing is signed",
                              i + 1);
        }
    }
    if (status == ADG_OK) {
        status = write_signature(options, &folder, &key, &signer, error);
    }
    adg_secret_key_wipe(&key);
    adg_metadata_folder_fini(&folder);
    adg_arena_fini(&arena);
    return status;
}

/* ---- verifying --------------------------------------------------------------------------------------------------- */

static enum adg_status verify_role(const struct adg_metadata_folder *folder, const struct adg_trust *trust,
                                   enum adg_role_of_signer role, int32_t today, struct adg_signature *signature,
                                   struct adg_signer *signer, struct adg_error *error)
{
    const char *name = adg_signature_files[role];
    const struct adg_public_key *key = NULL;
    enum adg_status status = parse_file(folder, role, signature, error);
    for (uint32_t i = 0; status == ADG_OK && key == NULL && i < trust->counts[role]; i++) {
        if (memcmp(trust->keys[role][i].number, signature->number, sizeof signature->number) == 0) {
            key = &trust->keys[role][i];
        }
    }
    if (status == ADG_OK && key == NULL) {
        status = adg_fail(error, ADG_REFUSED, "%s: the signing key is not trusted as %s", name, adg_signer_names[role]);
    }
    if (status == ADG_OK) {
        status = adg_signature_verify(signature, key, (struct adg_span){folder->manifest.data, folder->manifest.size},
                                      name, error);
    }
    if (status == ADG_OK) {
        status = read_comment(signature->trusted_comment, role, signer, error);
    }
    if (status == ADG_OK && signer->date > today) {
        status = adg_fail(error, ADG_REFUSED, "%s: was signed on a day in the future", name);
    }
    if (status == ADG_OK && strcmp(signer->review_sha256, folder->review_sha256) != 0) {
        status = adg_fail(error, ADG_REFUSED, "%s does not match the hash in %s", ADG_REVIEW_FILE, name);
    }
    return status;
}

enum adg_status adg_signatures_verify(const struct adg_metadata_folder *folder, const struct adg_trust *trust,
                                      int32_t today, struct adg_signer signers[ADG_SIGNERS], struct adg_error *error)
{
    struct adg_signature signatures[ADG_SIGNERS];
    struct adg_signer found[ADG_SIGNERS] = {{.name = ""}, {.name = ""}};
    enum adg_status status = ADG_OK;
    for (int role = 0; role < ADG_SIGNERS && status == ADG_OK; role++) {
        status = verify_role(folder, trust, (enum adg_role_of_signer)role, today, &signatures[role], &found[role],
                             error);
    }
    if (status == ADG_OK) {
        status = check_two_people(&found[ADG_REVIEWER], &found[ADG_APPROVER], signatures[ADG_REVIEWER].number,
                                  signatures[ADG_APPROVER].number, error);
    }
    if (status == ADG_OK) {
        memcpy(signers, found, sizeof found);
    }
    return status;
}

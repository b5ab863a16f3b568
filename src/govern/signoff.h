/*
 * Signing metadata off: a reviewer and an approver sign manifest.json, which holds the hashes of the other files. The signed
 * comment is one line of JSON that says who signed in which role on which day, the hash of review.json, and that the
 * checklist was answered with yes.
 */
#ifndef ADG_GOVERN_SIGNOFF_H
#define ADG_GOVERN_SIGNOFF_H

#include "govern/minisign.h"
#include "metadata/folder.h"

struct adg_signer {
    char name[256], email[256];
    int32_t date; /* days since 1970-01-01 */
    char review_sha256[65];
    uint32_t questions; /* of the checklist, all confirmed */
    bool on_terminal;   /* asked there, question by question; else confirmed by an option */
};

/* The public keys that an organisation trusts: DIR/reviewer/ *.pub and DIR/approver/ *.pub. */
struct adg_trust {
    struct adg_public_key *keys[ADG_SIGNERS];
    uint32_t counts[ADG_SIGNERS];
};

/* ADG_REFUSED: no key for a role, or a key in both. */
ADG_MUST_CHECK enum adg_status adg_trust_read(const char *folder, struct adg_trust *out, struct adg_error *error);
void adg_trust_fini(struct adg_trust *trust);

struct adg_sign_options {
    const char *meta_folder;
    enum adg_role_of_signer role;
    const char *key_path, *passphrase, *name, *email;
    int32_t date, today;
    /* Asks each question; false: not confirmed. */
    bool (*confirm)(void *context, const char *question, uint32_t number, uint32_t count);
    bool on_terminal;
    void *context;
};

/*
 * Signs when the review has passed for exactly these bytes. ADG_REFUSED: it has not; the date is in the future; the approver is the
 * reviewer (key, name or e-mail), or there is no reviewer yet; a question is not confirmed.
 */
ADG_MUST_CHECK enum adg_status adg_sign(const struct adg_sign_options *options, struct adg_error *error);

/* Both signatures against the trusted keys, from the files that were read. ADG_REFUSED says what does not match. */
ADG_MUST_CHECK enum adg_status adg_signatures_verify(const struct adg_metadata_folder *folder,
                                                     const struct adg_trust *trust, int32_t today,
                                                     struct adg_signer signers[ADG_SIGNERS], struct adg_error *error);

#endif

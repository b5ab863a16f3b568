/*
 * Within the qa room: the distance of what was found from what the metadata have, as numbers in an order.
 */
#ifndef ADG_QA_DRIFT_H
#define ADG_QA_DRIFT_H

#include "qa/internal.h"

/* Zeroed is empty. */
struct adg_qa_drift {
    void *points;
    size_t count, capacity;
};

ADG_MUST_CHECK enum adg_status adg_qa_drift_expect(struct adg_qa_drift *drift, double key, double share,
                                                   struct adg_error *error);
/* Of a query, made in context->sql, that gives numbers and how often each is there, both as doubles; nulls are left out. */
ADG_MUST_CHECK enum adg_status adg_qa_drift_find(struct adg_qa_drift *drift, struct adg_qa_context *context,
                                                 const char *query, const char *doing, struct adg_error *error);
double adg_qa_distance(struct adg_qa_drift *drift);
void adg_qa_drift_fini(struct adg_qa_drift *drift);

#endif

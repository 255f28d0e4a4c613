/* http_private.h - what http.c and http_answer.c share. */
#ifndef TASKFERRY_HTTP_PRIVATE_H
#define TASKFERRY_HTTP_PRIVATE_H

#include "gateway/net/http.h"

/* Reads the header lines of an answer (LEN bytes, status line first) into REQUEST's fields. Its
 * `answered_us` is set. */
void http_answer_head(TALLOC_CTX *mem, struct http_request *request, const char *bytes, size_t len);

/* The path of a URL, cut where it is long: for the text of a fault. */
const char *http_answer_path(TALLOC_CTX *mem, const char *url);

#endif

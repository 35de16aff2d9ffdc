/* What the tests of the C interface share: checks that are counted, and records.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIBMARC_TESTS_CHECK_H
#define LIBMARC_TESTS_CHECK_H

#include <marc/marc.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checks_failed = 0;

static inline int check_that(int kept, const char *what, const char *file, int line) {
  if (!kept) {
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    ++checks_failed;
  }
  return kept;
}

/* Goes on after a failure; the value says whether it held. */
#define CHECK(condition) check_that((condition) ? 1 : 0, #condition, __FILE__, __LINE__)

/* What main returns. */
static inline int checks_result(void) {
  if (checks_failed != 0) {
    fprintf(stderr, "%d checks failed\n", checks_failed);
  }
  return checks_failed != 0;
}

/* A text that grows. */
typedef struct bytes {
  uint8_t *data;
  size_t length;
} bytes;

static inline void bytes_add(bytes *to, const void *data, size_t length) {
  to->data = (uint8_t *)realloc(to->data, to->length + length + 1);
  if (to->data == NULL) {
    abort();
  }
  memcpy(to->data + to->length, data, length);
  to->length += length;
}

static inline void bytes_add_text(bytes *to, const char *text) { bytes_add(to, text, strlen(text)); }

static inline void bytes_free(bytes *of) {
  free(of->data);
  of->data = NULL;
  of->length = 0;
}

/* Adds a record in UTF-8 with a 001 (id) and a 245 ($a title, $b "rest"). Its length is 83 bytes and those of both. */
static inline void add_record(bytes *to, const char *id, const char *title) {
  char text[400];
  const unsigned first = (unsigned)strlen(id) + 1;
  const unsigned second = 2 + 2 + (unsigned)strlen(title) + 2 + 4 + 1;
  const unsigned base = 24 + 2 * 12 + 1;
  const int length = snprintf(text, sizeof text,
                              "%05unam a22%05u a 4500001%04u00000245%04u%05u\x1e%s\x1e"
                              "10\x1f"
                              "a%s\x1f"
                              "brest\x1e\x1d",
                              base + first + second + 1, base, first, second, first, id, title);
  if (length < 0 || (size_t)length >= sizeof text) {
    abort();
  }
  bytes_add(to, text, (size_t)length);
}

/* Gives bytes as per read(2), at most `most` at once. Instead of the call number `fails_at` (from 1) it returns
 * `failure`. */
typedef struct feed {
  const uint8_t *data;
  size_t length, position, most;
  unsigned calls, fails_at;
  int64_t failure;
} feed;

static inline feed feed_of(const bytes *from, size_t most) {
  feed made;
  memset(&made, 0, sizeof made);
  made.data = from->data;
  made.length = from->length;
  made.most = most;
  return made;
}

static inline int64_t feed_read(void *context, uint8_t *buffer, size_t capacity) {
  feed *from = (feed *)context;
  size_t size = from->length - from->position;
  if (++from->calls == from->fails_at) {
    return from->failure;
  }
  size = size > capacity ? capacity : size;
  size = size > from->most ? from->most : size;
  memcpy(buffer, from->data + from->position, size);
  from->position += size;
  return (int64_t)size;
}

static inline int64_t feed_read_at(void *context, uint64_t offset, uint8_t *buffer, size_t capacity) {
  feed *from = (feed *)context;
  from->position = (size_t)offset;
  return feed_read(context, buffer, capacity);
}

/* What a reader has done so far. */
static inline marc_reader_info info_of(const marc_reader *reader) {
  marc_reader_info info;
  memset(&info, 0x55, sizeof info);
  info.struct_size = sizeof info;
  CHECK(marc_reader_get_info(reader, &info) == MARC_OK);
  CHECK(info.struct_size == sizeof info);
  return info;
}

/* Reads to the end; the number of records, and the last status. */
static inline unsigned read_rest(marc_reader *reader, int32_t *last) {
  unsigned records = 0;
  marc_batch *batch = NULL;
  while ((*last = marc_reader_next_batch(reader, &batch, NULL)) == MARC_OK) {
    records += marc_batch_record_count(batch);
    marc_batch_release(batch);
  }
  return records;
}

#endif

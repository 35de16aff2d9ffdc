/* A reader does not survive fork(): in the child it says so, in the parent it goes on.
 *
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

static bytes input;

/* What the child sees; its exit status is the number of failed checks. */
static void be_the_child(marc_reader *reader, marc_batch *batch, unsigned calls, const feed *from) {
  marc_batch *none = (marc_batch *)(void *)&input;
  marc_error error;
  checks_failed = 0;
  for (int i = 0; i < 2; ++i) {
    marc_error_init(&error, sizeof error);
    CHECK(marc_reader_next_batch(reader, &none, &error) == MARC_E_FORKED);
    CHECK(none == NULL);
    CHECK(error.code == MARC_E_FORKED && error.message[0] != '\0');
  }
  CHECK(from->calls == calls); /* the source was not touched */
  CHECK(marc_batch_record_count(batch) == 1);
  size_t length = 0;
  CHECK(memcmp(marc_batch_record_data(batch, 0, &length), input.data, length) == 0);
  marc_batch_release(batch);
  marc_reader_free(reader);
  /* One that is opened here works. */
  CHECK(marc_reader_open_bytes(input.data, input.length, NULL, &reader, NULL) == MARC_OK);
  CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_OK);
  CHECK(marc_batch_record_count(batch) == 2);
  marc_batch_release(batch);
  marc_reader_free(reader);
  _exit(checks_failed);
}

/* With threads that read ahead of it. In the child they are not: it can free the reader, and has threads of its own. */
#if defined(__SANITIZE_THREAD__)
enum { RECORDS = 3000, CHILD_THREADS = 1 }; /* ThreadSanitizer cannot follow threads of a forked child */
#else
enum { RECORDS = 3000, CHILD_THREADS = 3 };
#endif

static marc_reader *open_reader(const bytes *from) {
  marc_reader_options options;
  marc_reader *reader = NULL;
  marc_reader_options_init(&options, sizeof options);
  options.chunk_bytes = 2000;
  CHECK(marc_reader_open_bytes(from->data, from->length, &options, &reader, NULL) == MARC_OK);
  return reader;
}

static void be_the_child_with_threads(marc_reader *reader, marc_batch *batch, const bytes *many, int frees_first) {
  marc_batch *none = NULL;
  checks_failed = 0;
  alarm(20); /* ends a child that hangs */
  setenv("MARC_NUM_THREADS", CHILD_THREADS == 3 ? "3" : "1", 1);
  CHECK(marc_reader_next_batch(reader, &none, NULL) == MARC_E_FORKED && none == NULL);
  CHECK(marc_reader_get_rest(reader, NULL) == NULL);
  CHECK(marc_batch_record_count(batch) > 0);
  marc_batch_release(batch);
  if (frees_first) {
    marc_reader_free(reader);
  }
  for (int i = 0; i < 3; ++i) {
    marc_reader *own = open_reader(many);
    int32_t last = 0;
    CHECK(read_rest(own, &last) == RECORDS && last == MARC_END);
    const marc_reader_info info = info_of(own);
    CHECK(info.threads == CHILD_THREADS);
    CHECK((info.chunks_ahead > 0) == (CHILD_THREADS > 1));
    marc_reader_free(own);
  }
  if (!frees_first) {
    marc_reader_free(reader);
  }
  _exit(checks_failed);
}

static void test_threads(void) {
  bytes many = {NULL, 0};
  setenv("MARC_NUM_THREADS", "3", 1);
  for (int i = 0; i < RECORDS; ++i) {
    add_record(&many, "id", "A title");
  }
  for (int round = 0; round < 20; ++round) {
    marc_reader *reader = open_reader(&many);
    marc_reader *other = open_reader(&many); /* in use too, and not the child's */
    marc_batch *batch = NULL;
    unsigned records = 0;
    CHECK(marc_reader_next_batch(other, &batch, NULL) == MARC_OK);
    unsigned of_other = marc_batch_record_count(batch);
    marc_batch_release(batch);
    for (int i = 0; i <= round; ++i) {
      marc_batch_release(i == 0 ? NULL : batch);
      CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_OK);
      records += marc_batch_record_count(batch);
    }
    const pid_t child = fork();
    if (child == 0) {
      be_the_child_with_threads(reader, batch, &many, round % 2);
    }
    int32_t last = 0;
    records += read_rest(reader, &last); /* while the child does */
    of_other += read_rest(other, &last);
    CHECK(records == RECORDS && of_other == RECORDS);
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    marc_batch_release(batch);
    marc_reader_free(reader);
    marc_reader_free(other);
  }
  bytes_free(&many);
}

int main(void) {
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  test_threads();
  add_record(&input, "1", "One");
  feed from = feed_of(&input, input.length);
  add_record(&input, "2", "Two");
  from.data = input.data;
  from.length = input.length;
  CHECK(marc_reader_open_callback(feed_read, &from, NULL, &reader, NULL) == MARC_OK);
  CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_OK);
  const pid_t child = fork();
  if (child == 0) {
    be_the_child(reader, batch, from.calls, &from);
  }
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  marc_batch_release(batch);
  CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_OK);
  CHECK(marc_batch_record_count(batch) == 1);
  marc_batch_release(batch);
  CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_END);
  marc_reader_free(reader);
  bytes_free(&input);
  return checks_result();
}

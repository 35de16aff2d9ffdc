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

int main(void) {
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
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

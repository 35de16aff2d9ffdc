/* Readers of all four kinds: the same batches, failures at their place, the end for good, cancelling, and a callback
 * that calls back.
 *
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

static bytes records; /* three good ones, one to reject and some silent bytes: 4 pieces */
static uint64_t silent;

static void make_records(void) {
  bytes_add_text(&records, "\n");
  add_record(&records, "first", "The first title");
  add_record(&records, "second", "The second title");
  bytes_add_text(&records, "\r\n");
  bytes_add_text(&records, "junk\x1d");
  add_record(&records, "third", "The third title");
  silent = 3;
}

static marc_reader_options options_of(uint32_t chunk, uint32_t batch_records) {
  marc_reader_options options;
  marc_reader_options_init(&options, sizeof options);
  options.chunk_bytes = chunk;
  options.batch_records = batch_records;
  return options;
}

/* Reads to the end: all pieces are there, in order, none twice; then frees the reader. */
static void check_all(marc_reader *reader, uint32_t backend, uint32_t most) {
  marc_batch *batch = NULL;
  uint64_t at = 0;
  uint32_t pieces = 0;
  uint64_t bytes_in_pieces = 0;
  static const int32_t statuses[] = {MARC_OK, MARC_OK, MARC_BAD_LENGTH, MARC_OK};
  if (!CHECK(reader != NULL)) {
    return;
  }
  CHECK(info_of(reader).pieces == 0);
  while (marc_reader_next_batch(reader, &batch, NULL) == MARC_OK) {
    marc_batch_view view;
    view.struct_size = sizeof view;
    marc_batch_get_view(batch, &view);
    CHECK(view.record_count > 0 && view.record_count <= most);
    CHECK(view.first_index == pieces);
    CHECK(view.source_offset >= at);
    for (uint32_t i = 0; i < view.record_count && pieces < 4; ++i, ++pieces) {
      size_t length = 0;
      const uint8_t *data = marc_batch_record_data(batch, i, &length);
      const uint64_t offset = marc_batch_record_offset(batch, i);
      CHECK(marc_batch_record_status(batch, i) == statuses[pieces]);
      CHECK(offset >= at && offset + length <= records.length);
      CHECK(memcmp(records.data + offset, data, length) == 0);
      at = offset + length;
      bytes_in_pieces += length;
    }
    marc_batch_release(batch);
  }
  CHECK(batch == NULL);
  CHECK(pieces == 4);
  const marc_reader_info info = info_of(reader);
  CHECK(info.backend == backend);
  CHECK(info.bytes_read == records.length);
  CHECK(info.pieces == 4);
  CHECK(info.silent_bytes == silent);
  CHECK(info.silent_bytes + bytes_in_pieces == info.bytes_read);
  CHECK((info.source_reads > 0) == (backend != MARC_BACKEND_MEMORY));
  /* The end stays the end, without another read. */
  for (int i = 0; i < 3; ++i) {
    batch = (marc_batch *)(void *)&records;
    CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_END);
    CHECK(batch == NULL);
  }
  CHECK(info_of(reader).source_reads == info.source_reads);
  marc_reader_free(reader);
}

static void test_backends(const char *path) {
  static const uint32_t chunks[] = {64, 100, 1U << 20};
  static const uint32_t sizes[] = {0, 1, 3};
  for (size_t c = 0; c < 3; ++c) {
    for (size_t s = 0; s < 3; ++s) {
      const marc_reader_options options = options_of(chunks[c], sizes[s]);
      const uint32_t most = sizes[s] == 0 ? UINT32_MAX : sizes[s];
      marc_reader *reader = NULL;
      CHECK(marc_reader_open_path(path, &options, &reader, NULL) == MARC_OK);
      check_all(reader, MARC_BACKEND_FILE, most);
      CHECK(marc_reader_open_bytes(records.data, records.length, &options, &reader, NULL) == MARC_OK);
      check_all(reader, MARC_BACKEND_MEMORY, most);
      feed from = feed_of(&records, 17);
      CHECK(marc_reader_open_callback(feed_read, &from, &options, &reader, NULL) == MARC_OK);
      check_all(reader, MARC_BACKEND_CALLBACK, most);
      from = feed_of(&records, 31);
      CHECK(marc_reader_open_read_at(feed_read_at, &from, records.length, &options, &reader, NULL) == MARC_OK);
      check_all(reader, MARC_BACKEND_READ_AT, most);
    }
  }
}

static void test_size_of_info(void) {
  union {
    marc_reader_info info;
    unsigned char bytes[sizeof(marc_reader_info) + 16];
  } space;
  marc_reader *reader = NULL;
  CHECK(marc_reader_open_bytes(records.data, records.length, NULL, &reader, NULL) == MARC_OK);
  for (uint32_t size = 0; size <= sizeof space; ++size) {
    memset(&space, 0xA5, sizeof space);
    space.info.struct_size = size;
    CHECK(marc_reader_get_info(reader, &space.info) == MARC_OK);
    CHECK(space.info.struct_size == size);
    const size_t known = size < sizeof(marc_reader_info) ? size : sizeof(marc_reader_info);
    for (size_t i = known < 4 ? 4 : known; i < sizeof space; ++i) {
      if (space.bytes[i] != 0xA5 && !CHECK(!"a byte behind the struct was written")) {
        return;
      }
    }
    CHECK(size < 16 || space.info.bytes_read == records.length);
  }
  marc_reader_free(reader);
}

static void test_files_that_cannot_be_opened(void) {
  static const struct {
    const char *path;
    int number;
  } files[] = {{"/no/such/file", ENOENT}, {"/", EISDIR}, {"", ENOENT}, {"/dev/null/file", ENOTDIR}};
  for (size_t i = 0; i < sizeof files / sizeof *files; ++i) {
    marc_reader *reader = (marc_reader *)(void *)&records;
    marc_error error;
    marc_error_init(&error, sizeof error);
    CHECK(marc_reader_open_path(files[i].path, NULL, &reader, &error) == MARC_E_IO);
    CHECK(reader == NULL);
    CHECK(error.code == MARC_E_IO);
    CHECK(error.detail == files[i].number);
    CHECK(strcmp(error.message, strerror(files[i].number)) == 0);
    CHECK(error.tag[0] == '\0');
  }
}

/* The callback fails at its second or a later call, after so many records. */
static void test_failing_callback(void) {
  static const int64_t failures[] = {-1, -22, -2147483648LL, INT64_MIN, (1 << 20) + 1};
  for (size_t i = 0; i < sizeof failures / sizeof *failures; ++i) {
    bytes two = {NULL, 0};
    add_record(&two, "1", "one");
    const size_t first = two.length;
    add_record(&two, "2", "two");
    feed from = feed_of(&two, first + 10);
    from.fails_at = 2;
    from.failure = failures[i];
    marc_reader *reader = NULL;
    marc_batch *batch = NULL;
    marc_error error;
    marc_error_init(&error, sizeof error);
    CHECK(marc_reader_open_callback(feed_read, &from, NULL, &reader, &error) == MARC_OK);
    CHECK(marc_reader_next_batch(reader, &batch, &error) == MARC_OK);
    CHECK(marc_batch_record_count(batch) == 1);
    marc_batch_release(batch);
    CHECK(marc_reader_next_batch(reader, &batch, &error) == MARC_E_CALLBACK);
    CHECK(batch == NULL);
    CHECK(error.code == MARC_E_CALLBACK);
    CHECK(error.detail == failures[i]);
    CHECK(error.record_index == 1);
    CHECK(error.byte_offset == (int64_t)first);
    CHECK(error.message[0] != '\0');
    CHECK(marc_reader_next_batch(reader, &batch, &error) == MARC_END);
    CHECK(marc_reader_next_batch(reader, &batch, &error) == MARC_END);
    CHECK(from.calls == 2);
    marc_reader_free(reader);
    bytes_free(&two);
  }
}

static void test_interrupted_callback(void) {
  for (unsigned at = 1; at <= 4; ++at) {
    feed from = feed_of(&records, 100);
    from.fails_at = at;
    from.failure = MARC_READ_INTERRUPTED;
    marc_reader *reader = NULL;
    marc_batch *batch = NULL;
    marc_error error;
    marc_error_init(&error, sizeof error);
    unsigned interrupted = 0;
    uint32_t pieces = 0;
    CHECK(marc_reader_open_callback(feed_read, &from, NULL, &reader, &error) == MARC_OK);
    for (;;) {
      const int32_t status = marc_reader_next_batch(reader, &batch, &error);
      if (status == MARC_OK) {
        pieces += marc_batch_record_count(batch);
        marc_batch_release(batch);
        continue;
      }
      CHECK(batch == NULL);
      if (status != MARC_E_INTERRUPTED) {
        CHECK(status == MARC_END);
        break;
      }
      ++interrupted;
      CHECK(error.code == MARC_E_INTERRUPTED);
      CHECK(error.detail == 0); /* errno and values of callbacks stand there for MARC_E_IO and MARC_E_CALLBACK */
      CHECK(error.message[0] != '\0');
    }
    CHECK(interrupted == 1);
    CHECK(pieces == 4);
    marc_reader_free(reader);
  }
}

static void test_cancel(void) {
  feed from = feed_of(&records, 100);
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  marc_error error;
  marc_error_init(&error, sizeof error);
  CHECK(marc_reader_open_callback(feed_read, &from, NULL, &reader, &error) == MARC_OK);
  CHECK(marc_reader_next_batch(reader, &batch, &error) == MARC_OK);
  const unsigned calls = from.calls;
  marc_reader_cancel(reader);
  marc_reader_cancel(reader);
  for (int i = 0; i < 3; ++i) {
    marc_batch *other = (marc_batch *)(void *)&records;
    CHECK(marc_reader_next_batch(reader, &other, &error) == MARC_E_CANCELLED);
    CHECK(other == NULL);
    CHECK(error.code == MARC_E_CANCELLED);
  }
  CHECK(from.calls == calls);
  marc_reader_free(reader);
  CHECK(marc_batch_record_count(batch) == 1); /* what was handed out stays */
  marc_batch_release(batch);
}

/* What a callback may and may not do with its own reader. */
typedef struct inner {
  feed from;
  marc_reader *reader;
  unsigned busy, cancel_at;
} inner;

static int64_t read_and_call_back(void *context, uint8_t *buffer, size_t capacity) {
  inner *self = (inner *)context;
  marc_batch *batch = (marc_batch *)(void *)self;
  marc_error error;
  marc_error_init(&error, sizeof error);
  self->busy += marc_reader_next_batch(self->reader, &batch, &error) == MARC_E_BUSY;
  CHECK(batch == NULL);
  CHECK(error.code == MARC_E_BUSY && error.message[0] != '\0');
  CHECK(info_of(self->reader).backend == MARC_BACKEND_CALLBACK);
  if (self->cancel_at != 0 && self->from.calls + 1 == self->cancel_at) {
    marc_reader_cancel(self->reader);
  }
  /* Another reader is another matter. */
  marc_reader *other = NULL;
  CHECK(marc_reader_open_bytes(records.data, records.length, NULL, &other, NULL) == MARC_OK);
  CHECK(marc_reader_next_batch(other, &batch, NULL) == MARC_OK);
  marc_batch_release(batch);
  marc_reader_free(other);
  return feed_read(&self->from, buffer, capacity);
}

static void test_calls_inside_the_callback(void) {
  inner self;
  memset(&self, 0, sizeof self);
  self.from = feed_of(&records, 50);
  CHECK(marc_reader_open_callback(read_and_call_back, &self, NULL, &self.reader, NULL) == MARC_OK);
  check_all(self.reader, MARC_BACKEND_CALLBACK, UINT32_MAX);
  CHECK(self.busy == self.from.calls && self.busy > 3);
  /* Cancelled from inside: the call that is running is. */
  memset(&self, 0, sizeof self);
  self.from = feed_of(&records, 20);
  self.cancel_at = 2;
  marc_batch *batch = NULL;
  CHECK(marc_reader_open_callback(read_and_call_back, &self, NULL, &self.reader, NULL) == MARC_OK);
  CHECK(marc_reader_next_batch(self.reader, &batch, NULL) == MARC_E_CANCELLED);
  CHECK(batch == NULL && self.from.calls == 2);
  marc_reader_free(self.reader);
}

/* Readers that are dropped at any moment, and batches that outlive them. */
static void test_lifetimes(void) {
  for (int stop = 0; stop < 6; ++stop) {
    feed from = feed_of(&records, 40);
    marc_reader *reader = NULL;
    marc_batch *kept[6] = {NULL};
    CHECK(marc_reader_open_callback(feed_read, &from, NULL, &reader, NULL) == MARC_OK);
    for (int i = 0; i < stop; ++i) {
      if (marc_reader_next_batch(reader, &kept[i], NULL) != MARC_OK) {
        break;
      }
    }
    marc_reader_free(reader);
    for (int i = 0; i < 6; ++i) {
      size_t length = 0;
      const uint64_t offset = marc_batch_record_offset(kept[i], 0);
      const uint8_t *data = marc_batch_record_data(kept[i], 0, &length);
      CHECK(kept[i] == NULL || memcmp(data, records.data + offset, length) == 0);
      marc_batch_release(kept[i]);
    }
  }
}

static void test_oversize(void) {
  bytes data = {NULL, 0};
  add_record(&data, "1", "one");
  const size_t first = data.length;
  for (int i = 0; i < 250; ++i) {
    bytes_add_text(&data, "j");
  }
  bytes_add_text(&data, "\x1d");
  add_record(&data, "2", "two");
  marc_reader_options options = options_of(64, 0);
  options.largest_record = 100;
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  static const int32_t statuses[] = {MARC_OK, MARC_BAD_OVERSIZE, MARC_BAD_OVERSIZE_PART, MARC_BAD_OVERSIZE_PART,
                                     MARC_OK};
  static const uint64_t indexes[] = {0, 1, 1, 1, 2};
  uint32_t pieces = 0;
  CHECK(marc_reader_open_bytes(data.data, data.length, &options, &reader, NULL) == MARC_OK);
  while (marc_reader_next_batch(reader, &batch, NULL) == MARC_OK && pieces < 5) {
    marc_batch_view view;
    view.struct_size = sizeof view;
    marc_batch_get_view(batch, &view);
    for (uint32_t i = 0; i < view.record_count && pieces < 5; ++i, ++pieces) {
      CHECK(view.record_status[i] == statuses[pieces]);
      CHECK(view.first_index + i == indexes[pieces]);
      CHECK(pieces < 1 || pieces > 3 || marc_batch_record_offset(batch, i) == first + 100 * (pieces - 1));
    }
    marc_batch_release(batch);
  }
  CHECK(pieces == 5);
  CHECK(info_of(reader).pieces == 5);
  marc_reader_free(reader);
  bytes_free(&data);
}

/* A record is there as soon as its last byte is. */
static void test_live_callback(void) {
  bytes two = {NULL, 0};
  add_record(&two, "1", "one");
  const size_t first = two.length;
  add_record(&two, "2", "two");
  feed from = feed_of(&two, first);
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  CHECK(marc_reader_open_callback(feed_read, &from, NULL, &reader, NULL) == MARC_OK);
  CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_OK);
  CHECK(from.calls == 1 && marc_batch_record_count(batch) == 1);
  marc_batch_release(batch);
  CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_OK);
  CHECK(from.calls == 2);
  marc_batch_release(batch);
  marc_reader_free(reader);
  bytes_free(&two);
}

int main(void) {
  char path[] = "/tmp/libmarc-test-XXXXXX";
  make_records();
  const int file = mkstemp(path);
  if (!CHECK(file >= 0) || !CHECK(write(file, records.data, records.length) == (ssize_t)records.length)) {
    return checks_result();
  }
  close(file);
  test_backends(path);
  unlink(path);
  test_size_of_info();
  test_files_that_cannot_be_opened();
  test_failing_callback();
  test_interrupted_callback();
  test_cancel();
  test_calls_inside_the_callback();
  test_lifetimes();
  test_oversize();
  test_live_callback();
  bytes_free(&records);
  return checks_result();
}

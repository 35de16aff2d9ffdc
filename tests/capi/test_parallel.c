/* Reading ahead and byte ranges through the C interface: options, what the info says, many readers that share one pool,
 * and nothing that is left behind.
 *
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RECORDS = 400, READERS = 100, CYCLES = 1000 };

static bytes input;
static char path[200];

static unsigned entries_of(const char *folder) {
  unsigned count = 0;
  DIR *all = opendir(folder);
  if (all == NULL) {
    abort();
  }
  while (readdir(all) != NULL) {
    ++count;
  }
  closedir(all);
  return count;
}

static unsigned threads_now(void) { return entries_of("/proc/self/task") - 2; }

/* A thread that has been joined may be listed for a moment. */
static unsigned threads_soon(unsigned expected) {
  for (int i = 0; i < 2000 && threads_now() != expected; ++i) {
    const struct timespec pause = {0, 1000000};
    nanosleep(&pause, NULL);
  }
  return threads_now();
}

static marc_reader_options options_of(uint32_t chunk, int32_t ahead) {
  marc_reader_options options;
  marc_reader_options_init(&options, sizeof options);
  options.chunk_bytes = chunk;
  options.read_ahead = ahead;
  return options;
}

static void test_options(void) {
  marc_reader *reader = NULL;
  marc_error error;
  marc_error_init(&error, sizeof error);
  marc_reader_options options;
  marc_reader_options_init(&options, sizeof options);
  CHECK(options.range_begin == 0 && options.range_end == UINT64_MAX && options.read_ahead == MARC_AHEAD_AUTO);
  const int32_t bad[] = {-3, INT32_MIN, 65537, INT32_MAX};
  for (unsigned i = 0; i < 4; ++i) {
    options.read_ahead = bad[i];
    reader = (marc_reader *)(void *)&input;
    CHECK(marc_reader_open_bytes(input.data, input.length, &options, &reader, &error) == MARC_E_ARGUMENT);
    CHECK(reader == NULL && strstr(error.message, "read_ahead") != NULL);
  }
  const int32_t good[] = {MARC_AHEAD_AUTO, MARC_AHEAD_NONE, MARC_AHEAD_THREADS, 1, 2, 65536};
  for (unsigned i = 0; i < 6; ++i) {
    options.read_ahead = good[i];
    CHECK(marc_reader_open_bytes(input.data, input.length, &options, &reader, NULL) == MARC_OK);
    marc_reader_free(reader);
  }
  marc_reader_options_init(&options, sizeof options);
  options.range_begin = 11;
  options.range_end = 10;
  CHECK(marc_reader_open_bytes(input.data, input.length, &options, &reader, &error) == MARC_E_ARGUMENT);
  options.range_end = 11;
  CHECK(marc_reader_open_bytes(input.data, input.length, &options, &reader, NULL) == MARC_OK);
  marc_batch *batch = NULL;
  CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_END && batch == NULL);
  marc_reader_free(reader);
  /* What cannot be positioned has no ranges; nor has MARCXML. */
  feed from = feed_of(&input, 100);
  CHECK(marc_reader_open_callback(feed_read, &from, &options, &reader, &error) == MARC_E_UNSUPPORTED);
  CHECK(reader == NULL && error.code == MARC_E_UNSUPPORTED && error.message[0] != '\0' && from.calls == 0);
  options.range_begin = 0;
  options.range_end = 100;
  CHECK(marc_reader_open_callback(feed_read, &from, &options, &reader, NULL) == MARC_E_UNSUPPORTED);
  options.format = MARC_FORMAT_MARCXML;
  CHECK(marc_reader_open_bytes(input.data, input.length, &options, &reader, &error) == MARC_E_UNSUPPORTED);
  char fifo[220];
  snprintf(fifo, sizeof fifo, "%s.fifo", path);
  CHECK(mkfifo(fifo, 0600) == 0);
  const int both = open(fifo, O_RDWR);
  options.format = MARC_FORMAT_ISO2709;
  const unsigned descriptors = entries_of("/proc/self/fd");
  CHECK(marc_reader_open_path(fifo, &options, &reader, &error) == MARC_E_UNSUPPORTED);
  CHECK(reader == NULL && entries_of("/proc/self/fd") == descriptors);
  close(both);
  unlink(fifo);
  /* A caller that knows of fewer members has the defaults of the others. */
  marc_reader_options_init(&options, sizeof options);
  options.struct_size = offsetof(marc_reader_options, range_begin);
  options.range_begin = 1;
  options.range_end = 0;
  options.read_ahead = 77777;
  CHECK(marc_reader_open_bytes(input.data, input.length, &options, &reader, NULL) == MARC_OK);
  int32_t last = 0;
  CHECK(read_rest(reader, &last) == RECORDS && last == MARC_END);
  marc_reader_free(reader);
}

static void test_environment(void) {
  const char *bad[] = {"-1", "two", "1025", " 3"};
  marc_reader *reader = NULL;
  marc_error error;
  for (unsigned i = 0; i < 4; ++i) {
    marc_error_init(&error, sizeof error);
    reader = (marc_reader *)(void *)&input;
    setenv("MARC_NUM_THREADS", bad[i], 1);
    CHECK(marc_reader_open_bytes(input.data, input.length, NULL, &reader, &error) == MARC_E_ARGUMENT);
    CHECK(reader == NULL && strstr(error.message, "MARC_NUM_THREADS") != NULL && strstr(error.message, bad[i]) != NULL);
  }
  const char *good[] = {"", "0", "1", "3"};
  for (unsigned i = 0; i < 4; ++i) {
    int32_t last = 0;
    setenv("MARC_NUM_THREADS", good[i], 1);
    const marc_reader_options options = options_of(1000, MARC_AHEAD_AUTO);
    CHECK(marc_reader_open_bytes(input.data, input.length, &options, &reader, NULL) == MARC_OK);
    CHECK(read_rest(reader, &last) == RECORDS && last == MARC_END);
    if (i == 2) {
      CHECK(info_of(reader).threads == 1 && info_of(reader).chunks_ahead == 0);
    }
    if (i == 3) {
      CHECK(info_of(reader).threads == 3 && info_of(reader).chunks_ahead == 5);
    }
    marc_reader_free(reader);
  }
}

/* How much is read ahead of which source. */
static void test_info(void) {
  const struct {
    int source; /* bytes, path, read_at, callback */
    int32_t ahead;
    uint32_t threads, chunks;
  } cases[] = {{0, MARC_AHEAD_AUTO, 3, 5},
               {1, MARC_AHEAD_AUTO, 3, 5},
               {2, MARC_AHEAD_AUTO, 3, 5},
               {3, MARC_AHEAD_AUTO, 1, 0},
               {3, MARC_AHEAD_THREADS, 3, 5},
               {3, 2, 3, 2},
               {0, MARC_AHEAD_NONE, 1, 0},
               {1, MARC_AHEAD_NONE, 1, 0},
               {1, 1, 3, 1},
               {2, 12, 3, 12},
               {3, MARC_AHEAD_NONE, 1, 0},
               {0, MARC_AHEAD_THREADS, 3, 5}};
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    feed from = feed_of(&input, 700);
    marc_reader *reader = NULL;
    const marc_reader_options options = options_of(700, cases[i].ahead);
    int32_t opened = -1;
    switch (cases[i].source) {
    case 0:
      opened = marc_reader_open_bytes(input.data, input.length, &options, &reader, NULL);
      break;
    case 1:
      opened = marc_reader_open_path(path, &options, &reader, NULL);
      break;
    case 2:
      opened = marc_reader_open_read_at(feed_read_at, &from, input.length, &options, &reader, NULL);
      break;
    default:
      opened = marc_reader_open_callback(feed_read, &from, &options, &reader, NULL);
      break;
    }
    CHECK(opened == MARC_OK);
    marc_reader_info info = info_of(reader);
    CHECK(info.threads == 1 && info.chunks_ahead == 0 && info.pieces == 0 && info.source_reads == 0);
    marc_batch *batch = NULL;
    CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_OK);
    const unsigned first = marc_batch_record_count(batch);
    marc_batch_release(batch);
    info = info_of(reader);
    CHECK(info.chunks_ahead == 0 && info.pieces == first); /* the first batch is made where it is asked for */
    int32_t last = 0;
    CHECK(first + read_rest(reader, &last) == RECORDS && last == MARC_END);
    info = info_of(reader);
    CHECK(info.threads == cases[i].threads);
    CHECK(info.chunks_ahead == cases[i].chunks);
    CHECK(info.bytes_read == input.length && info.pieces == RECORDS && info.silent_bytes == 0);
    CHECK((info.bytes_held == 0) == (cases[i].source == 0));
    CHECK(info.source_reads == from.calls || cases[i].source < 3);
    marc_reader_free(reader);
  }
}

static void test_ranges(void) {
  const uint64_t step = 333;
  unsigned records = 0;
  uint64_t next = 0;
  for (uint64_t begin = 0; begin < input.length; begin += step) {
    feed from = feed_of(&input, 50);
    marc_reader_options options = options_of(256, MARC_AHEAD_AUTO);
    options.range_begin = begin;
    options.range_end = begin + step;
    marc_reader *reader = NULL;
    const unsigned way = (unsigned)(begin / step % 3);
    CHECK((way == 0 ? marc_reader_open_bytes(input.data, input.length, &options, &reader, NULL)
           : way == 1
               ? marc_reader_open_path(path, &options, &reader, NULL)
               : marc_reader_open_read_at(feed_read_at, &from, input.length, &options, &reader, NULL)) == MARC_OK);
    marc_batch *batch = NULL;
    uint64_t index = 0;
    int32_t status = MARC_OK;
    while ((status = marc_reader_next_batch(reader, &batch, NULL)) == MARC_OK) {
      marc_batch_view view;
      view.struct_size = sizeof view;
      marc_batch_get_view(batch, &view);
      CHECK(view.first_index == index);
      for (uint32_t i = 0; i < view.record_count; ++i) {
        const uint64_t offset = marc_batch_record_offset(batch, i);
        CHECK(offset == next && begin <= offset && offset < begin + step);
        next = offset + view.record_length[i];
      }
      index += view.record_count;
      marc_batch_release(batch);
    }
    CHECK(status == MARC_END);
    records += (unsigned)index;
    marc_reader_free(reader);
  }
  CHECK(records == RECORDS && next == input.length);
}

/* A failure comes in its place, with its number and offset; the rest begins there. */
static void test_failure(void) {
  for (unsigned fails_at = 1; (fails_at - 1) * 700 <= input.length; ++fails_at) {
    feed from = feed_of(&input, 700);
    from.fails_at = fails_at;
    from.failure = -5;
    marc_reader *reader = NULL;
    marc_batch *batch = NULL;
    marc_error error;
    const marc_reader_options options = options_of(700, 4);
    uint64_t given = 0, records = 0;
    CHECK(marc_reader_open_callback(feed_read, &from, &options, &reader, NULL) == MARC_OK);
    marc_error_init(&error, sizeof error);
    int32_t status = MARC_OK;
    while ((status = marc_reader_next_batch(reader, &batch, &error)) == MARC_OK) {
      marc_batch_view view;
      view.struct_size = sizeof view;
      marc_batch_get_view(batch, &view);
      given += view.data_length;
      records += view.record_count;
      marc_batch_release(batch);
    }
    CHECK(status == MARC_E_CALLBACK && error.code == status && error.detail == -5);
    CHECK(error.byte_offset == (int64_t)given && error.record_index == (int64_t)records);
    size_t length = 0;
    const uint8_t *rest = marc_reader_get_rest(reader, &length);
    CHECK(given + length == (uint64_t)(fails_at - 1) * 700);
    CHECK(length == 0 || (rest != NULL && memcmp(rest, input.data + given, length) == 0));
    CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_END);
    marc_reader_free(reader);
  }
}

/* A hundred readers in use have no more threads than one. */
static void test_many_readers(void) {
  static marc_reader *readers[READERS];
  const marc_reader_options options = options_of(1000, MARC_AHEAD_AUTO);
  const unsigned before = threads_now();
  unsigned done = 0;
  for (int i = 0; i < READERS; ++i) {
    marc_batch *batch = NULL;
    CHECK((i % 2 == 0 ? marc_reader_open_path(path, &options, &readers[i], NULL)
                      : marc_reader_open_bytes(input.data, input.length, &options, &readers[i], NULL)) == MARC_OK);
    for (int n = 0; n < 3; ++n) {
      CHECK(marc_reader_next_batch(readers[i], &batch, NULL) == MARC_OK);
      done += marc_batch_record_count(batch);
      marc_batch_release(batch);
    }
    CHECK(threads_now() == before + 2);
  }
  for (int i = 0; i < READERS; ++i) {
    int32_t last = 0;
    done += read_rest(readers[i], &last);
    CHECK(last == MARC_END);
    CHECK(threads_now() == before + 2);
    marc_reader_free(readers[i]);
  }
  CHECK(done == READERS * RECORDS);
  CHECK(threads_soon(before) == before); /* the pool ends with the last */
}

static void *read_with_own(void *context) {
  intptr_t wrong = 0;
  for (int round = 0; round < 3; ++round) {
    const marc_reader_options options = options_of(1000, 4);
    marc_reader *reader = NULL;
    int32_t last = 0;
    wrong += marc_reader_open_path((const char *)context, &options, &reader, NULL) != MARC_OK;
    wrong += read_rest(reader, &last) != RECORDS || last != MARC_END;
    marc_reader_free(reader);
  }
  return (void *)wrong;
}

static void test_readers_on_threads(void) {
  pthread_t threads[20];
  intptr_t wrong = 0;
  const unsigned before = threads_now();
  for (int i = 0; i < 20; ++i) {
    CHECK(pthread_create(&threads[i], NULL, read_with_own, path) == 0);
  }
  for (int i = 0; i < 20; ++i) {
    void *result = NULL;
    CHECK(pthread_join(threads[i], &result) == 0);
    wrong += (intptr_t)result;
  }
  CHECK(wrong == 0);
  CHECK(threads_soon(before) == before);
}

static void test_cycles(void) {
  const unsigned threads = threads_now();
  const unsigned descriptors = entries_of("/proc/self/fd");
  const marc_reader_options options = options_of(1000, MARC_AHEAD_AUTO);
  for (int i = 0; i < CYCLES; ++i) {
    marc_reader *reader = NULL;
    marc_batch *batch = NULL;
    CHECK(marc_reader_open_path(path, &options, &reader, NULL) == MARC_OK);
    for (int n = i % 5; n > 0; --n) {
      CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_OK);
      marc_batch_release(batch);
    }
    marc_reader_free(reader);
  }
  CHECK(threads_soon(threads) == threads);
  CHECK(entries_of("/proc/self/fd") == descriptors);
}

int main(void) {
  setenv("MARC_NUM_THREADS", "3", 1);
  const char *folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/libmarc-test-XXXXXX", folder == NULL ? "/tmp" : folder);
  for (int i = 0; i < RECORDS; ++i) {
    add_record(&input, "id", "A title that is neither long nor short");
  }
  const int file = mkstemp(path);
  CHECK(file >= 0 && write(file, input.data, input.length) == (ssize_t)input.length);
  close(file);
  test_options();
  test_environment();
  test_info();
  test_ranges();
  test_failure();
  test_many_readers();
  test_readers_on_threads();
  test_cycles();
  unlink(path);
  bytes_free(&input);
  return checks_result();
}

/* The rule of threads: batches go anywhere, a reader is for one thread at a time and says so, cancelling works from
 * any.
 *
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 2000, RECORDS = 50 };

static bytes input;

static marc_batch *read_input(void) {
  feed from = feed_of(&input, input.length);
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  CHECK(marc_reader_open_callback(feed_read, &from, NULL, &reader, NULL) == MARC_OK);
  CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_OK);
  CHECK(marc_batch_record_count(batch) == RECORDS);
  marc_reader_free(reader);
  return batch;
}

/* Threads return the number of wrong answers: CHECK is for one thread. */
static intptr_t join_all(pthread_t *threads) {
  intptr_t wrong = 0;
  for (int i = 0; i < THREADS; ++i) {
    void *result = NULL;
    CHECK(pthread_join(threads[i], &result) == 0);
    wrong += (intptr_t)result;
  }
  return wrong;
}

static void *retain_and_release(void *context) {
  const marc_batch *batch = (const marc_batch *)context;
  intptr_t wrong = 0;
  for (int i = 0; i < ROUNDS; ++i) {
    const marc_batch *mine = marc_batch_retain(batch);
    wrong += mine != batch || marc_batch_record_count(mine) != RECORDS;
    marc_batch_release(mine);
  }
  marc_batch_release(batch); /* the reference that was handed over */
  return (void *)wrong;
}

static void test_references(void) {
  pthread_t threads[THREADS];
  marc_batch *batch = read_input();
  for (int i = 0; i < THREADS; ++i) {
    marc_batch_retain(batch);
    CHECK(pthread_create(&threads[i], NULL, retain_and_release, batch) == 0);
  }
  marc_batch_release(batch); /* the last one may go on any thread */
  CHECK(join_all(threads) == 0);
}

static void *look_at_all(void *context) {
  const marc_batch *batch = (const marc_batch *)context;
  intptr_t wrong = 0;
  for (int round = 0; round < 20; ++round) {
    marc_batch_view view;
    marc_text *text = NULL;
    view.struct_size = sizeof view;
    marc_batch_get_view(batch, &view);
    for (uint32_t i = 0; i < view.record_count; ++i) {
      uint8_t code = 0;
      size_t length = 0;
      wrong += marc_batch_record_status(batch, i) != MARC_OK;
      wrong += marc_batch_subfield(batch, i, 1, 0, &code, &length) == NULL || code != 'a' || length != 5;
    }
    wrong += marc_batch_titles(batch, &text, NULL) != MARC_OK;
    marc_text_free(text);
  }
  return (void *)wrong;
}

static void test_reading_one_batch(void) {
  pthread_t threads[THREADS];
  marc_batch *batch = read_input();
  for (int i = 0; i < THREADS; ++i) {
    CHECK(pthread_create(&threads[i], NULL, look_at_all, batch) == 0);
  }
  CHECK(join_all(threads) == 0);
  marc_batch_release(batch);
}

/* A source that stops inside the callback until it is let go on. */
typedef struct gate {
  feed from;
  marc_reader *reader;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int inside, open;
} gate;

static int64_t read_at_gate(void *context, uint8_t *buffer, size_t capacity) {
  gate *self = (gate *)context;
  pthread_mutex_lock(&self->mutex);
  self->inside = 1;
  pthread_cond_broadcast(&self->changed);
  while (!self->open) {
    pthread_cond_wait(&self->changed, &self->mutex);
  }
  pthread_mutex_unlock(&self->mutex);
  return feed_read(&self->from, buffer, capacity);
}

static void wait_until_inside(gate *self) {
  pthread_mutex_lock(&self->mutex);
  while (!self->inside) {
    pthread_cond_wait(&self->changed, &self->mutex);
  }
  pthread_mutex_unlock(&self->mutex);
}

static void open_gate(gate *self) {
  pthread_mutex_lock(&self->mutex);
  self->open = 1;
  pthread_cond_broadcast(&self->changed);
  pthread_mutex_unlock(&self->mutex);
}

static void gate_init(gate *self) {
  memset(self, 0, sizeof *self);
  self->from = feed_of(&input, 500);
  pthread_mutex_init(&self->mutex, NULL);
  pthread_cond_init(&self->changed, NULL);
  CHECK(marc_reader_open_callback(read_at_gate, self, NULL, &self->reader, NULL) == MARC_OK);
}

static void gate_destroy(gate *self) {
  marc_reader_free(self->reader);
  pthread_cond_destroy(&self->changed);
  pthread_mutex_destroy(&self->mutex);
}

static void *read_one_batch(void *context) {
  gate *self = (gate *)context;
  marc_batch *batch = NULL;
  const intptr_t status = marc_reader_next_batch(self->reader, &batch, NULL);
  marc_batch_release(batch);
  return (void *)status;
}

static int32_t status_of(pthread_t thread) {
  void *result = NULL;
  CHECK(pthread_join(thread, &result) == 0);
  return (int32_t)(intptr_t)result;
}

static void test_a_reader_in_use(void) {
  gate self;
  pthread_t reading;
  gate_init(&self);
  CHECK(pthread_create(&reading, NULL, read_one_batch, &self) == 0);
  wait_until_inside(&self);
  for (int i = 0; i < 3; ++i) {
    marc_batch *batch = (marc_batch *)(void *)&self;
    marc_error error;
    marc_reader_info info;
    marc_error_init(&error, sizeof error);
    info.struct_size = sizeof info;
    CHECK(marc_reader_next_batch(self.reader, &batch, &error) == MARC_E_BUSY);
    CHECK(batch == NULL);
    CHECK(error.code == MARC_E_BUSY);
    CHECK(marc_reader_get_info(self.reader, &info) == MARC_OK); /* const: at any time */
  }
  open_gate(&self);
  CHECK(status_of(reading) == MARC_OK);
  /* Afterwards it is free again, for any thread. */
  marc_batch *batch = NULL;
  CHECK(marc_reader_next_batch(self.reader, &batch, NULL) == MARC_OK);
  marc_batch_release(batch);
  CHECK(pthread_create(&reading, NULL, read_one_batch, &self) == 0);
  CHECK(status_of(reading) == MARC_OK);
  gate_destroy(&self);
}

static void test_cancelled_by_another_thread(void) {
  gate self;
  pthread_t reading;
  gate_init(&self);
  CHECK(pthread_create(&reading, NULL, read_one_batch, &self) == 0);
  wait_until_inside(&self);
  marc_reader_cancel(self.reader);
  open_gate(&self);
  CHECK(status_of(reading) == MARC_E_CANCELLED);
  CHECK(self.from.calls == 1);
  marc_batch *batch = NULL;
  CHECK(marc_reader_next_batch(self.reader, &batch, NULL) == MARC_E_CANCELLED);
  gate_destroy(&self);
}

/* Each thread has a reader of its own, and gives its batches back while others read. */
static void *read_all(void *context) {
  intptr_t wrong = 0;
  for (int round = 0; round < 20; ++round) {
    feed from = feed_of((const bytes *)context, 300);
    marc_reader_options options;
    marc_reader *reader = NULL;
    marc_batch *batch = NULL;
    uint32_t records = 0;
    marc_reader_options_init(&options, sizeof options);
    options.chunk_bytes = 256;
    wrong += marc_reader_open_callback(feed_read, &from, &options, &reader, NULL) != MARC_OK;
    while (marc_reader_next_batch(reader, &batch, NULL) == MARC_OK) {
      records += marc_batch_record_count(batch);
      marc_batch_release(batch);
    }
    wrong += records != RECORDS;
    marc_reader_free(reader);
  }
  return (void *)wrong;
}

static void test_readers_side_by_side(void) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    CHECK(pthread_create(&threads[i], NULL, read_all, &input) == 0);
  }
  CHECK(join_all(threads) == 0);
}

int main(void) {
  for (int i = 0; i < RECORDS; ++i) {
    add_record(&input, "id", "title");
  }
  test_references();
  test_reading_one_batch();
  test_a_reader_in_use();
  test_cancelled_by_another_thread();
  test_readers_side_by_side();
  bytes_free(&input);
  return checks_result();
}

/* Arguments that are missing or out of their range: MARC_E_ARGUMENT, nothing handed out, an error that says why.
 *
 * SPDX-License-Identifier: MIT
 */
#include "check.h"

#include <stddef.h>

static const uint8_t some[] = "some bytes";

/* The status of opening with these options; the error must tell the same. */
static int32_t open_with(const marc_reader_options *options) {
  marc_reader *reader = (marc_reader *)(void *)&checks_failed; /* anything but NULL */
  marc_error error;
  marc_error_init(&error, sizeof error);
  const int32_t status = marc_reader_open_bytes(some, sizeof some, options, &reader, &error);
  CHECK(status <= 0);
  CHECK(error.code == status);
  CHECK((reader == NULL) == (status != MARC_OK));
  CHECK((error.message[0] == '\0') == (status == MARC_OK));
  if (status != MARC_OK) {
    CHECK(error.record_index == -1 && error.byte_offset == -1 && error.detail == 0);
    CHECK(error.tag[0] == '\0');
  } else {
    marc_reader_free(reader);
  }
  return status;
}

static marc_reader_options defaults(void) {
  marc_reader_options options;
  marc_reader_options_init(&options, sizeof options);
  return options;
}

static void test_null_to_open(void) {
  marc_reader *reader = NULL;
  marc_error error;
  feed from;
  memset(&from, 0, sizeof from);
#define CHECK_ARGUMENT(call)                                                                                           \
  do {                                                                                                                 \
    marc_error_init(&error, sizeof error);                                                                             \
    CHECK((call) == MARC_E_ARGUMENT);                                                                                  \
    CHECK(error.code == MARC_E_ARGUMENT && error.message[0] != '\0');                                                  \
  } while (0)
  CHECK_ARGUMENT(marc_reader_open_path("/dev/null", NULL, NULL, &error));
  CHECK_ARGUMENT(marc_reader_open_bytes(some, sizeof some, NULL, NULL, &error));
  CHECK_ARGUMENT(marc_reader_open_callback(feed_read, &from, NULL, NULL, &error));
  CHECK_ARGUMENT(marc_reader_open_read_at(feed_read_at, &from, 5, NULL, NULL, &error));
  reader = (marc_reader *)(void *)&from;
  CHECK_ARGUMENT(marc_reader_open_path(NULL, NULL, &reader, &error));
  CHECK(reader == NULL); /* on failure *out is NULL */
  reader = (marc_reader *)(void *)&from;
  CHECK_ARGUMENT(marc_reader_open_bytes(NULL, 1, NULL, &reader, &error));
  CHECK(reader == NULL);
  reader = (marc_reader *)(void *)&from;
  CHECK_ARGUMENT(marc_reader_open_callback(NULL, &from, NULL, &reader, &error));
  CHECK(reader == NULL);
  reader = (marc_reader *)(void *)&from;
  CHECK_ARGUMENT(marc_reader_open_read_at(NULL, &from, 5, NULL, &reader, &error));
  CHECK(reader == NULL);
  /* No bytes at NULL are an input without bytes; a context may be NULL; so may the error. */
  if (CHECK(marc_reader_open_bytes(NULL, 0, NULL, &reader, &error) == MARC_OK)) {
    marc_batch *batch = NULL;
    CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_END);
    marc_reader_free(reader);
  }
  CHECK(marc_reader_open_path(NULL, NULL, &reader, NULL) == MARC_E_ARGUMENT);
  CHECK(marc_reader_open_path("/", NULL, &reader, NULL) == MARC_E_IO);
}

static void test_null_elsewhere(void) {
  marc_error error;
  marc_reader *reader = NULL;
  marc_batch *batch = (marc_batch *)(void *)&error;
  marc_text *text = (marc_text *)(void *)&error;
  marc_reader_info info;
  info.struct_size = sizeof info;
  CHECK_ARGUMENT(marc_reader_next_batch(NULL, &batch, &error));
  CHECK(batch == NULL);
  CHECK(marc_reader_get_info(NULL, &info) == MARC_E_ARGUMENT);
  marc_reader_cancel(NULL);
  marc_reader_free(NULL);
  if (CHECK(marc_reader_open_bytes(some, sizeof some, NULL, &reader, NULL) == MARC_OK)) {
    CHECK_ARGUMENT(marc_reader_next_batch(reader, NULL, &error));
    CHECK(marc_reader_get_info(reader, NULL) == MARC_E_ARGUMENT);
    /* The call that was refused has cost nothing. */
    CHECK(marc_reader_next_batch(reader, &batch, &error) == MARC_OK);
    CHECK(marc_batch_record_count(batch) == 1);
    marc_batch_release(batch);
    marc_reader_free(reader);
  }
  batch = (marc_batch *)(void *)&error;
  CHECK_ARGUMENT(marc_parse_record(NULL, 5, MARC_PIECE_LAST, NULL, &batch, &error));
  CHECK(batch == NULL);
  CHECK_ARGUMENT(marc_parse_record(some, 0, MARC_PIECE_LAST, NULL, &batch, &error));
  CHECK_ARGUMENT(marc_parse_record(some, 5, MARC_PIECE_LAST, NULL, NULL, &error));
  CHECK_ARGUMENT(marc_parse_record(some, 5, MARC_PIECE_LAST + 1, NULL, &batch, &error));
  CHECK_ARGUMENT(marc_parse_record(some, 5, UINT32_MAX, NULL, &batch, &error));
  CHECK_ARGUMENT(marc_batch_titles(NULL, &text, &error));
  CHECK(text == NULL);
  CHECK_ARGUMENT(marc_batch_titles(NULL, NULL, &error));
  marc_batch_release(NULL);
  marc_text_free(NULL);
  size_t length = 7;
  uint8_t code = 7;
  char tag[4] = "xyz";
  CHECK(marc_batch_record_count(NULL) == 0);
  CHECK(marc_batch_record_status(NULL, 0) == MARC_E_ARGUMENT);
  CHECK(marc_batch_record_flags(NULL, 0) == 0);
  CHECK(marc_batch_record_offset(NULL, 0) == 0);
  CHECK(marc_batch_record_data(NULL, 0, &length) == NULL && length == 0);
  CHECK(marc_batch_field_count(NULL, 0) == 0);
  CHECK(marc_batch_field(NULL, 0, 0, tag, &length) == NULL && tag[0] == '\0');
  CHECK(marc_batch_subfield_count(NULL, 0, 0) == 0);
  CHECK(marc_batch_subfield(NULL, 0, 0, 0, &code, &length) == NULL && code == 0);
}

#define CHECK_OPTION(member, value, expected)                                                                          \
  do {                                                                                                                 \
    marc_reader_options changed = defaults();                                                                          \
    changed.member = (value);                                                                                          \
    CHECK(open_with(&changed) == (expected));                                                                          \
  } while (0)

static void test_options(void) {
  marc_reader_options options = defaults();
  CHECK(open_with(NULL) == MARC_OK);
  CHECK(open_with(&options) == MARC_OK);
  CHECK_OPTION(parse_mode, MARC_PARSE_BEST, MARC_OK);
  CHECK_OPTION(parse_mode, 2, MARC_E_ARGUMENT);
  CHECK_OPTION(parse_mode, UINT32_MAX, MARC_E_ARGUMENT);
  CHECK_OPTION(chunk_bytes, 0, MARC_E_ARGUMENT);
  CHECK_OPTION(chunk_bytes, 63, MARC_E_ARGUMENT);
  CHECK_OPTION(chunk_bytes, 64, MARC_OK);
  CHECK_OPTION(chunk_bytes, 1U << 30, MARC_OK);
  CHECK_OPTION(chunk_bytes, (1U << 30) + 1, MARC_E_ARGUMENT);
  CHECK_OPTION(chunk_bytes, UINT32_MAX, MARC_E_ARGUMENT);
  CHECK_OPTION(batch_records, 1, MARC_OK);
  CHECK_OPTION(batch_records, UINT32_MAX, MARC_OK);
  CHECK_OPTION(largest_record, 0, MARC_E_ARGUMENT);
  CHECK_OPTION(largest_record, 1, MARC_OK);
  CHECK_OPTION(largest_record, (uint64_t)3 << 30, MARC_OK);
  CHECK_OPTION(largest_record, ((uint64_t)3 << 30) + 1, MARC_E_ARGUMENT);
  CHECK_OPTION(largest_record, UINT64_MAX, MARC_E_ARGUMENT);
  CHECK_OPTION(interruptible, 1, MARC_OK);
  CHECK_OPTION(interruptible, 2, MARC_E_ARGUMENT);
  CHECK_OPTION(text_mode, 3, MARC_E_ARGUMENT);
  CHECK_OPTION(range_begin, UINT64_MAX, MARC_OK);
  CHECK_OPTION(range_end, 0, MARC_OK);
  CHECK_OPTION(read_ahead, MARC_AHEAD_NONE, MARC_OK);
  CHECK_OPTION(read_ahead, MARC_AHEAD_THREADS, MARC_OK);
  CHECK_OPTION(read_ahead, MARC_AHEAD_THREADS - 1, MARC_E_ARGUMENT);
  CHECK_OPTION(read_ahead, 65536, MARC_OK);
  CHECK_OPTION(read_ahead, 65537, MARC_E_ARGUMENT);
  /* The same for a single record. */
  options.chunk_bytes = 1;
  marc_batch *batch = NULL;
  CHECK(marc_parse_record(some, sizeof some, MARC_PIECE_LAST, &options, &batch, NULL) == MARC_E_ARGUMENT);
  CHECK(batch == NULL);
  options = defaults();
  options.parse_mode = MARC_PARSE_BEST;
  CHECK(marc_parse_record(some, sizeof some, MARC_PIECE_LAST, &options, &batch, NULL) == MARC_OK);
  marc_batch_release(batch);
}

static void test_size_of_options(void) {
  static const uint32_t unknown[] = {0,         1, 3, sizeof(marc_reader_options) + 1, sizeof(marc_reader_options) + 8,
                                     UINT32_MAX};
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; ++i) {
    CHECK_OPTION(struct_size, unknown[i], MARC_E_ARGUMENT);
  }
  /* A caller that was compiled with fewer members: those that it does not know are the defaults, whatever lies there. */
  marc_reader_options options;
  memset(&options, 0xA5, sizeof options);
  options.struct_size = sizeof options.struct_size;
  CHECK(open_with(&options) == MARC_OK);
  options.struct_size = offsetof(marc_reader_options, batch_records);
  options.parse_mode = MARC_PARSE_PYMARC;
  options.chunk_bytes = 64;
  CHECK(open_with(&options) == MARC_OK);
  options.chunk_bytes = 63;
  CHECK(open_with(&options) == MARC_E_ARGUMENT);
}

/* An error struct of any size is filled as far as it goes. */
static void test_size_of_errors(void) {
  union {
    marc_error error;
    unsigned char bytes[sizeof(marc_error) + 32];
  } space;
  marc_reader *reader = NULL;
  for (uint32_t size = 0; size < sizeof space; ++size) {
    memset(&space, 0xA5, sizeof space);
    space.error.struct_size = size;
    CHECK(marc_reader_open_path(NULL, NULL, &reader, &space.error) == MARC_E_ARGUMENT);
    CHECK(space.error.struct_size == size);
    for (size_t i = size < 4 ? 4 : size; i < sizeof space; ++i) {
      if (space.bytes[i] != 0xA5 && !CHECK(!"a byte behind the error was written")) {
        return;
      }
    }
    if (size >= 8) {
      CHECK(space.error.code == MARC_E_ARGUMENT);
    }
    if (size >= sizeof(marc_error)) {
      CHECK(memchr(space.error.message, '\0', sizeof space.error.message) != NULL);
    }
  }
}

static void test_error_is_written_on_failure_only(void) {
  marc_error error;
  marc_error before;
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  bytes data = {NULL, 0};
  add_record(&data, "1", "one");
  memset(&error, 0xA5, sizeof error);
  error.struct_size = sizeof error;
  before = error;
  CHECK(marc_reader_open_bytes(data.data, data.length, NULL, &reader, &error) == MARC_OK);
  CHECK(marc_reader_next_batch(reader, &batch, &error) == MARC_OK);
  marc_text *text = NULL;
  CHECK(marc_batch_titles(batch, &text, &error) == MARC_OK);
  marc_text_free(text);
  marc_batch_release(batch);
  CHECK(marc_reader_next_batch(reader, &batch, &error) == MARC_END);
  CHECK(memcmp(&error, &before, sizeof error) == 0);
  marc_reader_free(reader);
  bytes_free(&data);
}

/* Functions that return no status take NULL too. */
static void test_null_without_status(void) {
  marc_batch_view view;
  marc_text_view text;
  memset(&view, 1, sizeof view);
  memset(&text, 1, sizeof text);
  view.struct_size = sizeof view;
  text.struct_size = sizeof text;
  marc_error_init(NULL, 0);
  marc_reader_options_init(NULL, 0);
  marc_batch_get_view(NULL, NULL);
  marc_batch_get_view(NULL, &view);
  CHECK(view.record_count == 0 && view.data == NULL && view.struct_size == sizeof view);
  marc_text_get_view(NULL, NULL);
  marc_text_get_view(NULL, &text);
  CHECK(text.count == 0 && text.data == NULL && text.struct_size == sizeof text);
  CHECK(marc_batch_retain(NULL) == NULL);
}

int main(void) {
  test_null_without_status();
  test_null_to_open();
  test_null_elsewhere();
  test_options();
  test_size_of_options();
  test_size_of_errors();
  test_error_is_written_on_failure_only();
  return checks_result();
}

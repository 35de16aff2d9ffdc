/* Writers: formats, targets, what they refuse, and what becomes of failures.
 *
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L /* fork, mkstemp */

#include "check.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static marc_error error;

static marc_writer_options options_of(uint32_t format) {
  marc_writer_options options;
  marc_writer_options_init(&options, sizeof options);
  options.format = format;
  return options;
}

/* Two records with a rejected piece between them. */
static marc_batch *sample(void) {
  bytes input = {NULL, 0};
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  add_record(&input, "1", "One");
  bytes_add_text(&input, "junk\x1d");
  add_record(&input, "2", "caf\xc3\xa9 \x01");
  feed from = feed_of(&input, input.length);
  CHECK(marc_reader_open_callback(feed_read, &from, NULL, &reader, &error) == MARC_OK);
  CHECK(marc_reader_next_batch(reader, &batch, &error) == MARC_OK);
  CHECK(marc_batch_record_count(batch) == 3);
  marc_reader_free(reader);
  bytes_free(&input);
  return batch;
}

static int memory_is(const marc_writer *writer, const char *expected, size_t size) {
  size_t length = 0;
  const uint8_t *data = marc_writer_get_bytes(writer, &length);
  const int same = length == size && (size == 0 || memcmp(data, expected, size) == 0);
  if (!same) {
    fprintf(stderr, "written: %.*s\n", (int)length, (const char *)data);
  }
  return same;
}

static marc_writer *memory_writer(const marc_writer_options *options) {
  marc_writer *writer = NULL;
  CHECK(marc_writer_open_memory(options, &writer, &error) == MARC_OK);
  return writer;
}

/* What a writer to memory makes of `count` pieces of the sample. */
static void check_format(const marc_writer_options *options, uint32_t count, const char *expected) {
  marc_batch *batch = sample();
  marc_writer *writer = memory_writer(options);
  uint32_t done = 77;
  CHECK(marc_writer_write_batch(writer, batch, 0, count, &done, &error) == MARC_OK);
  CHECK(done == count);
  CHECK(marc_writer_close(writer, &error) == MARC_OK);
  CHECK(memory_is(writer, expected, strlen(expected)));
  marc_writer_info info;
  info.struct_size = sizeof info;
  CHECK(marc_writer_get_info(writer, &info) == MARC_OK);
  CHECK(info.records == (count == 0 ? 0 : count == 3 ? 2 : 1) && info.bytes == strlen(expected));
  marc_writer_free(writer);
  marc_batch_release(batch);
}

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<collection xmlns=\"http://www.loc.gov/MARC21/slim\">\n"
#define XML_ONE                                                                                                        \
  "<record><leader>00087nam a2200049   4500</leader><controlfield tag=\"001\">1</controlfield><datafield tag=\"245\" " \
  "ind1=\"1\" ind2=\"0\"><subfield code=\"a\">One</subfield><subfield code=\"b\">rest</subfield></datafield></record>" \
  "\n"
#define JSON_BEHIND(id, title)                                                                                         \
  "\",\"fields\":[{\"001\":\"" id "\"},{\"245\":{\"ind1\":\"1\",\"ind2\":\"0\",\"subfields\":[{\"a\":\"" title         \
  "\"},{\"b\":\"rest\"}]}}]}"

static void test_formats(void) {
  marc_batch *batch = sample();
  size_t one = 0;
  size_t two = 0;
  const uint8_t *first = marc_batch_record_data(batch, 0, &one);
  const uint8_t *second = marc_batch_record_data(batch, 2, &two);
  bytes all = {NULL, 0};
  char leader_one[25] = "";
  char leader_two[25] = "";
  memcpy(leader_one, first, 24);
  memcpy(leader_two, second, 24);

  marc_writer *writer = memory_writer(NULL);
  CHECK(marc_writer_write_batch(writer, batch, 0, 3, NULL, NULL) == MARC_OK);
  bytes_add(&all, first, one);
  bytes_add(&all, second, two);
  CHECK(memory_is(writer, (const char *)all.data, all.length));
  CHECK(marc_writer_write_raw(writer, batch, 1, &error) == MARC_OK);
  bytes_add_text(&all, "junk\x1d");
  CHECK(memory_is(writer, (const char *)all.data, all.length));
  marc_writer_free(writer);

  marc_writer_options options = options_of(MARC_FORMAT_MARCXML);
  check_format(&options, 0, XML_HEAD "</collection>\n");
  writer = memory_writer(&options);
  CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_OK);
  CHECK(marc_writer_write_raw(writer, batch, 0, &error) == MARC_E_ARGUMENT);
  CHECK(marc_writer_close(writer, &error) == MARC_OK);
  all.length = 0;
  bytes_add_text(&all, XML_HEAD "<record><leader>");
  bytes_add_text(&all, leader_one);
  bytes_add_text(&all, strstr(XML_ONE, "</leader>"));
  bytes_add_text(&all, "</collection>\n");
  CHECK(memory_is(writer, (const char *)all.data, all.length));
  marc_writer_free(writer);

  options = options_of(MARC_FORMAT_JSON);
  check_format(&options, 0, "[]\n");
  all.length = 0;
  bytes_add_text(&all, "[\n{\"leader\":\"");
  bytes_add_text(&all, leader_one);
  bytes_add_text(&all, JSON_BEHIND("1", "One") ",\n{\"leader\":\"");
  bytes_add_text(&all, leader_two);
  bytes_add_text(&all, JSON_BEHIND("2", "caf\xc3\xa9 \\u0001") "\n]\n");
  all.data[all.length] = '\0';
  check_format(&options, 3, (const char *)all.data);
  options.envelope = 0;
  check_format(&options, 0, "");
  options = options_of(MARC_FORMAT_NDJSON);
  all.length = 0;
  bytes_add_text(&all, "{\"leader\":\"");
  bytes_add_text(&all, leader_one);
  bytes_add_text(&all, JSON_BEHIND("1", "One") "\n");
  all.data[all.length] = '\0';
  check_format(&options, 2, (const char *)all.data);

  options = options_of(MARC_FORMAT_MRK);
  all.length = 0;
  bytes_add_text(&all, "=LDR  ");
  bytes_add_text(&all, leader_one);
  bytes_add_text(&all, "\n=001  1\n=245  10$aOne$brest\n\n=LDR  ");
  bytes_add_text(&all, leader_two);
  bytes_add_text(&all, "\n=001  2\n=245  10$acaf\xc3\xa9 {0x01}$brest\n");
  all.data[all.length] = '\0';
  check_format(&options, 3, (const char *)all.data);
  bytes_free(&all);
  marc_batch_release(batch);
}

/* A leader that only MARCXML can have, read from it and written. */
static void test_leader(void) {
  static const char xml[] =
      "<record><leader>     nam  22     u  4500</leader><controlfield tag=\"001\">1</controlfield>"
      "</record>\n";
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  marc_reader_options reading;
  marc_writer_options options = options_of(MARC_FORMAT_MARCXML);
  marc_reader_options_init(&reading, sizeof reading);
  reading.format = MARC_FORMAT_MARCXML;
  options.envelope = 0;
  options.keep_coding = 1;
  CHECK(marc_reader_open_bytes((const uint8_t *)xml, sizeof xml - 1, &reading, &reader, &error) == MARC_OK);
  CHECK(marc_reader_next_batch(reader, &batch, &error) == MARC_OK);
  marc_writer *writer = memory_writer(&options);
  CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_OK);
  CHECK(memory_is(writer, xml, sizeof xml - 1));
  marc_writer_free(writer);
  options.keep_coding = 0;
  writer = memory_writer(&options);
  CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_OK);
  size_t length = 0;
  CHECK(memcmp(marc_writer_get_bytes(writer, &length) + 16, "     nam a22     u  4500", 24) == 0);
  marc_writer_free(writer);
  writer = memory_writer(NULL);
  CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_OK);
  CHECK(memory_is(writer,
                  "00040nam a2200037u  4500001000200000\x1e"
                  "1\x1e\x1d",
                  40));
  marc_writer_free(writer);
  marc_batch_release(batch);
  marc_reader_free(reader);
}

static void test_refused(void) {
  marc_batch *batch = sample();
  marc_writer_options options = options_of(MARC_FORMAT_MARCXML);
  marc_writer *writer = memory_writer(&options);
  marc_writer_info info;
  info.struct_size = sizeof info;
  CHECK(marc_writer_write(writer, batch, 2, &error) == MARC_OK);
  CHECK(marc_writer_get_info(writer, &info) == MARC_OK && info.replaced == 1);
  CHECK(marc_writer_write(writer, batch, 1, &error) == MARC_E_ARGUMENT); /* rejected */
  CHECK(marc_writer_write(writer, batch, 3, &error) == MARC_E_ARGUMENT);
  marc_writer_free(writer);

  options.refuse = MARC_REFUSE_CHARACTERS;
  options.envelope = 0;
  writer = memory_writer(&options);
  uint32_t done = 0;
  CHECK(marc_writer_write_batch(writer, batch, 0, 3, &done, &error) == MARC_E_UNWRITABLE);
  CHECK(done == 2 && error.record_index == 2 && error.detail == 1);
  CHECK(marc_writer_get_info(writer, &info) == MARC_OK && info.records == 1 && info.replaced == 0);
  CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_OK); /* it goes on */
  CHECK(marc_writer_get_info(writer, &info) == MARC_OK && info.records == 2);
  marc_writer_free(writer);
  marc_batch_release(batch);
}

static marc_batch *large_record(size_t fields, size_t size) {
  marc_builder *builder = NULL;
  marc_batch *batch = NULL;
  char *value = (char *)calloc(1, size + 1);
  if (value == NULL || marc_builder_new(&builder, &error) != MARC_OK) {
    abort();
  }
  memset(value, 'x', size);
  CHECK(marc_builder_add_control(builder, "001", "id", 2, &error) == MARC_OK);
  for (size_t i = 0; i < fields; ++i) {
    CHECK(marc_builder_add_data(builder, "520", ' ', ' ', &error) == MARC_OK);
    CHECK(marc_builder_add_subfield(builder, 'a', value, size, &error) == MARC_OK);
  }
  CHECK(marc_builder_finish(builder, &batch, &error) == MARC_OK);
  marc_builder_free(builder);
  free(value);
  return batch;
}

static void test_oversize(void) {
  marc_batch *field = large_record(1, 20000);
  marc_batch *record = large_record(30, 9000);
  marc_writer *writer = memory_writer(NULL);
  CHECK(marc_writer_write(writer, field, 0, &error) == MARC_E_TOO_LARGE);
  CHECK(strcmp(error.tag, "520") == 0 && error.detail == 20005);
  CHECK(marc_writer_write(writer, record, 0, &error) == MARC_E_TOO_LARGE);
  CHECK(error.tag[0] == '\0' && error.detail == 26 + 12 + 3 + 30 * (12 + 9005));
  CHECK(memory_is(writer, "", 0));
  marc_writer_free(writer);
  static const uint32_t ways[] = {MARC_OVERSIZE_ZEROS, MARC_OVERSIZE_SPLIT};
  static const uint32_t pieces[] = {1, 3};
  for (size_t i = 0; i < 2; ++i) {
    marc_writer_options options = options_of(MARC_FORMAT_ISO2709);
    marc_reader_options best;
    marc_reader *reader = NULL;
    marc_batch *batch = NULL;
    size_t length = 0;
    uint32_t found = 0;
    uint32_t fields = 0;
    options.oversize = ways[i];
    writer = memory_writer(&options);
    CHECK(marc_writer_write(writer, record, 0, &error) == MARC_OK);
    const uint8_t *data = marc_writer_get_bytes(writer, &length);
    marc_reader_options_init(&best, sizeof best);
    best.parse_mode = MARC_PARSE_BEST;
    CHECK(marc_reader_open_bytes(data, length, &best, &reader, &error) == MARC_OK);
    while (marc_reader_next_batch(reader, &batch, &error) == MARC_OK) {
      for (uint32_t k = 0; k < marc_batch_record_count(batch); ++k, ++found) {
        CHECK(marc_batch_record_status(batch, k) == MARC_OK);
        fields += marc_batch_field_count(batch, k) - 1;
      }
      marc_batch_release(batch);
    }
    CHECK(found == pieces[i] && fields == 30);
    marc_reader_free(reader);
    marc_writer_free(writer);
  }
  marc_batch_release(field);
  marc_batch_release(record);
}

static void test_marc8(void) {
  marc_writer_options options = options_of(MARC_FORMAT_ISO2709);
  marc_builder *builder = NULL;
  marc_batch *batch = NULL;
  options.encoding = MARC_ENCODING_MARC8;
  marc_writer *writer = memory_writer(&options);
  CHECK(marc_builder_new(&builder, &error) == MARC_OK);
  CHECK(marc_builder_add_data(builder, "245", '1', '0', &error) == MARC_OK);
  CHECK(marc_builder_add_subfield(builder, 'a', "caf\xc3\xa9", 5, &error) == MARC_OK);
  CHECK(marc_builder_finish(builder, &batch, &error) == MARC_OK);
  CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_OK);
  static const char expected[] = "00048nam  2200037   4500245001000000\x1e"
                                 "10\x1f"
                                 "acaf\xe2"
                                 "e\x1e\x1d";
  CHECK(memory_is(writer, expected, sizeof expected - 1));
  marc_batch_release(batch);

  CHECK(marc_builder_add_data(builder, "246", '1', '0', &error) == MARC_OK);
  CHECK(marc_builder_add_subfield(builder, 'a', "\xf0\x9f\x93\x9a", 4, &error) == MARC_OK);
  CHECK(marc_builder_finish(builder, &batch, &error) == MARC_OK);
  CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_E_UNMAPPABLE);
  CHECK(error.detail == 0x1F4DA && strcmp(error.tag, "246") == 0);
  CHECK(memory_is(writer, expected, sizeof expected - 1));
  marc_writer_free(writer);
  options.unmappable = MARC_UNMAPPABLE_REFERENCE;
  writer = memory_writer(&options);
  CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_OK);
  static const char reference[] = "00052nam  2200037   4500246001400000\x1e"
                                  "10\x1f"
                                  "a&#x1F4DA;\x1e\x1d";
  CHECK(memory_is(writer, reference, sizeof reference - 1));
  marc_writer_info info;
  info.struct_size = sizeof info;
  CHECK(marc_writer_get_info(writer, &info) == MARC_OK && info.replaced == 1);
  marc_writer_free(writer);
  marc_batch_release(batch);
  marc_builder_free(builder);
}

static void test_path(void) {
  char path[] = "/tmp/libmarc_test_writer_XXXXXX";
  const int descriptor = mkstemp(path);
  CHECK(descriptor >= 0 && write(descriptor, "something longer than what comes", 32) == 32);
  marc_batch *batch = sample();
  marc_writer *writer = NULL;
  CHECK(marc_writer_open_path(path, NULL, &writer, &error) == MARC_OK);
  CHECK(marc_writer_write_raw(writer, batch, 1, &error) == MARC_OK);
  CHECK(lseek(descriptor, 0, SEEK_END) == 0); /* still in the buffer */
  CHECK(marc_writer_flush(writer, &error) == MARC_OK);
  CHECK(lseek(descriptor, 0, SEEK_END) == 5);
  CHECK(marc_writer_write_raw(writer, batch, 1, &error) == MARC_OK);
  size_t length = 7;
  CHECK(marc_writer_get_bytes(writer, &length) == NULL && length == 0);
  CHECK(marc_writer_close(writer, &error) == MARC_OK);
  char content[20] = "";
  CHECK(pread(descriptor, content, sizeof content, 0) == 10 && memcmp(content, "junk\x1djunk\x1d", 10) == 0);
  CHECK(marc_writer_write_raw(writer, batch, 1, &error) == MARC_E_ARGUMENT);
  CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_E_ARGUMENT);
  CHECK(marc_writer_close(writer, &error) == MARC_OK);
  CHECK(lseek(descriptor, 0, SEEK_END) == 10);
  marc_writer_free(writer);
  marc_batch_release(batch);
  close(descriptor);
  unlink(path);
  writer = (marc_writer *)(void *)&error;
  CHECK(marc_writer_open_path("/nowhere/at/all", NULL, &writer, &error) == MARC_E_IO);
  CHECK(error.detail == ENOENT && writer == NULL && error.message[0] != '\0');
  CHECK(marc_writer_open_path("/", NULL, &writer, &error) == MARC_E_IO && error.detail == EISDIR);
}

/* A device that is full: said by the call that meets it, by all that follow, and by close. */
static void test_full(void) {
  if (access("/dev/full", W_OK) != 0) {
    return;
  }
  marc_batch *batch = sample();
  marc_writer *writer = NULL;
  marc_writer_options options = options_of(MARC_FORMAT_NDJSON);
  options.buffer_bytes = 0;
  CHECK(marc_writer_open_path("/dev/full", &options, &writer, &error) == MARC_OK);
  for (int i = 0; i < 2; ++i) {
    error.detail = 0;
    CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_E_IO && error.detail == ENOSPC);
  }
  error.detail = 0;
  CHECK(marc_writer_flush(writer, &error) == MARC_E_IO && error.detail == ENOSPC);
  CHECK(marc_writer_close(writer, &error) == MARC_E_IO && error.detail == ENOSPC);
  CHECK(marc_writer_close(writer, &error) == MARC_E_IO && error.detail == ENOSPC);
  marc_writer_free(writer);
  options.buffer_bytes = 1U << 20; /* only close meets it */
  CHECK(marc_writer_open_path("/dev/full", &options, &writer, &error) == MARC_OK);
  CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_OK);
  CHECK(marc_writer_close(writer, &error) == MARC_E_IO && error.detail == ENOSPC);
  marc_writer_free(writer);
  marc_batch_release(batch);
}

typedef struct target {
  bytes taken;
  size_t most;        /* bytes taken at once */
  int64_t answer;     /* if not 0, in place of a number */
  marc_writer *inner; /* asked while it writes */
  int32_t said;
} target;

static int64_t take(void *context, const uint8_t *data, size_t length) {
  target *self = (target *)context;
  if (self->inner != NULL) {
    self->said = marc_writer_flush(self->inner, NULL);
  }
  if (self->answer != 0) {
    return self->answer;
  }
  const size_t size = length < self->most ? length : self->most;
  bytes_add(&self->taken, data, size);
  return (int64_t)size;
}

static void test_callback(void) {
  marc_batch *batch = sample();
  marc_writer *writer = NULL;
  marc_writer_options options = options_of(MARC_FORMAT_MRK);
  target to = {{NULL, 0}, 3, 0, NULL, 0};
  options.buffer_bytes = 10;
  CHECK(marc_writer_open_callback(take, &to, &options, &writer, &error) == MARC_OK);
  to.inner = writer;
  CHECK(marc_writer_write_batch(writer, batch, 0, 3, NULL, &error) == MARC_OK);
  CHECK(to.said == MARC_E_BUSY);
  CHECK(marc_writer_close(writer, &error) == MARC_OK);
  marc_writer *memory = memory_writer(&options);
  CHECK(marc_writer_write_batch(memory, batch, 0, 3, NULL, &error) == MARC_OK);
  CHECK(memory_is(memory, (const char *)to.taken.data, to.taken.length));
  marc_writer_free(memory);
  marc_writer_free(writer);

  static const int64_t wrong[] = {-5, 1 << 20, INT64_MIN};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    target bad = {{NULL, 0}, 100, wrong[i], NULL, 0};
    CHECK(marc_writer_open_callback(take, &bad, &options, &writer, &error) == MARC_OK);
    CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_E_CALLBACK && error.detail == wrong[i]);
    bad.answer = 0;
    CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_E_CALLBACK && error.detail == wrong[i]);
    CHECK(marc_writer_close(writer, &error) == MARC_E_CALLBACK && error.detail == wrong[i]);
    CHECK(bad.taken.length == 0);
    marc_writer_free(writer);
  }
  target none = {{NULL, 0}, 0, 0, NULL, 0}; /* takes nothing: no endless loop */
  CHECK(marc_writer_open_callback(take, &none, &options, &writer, &error) == MARC_OK);
  CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_E_CALLBACK);
  marc_writer_free(writer);
  bytes_free(&to.taken);
  bytes_free(&none.taken);
  marc_batch_release(batch);
}

static void test_fork(void) {
  marc_batch *batch = sample();
  target to = {{NULL, 0}, 1000, 0, NULL, 0};
  marc_writer *writer = NULL;
  CHECK(marc_writer_open_callback(take, &to, NULL, &writer, &error) == MARC_OK);
  CHECK(marc_writer_write(writer, batch, 0, &error) == MARC_OK);
  const pid_t child = fork();
  if (child == 0) {
    const int good = marc_writer_write(writer, batch, 0, &error) == MARC_E_FORKED &&
                     marc_writer_close(writer, &error) == MARC_E_FORKED && to.taken.length == 0;
    marc_writer_free(writer);
    _exit(good ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK(marc_writer_close(writer, &error) == MARC_OK && to.taken.length > 60);
  marc_writer_free(writer);
  bytes_free(&to.taken);
  marc_batch_release(batch);
}

static void test_arguments(void) {
  marc_writer *writer = NULL;
  marc_writer_info info;
  info.struct_size = sizeof info;
  CHECK(marc_writer_open_path(NULL, NULL, &writer, &error) == MARC_E_ARGUMENT && writer == NULL);
  CHECK(marc_writer_open_callback(NULL, NULL, NULL, &writer, &error) == MARC_E_ARGUMENT && writer == NULL);
  CHECK(marc_writer_open_memory(NULL, NULL, &error) == MARC_E_ARGUMENT);
  marc_writer_options good;
  marc_writer_options_init(&good, sizeof good);
  marc_writer_options_init(NULL, 4);
  for (size_t i = 0; i < 11; ++i) {
    marc_writer_options options = good;
    uint32_t *const members[] = {&options.struct_size, &options.format,   &options.encoding,    &options.oversize,
                                 &options.refuse,      &options.envelope, &options.keep_coding, &options.buffer_bytes,
                                 &options.unmappable,  &options.reserved};
    if (i == 10) {
      options.encoding = MARC_ENCODING_MARC8;
      options.format = MARC_FORMAT_JSON;
    } else {
      *members[i] = UINT32_MAX;
    }
    CHECK(marc_writer_open_memory(&options, &writer, &error) == MARC_E_ARGUMENT);
    CHECK(writer == NULL);
  }
  marc_batch *batch = sample();
  writer = memory_writer(&good);
  CHECK(marc_writer_write(NULL, batch, 0, &error) == MARC_E_ARGUMENT);
  CHECK(marc_writer_write(writer, NULL, 0, &error) == MARC_E_ARGUMENT);
  CHECK(marc_writer_write_raw(writer, NULL, 0, &error) == MARC_E_ARGUMENT);
  CHECK(marc_writer_write_batch(writer, batch, 1, 3, NULL, &error) == MARC_E_ARGUMENT);
  CHECK(marc_writer_write_batch(writer, batch, UINT32_MAX, 2, NULL, &error) == MARC_E_ARGUMENT);
  CHECK(marc_writer_write_batch(writer, NULL, 0, 0, NULL, &error) == MARC_E_ARGUMENT);
  CHECK(marc_writer_write_batch(writer, batch, 3, 0, NULL, &error) == MARC_OK);
  CHECK(marc_writer_flush(NULL, NULL) == MARC_E_ARGUMENT && marc_writer_close(NULL, NULL) == MARC_E_ARGUMENT);
  CHECK(marc_writer_get_info(NULL, &info) == MARC_E_ARGUMENT);
  CHECK(marc_writer_get_info(writer, NULL) == MARC_E_ARGUMENT);
  CHECK(marc_writer_get_bytes(NULL, NULL) == NULL);
  marc_writer_free(writer);
  marc_writer_free(NULL);
  marc_batch_release(batch);
}

int main(void) {
  marc_error_init(&error, sizeof error);
  test_formats();
  test_leader();
  test_refused();
  test_oversize();
  test_marc8();
  test_path();
  test_full();
  test_callback();
  test_fork();
  test_arguments();
  return checks_result();
}

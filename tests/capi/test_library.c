/* The version, the codes, and the structs that a caller initialises.
 *
 * SPDX-License-Identifier: MIT
 */
#include "check.h"

#include <limits.h>
#include <stddef.h>

static void test_version(void) {
  char expected[40];
  snprintf(expected, sizeof expected, "%d.%d.%d", MARC_VERSION_MAJOR, MARC_VERSION_MINOR, MARC_VERSION_PATCH);
  CHECK(strcmp(marc_version_string(), expected) == 0);
  CHECK(marc_abi_version() == MARC_ABI_VERSION);
}

#define CODE(code)                                                                                                     \
  { code, #code }

static const struct {
  int32_t code;
  const char *name;
} codes[] = {
    CODE(MARC_OK),
    CODE(MARC_END),
    CODE(MARC_E_ARGUMENT),
    CODE(MARC_E_NOMEM),
    CODE(MARC_E_IO),
    CODE(MARC_E_CALLBACK),
    CODE(MARC_E_CANCELLED),
    CODE(MARC_E_BUSY),
    CODE(MARC_E_FORKED),
    CODE(MARC_E_INTERRUPTED),
    CODE(MARC_E_UNSUPPORTED),
    CODE(MARC_E_INTERNAL),
    CODE(MARC_E_TOO_LARGE),
    CODE(MARC_E_UNWRITABLE),
    CODE(MARC_BAD_LENGTH),
    CODE(MARC_BAD_TRUNCATED),
    CODE(MARC_BAD_END_NOT_FOUND),
    CODE(MARC_BAD_LEADER),
    CODE(MARC_BAD_LEADER_TEXT),
    CODE(MARC_BAD_BASE_NUMBER),
    CODE(MARC_BAD_BASE_MISSING),
    CODE(MARC_BAD_BASE_RANGE),
    CODE(MARC_BAD_DIRECTORY),
    CODE(MARC_BAD_DIRECTORY_TEXT),
    CODE(MARC_BAD_DIRECTORY_NUMBER),
    CODE(MARC_BAD_NO_FIELDS),
    CODE(MARC_BAD_INDICATOR_TEXT),
    CODE(MARC_BAD_TEXT),
    CODE(MARC_BAD_OVERSIZE),
    CODE(MARC_BAD_OVERSIZE_PART),
    CODE(MARC_NOTE_FRAMING),
    CODE(MARC_NOTE_DIRECTORY_EXTENT),
    CODE(MARC_NOTE_FIELD_END),
    CODE(MARC_NOTE_FIELD_RANGE),
    CODE(MARC_NOTE_INNER_TERMINATOR),
    CODE(MARC_NOTE_INDICATORS_MISSING),
    CODE(MARC_NOTE_INDICATOR_ONE),
    CODE(MARC_NOTE_INDICATORS_MANY),
    CODE(MARC_NOTE_SUBFIELD_EMPTY),
    CODE(MARC_NOTE_SUBFIELD_CODE),
    CODE(MARC_NOTE_LEADER_LENGTH),
    CODE(MARC_NOTE_ATTRIBUTE),
    CODE(MARC_NOTE_FIELD_KIND),
    CODE(MARC_NOTE_MISPLACED),
    CODE(MARC_NOTE_NO_FIELDS),
};

static void test_codes(void) {
  static const int32_t unknown[] = {2, -15, -100, -120, -131, 200, 232, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; ++i) {
    const char *message = marc_code_message(codes[i].code);
    CHECK(strcmp(marc_code_name(codes[i].code), codes[i].name) == 0);
    CHECK(strlen(message) > 5 && strchr(message, '\n') == NULL);
    for (size_t k = 0; k < i; ++k) {
      CHECK(strcmp(message, marc_code_message(codes[k].code)) != 0);
    }
    CHECK(marc_code_message(codes[i].code) == message); /* static */
  }
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; ++i) {
    CHECK(strcmp(marc_code_name(unknown[i]), "") == 0);
    CHECK(marc_code_message(unknown[i]) != NULL);
  }
}

static void test_error_init(void) {
  marc_error error;
  memset(&error, 0xA5, sizeof error);
  marc_error_init(&error, sizeof error);
  CHECK(error.struct_size == sizeof error);
  CHECK(error.code == 0 && error.detail == 0 && error.tag[0] == '\0' && error.message[0] == '\0');
  /* A caller that knows less of it, or more: its own size is cleared, not a byte behind it. */
  unsigned char space[sizeof(marc_error) + 32];
  for (size_t size = sizeof(uint32_t); size + 8 < sizeof space; size += 4) {
    uint32_t stated = 0;
    memset(space, 0xA5, sizeof space);
    marc_error_init((marc_error *)(void *)space, size);
    memcpy(&stated, space, sizeof stated);
    CHECK(stated == size);
    size_t cleared = sizeof stated;
    while (cleared < sizeof space && space[cleared] == 0) {
      ++cleared;
    }
    CHECK(cleared == size);
  }
}

static void test_options_init(void) {
  marc_reader_options options;
  memset(&options, 0xA5, sizeof options);
  marc_reader_options_init(&options, sizeof options);
  CHECK(options.struct_size == sizeof options);
  CHECK(options.parse_mode == MARC_PARSE_PYMARC);
  CHECK(options.chunk_bytes == 512U << 10);
  CHECK(options.batch_records == 0);
  CHECK(options.largest_record == 64U << 20);
  CHECK(options.interruptible == 0);
  CHECK(options.text_mode == MARC_TEXT_BY_LEADER);
  CHECK(options.range_begin == 0);
  CHECK(options.range_end == UINT64_MAX);
  union {
    marc_reader_options options;
    unsigned char bytes[sizeof(marc_reader_options) + 32];
  } space;
  /* Compiled against a header with fewer members. */
  memset(&space, 0xA5, sizeof space);
  marc_reader_options_init(&space.options, offsetof(marc_reader_options, batch_records));
  CHECK(space.options.struct_size == offsetof(marc_reader_options, batch_records));
  CHECK(space.options.chunk_bytes == 512U << 10);
  CHECK(space.options.batch_records == 0xA5A5A5A5U);
  /* Compiled against one with more: those are zero. */
  memset(&space, 0xA5, sizeof space);
  marc_reader_options_init(&space.options, sizeof(marc_reader_options) + 8);
  CHECK(space.options.struct_size == sizeof(marc_reader_options) + 8);
  CHECK(space.options.range_end == UINT64_MAX);
  CHECK(space.bytes[sizeof(marc_reader_options)] == 0);
  CHECK(space.bytes[sizeof(marc_reader_options) + 7] == 0);
  CHECK(space.bytes[sizeof(marc_reader_options) + 8] == 0xA5);
}

int main(void) {
  test_version();
  test_codes();
  test_error_init();
  test_options_init();
  return checks_result();
}

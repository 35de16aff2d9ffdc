/* Damaged input: both parse modes of a reader and of a single record, fields that overlap, and the bytes of the piece
 * that a failure has cut.
 *
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

/* A record, a byte that says nothing, a record with a wrong length, one without its end and junk behind it, one with the
 * length 0, and a record. */
static bytes records;

static void add_with_length(bytes *to, const char *id, const char *title, const char *length) {
  const size_t begin = to->length;
  add_record(to, id, title);
  memcpy(to->data + begin, length, 5);
}

static void make_records(void) {
  add_record(&records, "1", "The first");
  bytes_add_text(&records, "\n");
  add_with_length(&records, "2", "Too long", "99999");
  add_record(&records, "3", "Without its end");
  records.length -= 2;
  bytes_add_text(&records, "junk\x1d");
  add_with_length(&records, "4", "No length", "00000");
  add_record(&records, "5", "The last");
}

static marc_reader_options options_of(uint32_t mode, uint32_t chunk) {
  marc_reader_options options;
  marc_reader_options_init(&options, sizeof options);
  options.parse_mode = mode;
  options.chunk_bytes = chunk;
  return options;
}

static int has_note(const marc_batch_view *view, uint32_t record, int32_t code) {
  for (uint32_t i = 0; i < view->note_count; ++i) {
    if (view->notes[i].record == record && view->notes[i].code == code) {
      return 1;
    }
  }
  return 0;
}

static marc_batch_view view_of(const marc_batch *batch) {
  marc_batch_view view;
  view.struct_size = sizeof view;
  marc_batch_get_view(batch, &view);
  return view;
}

/* ---- Parse modes ------------------------------------------------------------------------------------------------- */

typedef struct piece {
  int32_t status;
  uint32_t repaired; /* the flag MARC_REC_REPAIRED */
  uint32_t fields;
  int32_t note; /* one that it has, or 0 */
} piece;

/* What becomes of the pieces: as pymarc reads them, and as well as they can be read. */
static const piece expected[2][5] = {{{MARC_OK, 0, 2, 0},
                                      {MARC_BAD_END_NOT_FOUND, 0, 0, MARC_BAD_END_NOT_FOUND},
                                      {MARC_BAD_END_NOT_FOUND, 0, 0, MARC_BAD_END_NOT_FOUND},
                                      {MARC_OK, 0, 2, MARC_NOTE_FRAMING},
                                      {MARC_OK, 0, 2, 0}},
                                     {{MARC_OK, 0, 2, 0},
                                      {MARC_OK, MARC_REC_REPAIRED, 2, MARC_NOTE_LENGTH},
                                      {MARC_OK, MARC_REC_REPAIRED, 2, MARC_NOTE_RECORD_END},
                                      {MARC_OK, MARC_REC_REPAIRED, 2, MARC_NOTE_LENGTH},
                                      {MARC_OK, 0, 2, 0}}};

static void check_pieces(marc_reader *reader, uint32_t mode) {
  marc_batch *batch = NULL;
  uint32_t seen = 0;
  if (!CHECK(reader != NULL)) {
    return;
  }
  while (marc_reader_next_batch(reader, &batch, NULL) == MARC_OK) {
    const marc_batch_view view = view_of(batch);
    for (uint32_t i = 0; i < view.record_count && CHECK(seen < 5); ++i, ++seen) {
      const piece *wanted = &expected[mode][seen];
      CHECK(view.record_status[i] == wanted->status);
      CHECK((view.record_flags[i] & MARC_REC_REPAIRED) == wanted->repaired);
      CHECK(((view.record_flags[i] & MARC_REC_NOTED) != 0) == (wanted->status == MARC_OK && wanted->note != 0));
      CHECK(marc_batch_field_count(batch, i) == wanted->fields);
      CHECK(wanted->note == 0 || has_note(&view, i, wanted->note));
      CHECK(wanted->note != 0 || !has_note(&view, i, MARC_NOTE_LENGTH));
    }
    marc_batch_release(batch);
  }
  CHECK(seen == 5);
  marc_reader_free(reader);
}

static void test_modes(void) {
  static const uint32_t chunks[] = {64, 1U << 20};
  for (uint32_t mode = MARC_PARSE_PYMARC; mode <= MARC_PARSE_BEST; ++mode) {
    for (size_t c = 0; c < 2; ++c) {
      const marc_reader_options options = options_of(mode, chunks[c]);
      marc_reader *reader = NULL;
      CHECK(marc_reader_open_bytes(records.data, records.length, &options, &reader, NULL) == MARC_OK);
      check_pieces(reader, mode);
      for (size_t most = 1; most < 200; most += 33) {
        feed from = feed_of(&records, most);
        CHECK(marc_reader_open_callback(feed_read, &from, &options, &reader, NULL) == MARC_OK);
        check_pieces(reader, mode);
        from = feed_of(&records, most);
        CHECK(marc_reader_open_read_at(feed_read_at, &from, records.length, &options, &reader, NULL) == MARC_OK);
        check_pieces(reader, mode);
      }
    }
  }
}

static void test_a_single_record(void) {
  static const uint32_t places[] = {MARC_PIECE_ALONE, MARC_PIECE_FOLLOWED, MARC_PIECE_LAST};
  bytes one = {NULL, 0};
  add_with_length(&one, "1", "Too long", "99999");
  const marc_reader_options pymarc = options_of(MARC_PARSE_PYMARC, 64);
  const marc_reader_options best = options_of(MARC_PARSE_BEST, 64);
  for (size_t i = 0; i < 3; ++i) {
    marc_batch *batch = NULL;
    char tag[4];
    size_t length = 0;
    CHECK(marc_parse_record(one.data, one.length, places[i], &pymarc, &batch, NULL) == MARC_OK);
    CHECK(marc_batch_record_status(batch, 0) != MARC_OK);
    marc_batch_release(batch);
    CHECK(marc_parse_record(one.data, one.length, places[i], &best, &batch, NULL) == MARC_OK);
    const marc_batch_view view = view_of(batch);
    CHECK(view.record_count == 1 && view.record_status[0] == MARC_OK);
    CHECK((view.record_flags[0] & MARC_REC_REPAIRED) != 0);
    CHECK(has_note(&view, 0, MARC_NOTE_LENGTH));
    const uint8_t *field = marc_batch_field(batch, 0, 0, tag, &length);
    CHECK(strcmp(tag, "001") == 0 && length == 1 && memcmp(field, "1", 1) == 0);
    marc_batch_release(batch);
    /* Nothing to repair: the verdict of pymarc stays. */
    CHECK(marc_parse_record((const uint8_t *)"junk\x1d", 5, places[i], &best, &batch, NULL) == MARC_OK);
    CHECK(marc_batch_record_status(batch, 0) != MARC_OK);
    marc_batch_release(batch);
  }
  bytes_free(&one);
}

/* A record of `size` bytes with `count` entries of its one field of 900 bytes. */
static bytes overlapping(unsigned count, const char *length) {
  bytes made = {NULL, 0};
  char text[32];
  const unsigned base = 24 + 12 * count + 1;
  snprintf(text, sizeof text, "%05unam a22%05u a 4500", base + 901, base);
  bytes_add_text(&made, text);
  if (length != NULL) {
    memcpy(made.data, length, 5);
  }
  for (unsigned i = 0; i < count; ++i) {
    bytes_add_text(&made, "500090000000");
  }
  bytes_add_text(&made, "\x1e  \x1f");
  for (unsigned i = 0; i < 896; ++i) {
    bytes_add_text(&made, "a");
  }
  bytes_add_text(&made, "\x1e\x1d");
  return made;
}

static void test_overlap(void) {
  static const char *const lengths[] = {NULL, "00000"}; /* a sound record, and a damaged one */
  for (unsigned count = 20; count < 90; ++count) {
    for (size_t l = 0; l < 2; ++l) {
      bytes made = overlapping(count, lengths[l]);
      const int too_much = 899ULL * count > 32ULL * made.length;
      for (uint32_t mode = MARC_PARSE_PYMARC; mode <= MARC_PARSE_BEST; ++mode) {
        const marc_reader_options options = options_of(mode, 64);
        marc_reader *reader = NULL;
        marc_batch *batch = NULL;
        CHECK(marc_reader_open_bytes(made.data, made.length, &options, &reader, NULL) == MARC_OK);
        CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_OK);
        CHECK(marc_batch_record_status(batch, 0) == (too_much ? MARC_BAD_OVERLAP : MARC_OK));
        CHECK(marc_batch_field_count(batch, 0) == (too_much ? 0 : count));
        marc_batch_release(batch);
        marc_reader_free(reader);
      }
      bytes_free(&made);
    }
  }
}

/* Danish records have a blank and a code of two characters; leader/10 and /11 say how wide each is. */
static void test_widths(void) {
  static const struct {
    const char *widths;
    const char *field;
    uint32_t flags;
  } forms[] = {{"22",
                "10\x1f"
                "atitle\x1e",
                0},
               {"32",
                "100\x1f"
                "atitle\x1e",
                MARC_REC_INDICATORS},
               {"02",
                "\x1f"
                "atitle\x1e",
                MARC_REC_INDICATORS},
               {"23",
                "10\x1f"
                "abtitle\x1e",
                MARC_REC_CODES},
               {"13",
                "1\x1f"
                "abtitle\x1e",
                MARC_REC_INDICATORS | MARC_REC_CODES},
               {"32",
                "10\x1f"
                "atitle\x1e",
                0}, /* the fields do not agree */
               {"23",
                "10\x1f"
                "a title\x1e",
                0}, /* no code has a blank */
               {"  ",
                "10\x1f"
                "atitle\x1e",
                0}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; ++i) {
    char text[100];
    const unsigned size = (unsigned)strlen(forms[i].field);
    const int length = snprintf(text, sizeof text, "%05unam a%s00037 a 4500245%04u00000\x1e%s\x1d", 37 + size + 1,
                                forms[i].widths, size, forms[i].field);
    for (uint32_t mode = MARC_PARSE_PYMARC; mode <= MARC_PARSE_BEST; ++mode) {
      const marc_reader_options options = options_of(mode, 64);
      marc_batch *batch = NULL;
      CHECK(marc_parse_record((const uint8_t *)text, (size_t)length, MARC_PIECE_LAST, &options, &batch, NULL) ==
            MARC_OK);
      const uint32_t flags = marc_batch_record_flags(batch, 0);
      CHECK(marc_batch_record_status(batch, 0) == MARC_OK);
      CHECK((flags & (MARC_REC_INDICATORS | MARC_REC_CODES)) == (mode == MARC_PARSE_BEST ? forms[i].flags : 0));
      CHECK(mode == MARC_PARSE_PYMARC || forms[i].flags == 0 || (flags & (MARC_REC_PLAIN | MARC_REC_REPAIRED)) == 0);
      marc_batch_release(batch);
    }
  }
}

/* ---- What a failure has cut -------------------------------------------------------------------------------------- */

/* Reads until it fails. Pieces, silent bytes and the rest are all that came before. */
static void check_rest(size_t end, size_t most, uint32_t mode, uint32_t chunk) {
  feed from = feed_of(&records, most);
  from.length = end;
  from.fails_at = (unsigned)((end + most - 1) / most) + 1;
  from.failure = -5;
  const marc_reader_options options = options_of(mode, chunk);
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  marc_error error;
  uint64_t in_pieces = 0;
  size_t length = 99;
  int32_t status = MARC_OK;
  marc_error_init(&error, sizeof error);
  CHECK(marc_reader_open_callback(feed_read, &from, &options, &reader, &error) == MARC_OK);
  CHECK(marc_reader_get_rest(reader, &length) == NULL && length == 0);
  for (;;) {
    status = marc_reader_next_batch(reader, &batch, &error);
    if (status != MARC_OK) {
      break;
    }
    CHECK(marc_reader_get_rest(reader, &length) == NULL && length == 0); /* it may go on */
    for (uint32_t i = 0; i < marc_batch_record_count(batch); ++i) {
      CHECK(marc_batch_record_data(batch, i, &length) != NULL);
      in_pieces += length;
    }
    marc_batch_release(batch);
  }
  CHECK(status == MARC_E_CALLBACK && error.detail == -5);
  marc_reader_info info;
  info.struct_size = sizeof info;
  CHECK(marc_reader_get_info(reader, &info) == MARC_OK);
  CHECK(info.bytes_read == end);
  for (int i = 0; i < 3; ++i) { /* also behind MARC_END */
    const uint8_t *rest = marc_reader_get_rest(reader, &length);
    CHECK((rest == NULL) == (length == 0));
    CHECK(in_pieces + info.silent_bytes + length == end);
    CHECK(rest == NULL || (uint64_t)error.byte_offset == end - length);
    CHECK(rest == NULL || memcmp(rest, records.data + end - length, length) == 0);
    CHECK(marc_reader_get_rest(reader, NULL) == rest);
    if (i == 1) {
      CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_END);
    }
  }
  marc_reader_free(reader);
}

static void test_rest(void) {
  for (size_t end = 0; end <= records.length; ++end) {
    for (uint32_t mode = MARC_PARSE_PYMARC; mode <= MARC_PARSE_BEST; ++mode) {
      check_rest(end, 1, mode, 64);
      check_rest(end, 50, mode, 64);
      check_rest(end, 64, mode, 64);
      check_rest(end, 100000, mode, 1U << 20);
    }
  }
}

static void test_no_rest(void) {
  size_t length = 7;
  CHECK(marc_reader_get_rest(NULL, &length) == NULL && length == 0);
  CHECK(marc_reader_get_rest(NULL, NULL) == NULL);
  /* At the end nothing is left. */
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  CHECK(marc_reader_open_bytes(records.data, records.length, NULL, &reader, NULL) == MARC_OK);
  while (marc_reader_next_batch(reader, &batch, NULL) == MARC_OK) {
    marc_batch_release(batch);
  }
  length = 7;
  CHECK(marc_reader_get_rest(reader, &length) == NULL && length == 0);
  marc_reader_free(reader);
  /* A reader that was cancelled has not failed. */
  feed from = feed_of(&records, 30);
  CHECK(marc_reader_open_callback(feed_read, &from, NULL, &reader, NULL) == MARC_OK);
  marc_reader_cancel(reader);
  CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_E_CANCELLED);
  CHECK(marc_reader_get_rest(reader, &length) == NULL && length == 0);
  marc_reader_free(reader);
  /* Nor has one that was interrupted. */
  from = feed_of(&records, 30);
  from.fails_at = 2;
  from.failure = MARC_READ_INTERRUPTED;
  CHECK(marc_reader_open_callback(feed_read, &from, NULL, &reader, NULL) == MARC_OK);
  CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_E_INTERRUPTED);
  CHECK(marc_reader_get_rest(reader, &length) == NULL && length == 0);
  marc_reader_free(reader);
}

/* In a child the reader has nothing to give. */
static void test_rest_after_fork(void) {
  feed from = feed_of(&records, 30);
  from.fails_at = 2;
  from.failure = -1;
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  size_t length = 0;
  CHECK(marc_reader_open_callback(feed_read, &from, NULL, &reader, NULL) == MARC_OK);
  CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_E_CALLBACK);
  CHECK(marc_reader_get_rest(reader, &length) != NULL && length == 30);
  const pid_t child = fork();
  if (child == 0) {
    length = 7;
    _exit(marc_reader_get_rest(reader, &length) == NULL && length == 0 ? 0 : 1);
  }
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  marc_reader_free(reader);
}

/* Inside the callback the reader is busy. */
typedef struct inner {
  feed from;
  marc_reader *reader;
} inner;

static int64_t read_and_ask(void *context, uint8_t *buffer, size_t capacity) {
  inner *self = (inner *)context;
  size_t length = 7;
  CHECK(marc_reader_get_rest(self->reader, &length) == NULL && length == 0);
  return feed_read(&self->from, buffer, capacity);
}

static void test_rest_inside_the_callback(void) {
  inner self;
  self.from = feed_of(&records, 30);
  self.from.fails_at = 3;
  self.from.failure = -1;
  marc_batch *batch = NULL;
  size_t length = 0;
  CHECK(marc_reader_open_callback(read_and_ask, &self, NULL, &self.reader, NULL) == MARC_OK);
  CHECK(marc_reader_next_batch(self.reader, &batch, NULL) == MARC_E_CALLBACK);
  CHECK(marc_reader_get_rest(self.reader, &length) != NULL && length == 60);
  marc_reader_free(self.reader);
}

int main(void) {
  make_records();
  test_modes();
  test_a_single_record();
  test_overlap();
  test_widths();
  test_rest();
  test_no_rest();
  test_rest_after_fork();
  test_rest_inside_the_callback();
  bytes_free(&records);
  return checks_result();
}

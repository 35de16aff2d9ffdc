/* Batches: the view, the accessors that must say the same, references, and records that are parsed alone.
 *
 * SPDX-License-Identifier: MIT
 */
#include "check.h"

#include <stddef.h>

static bytes input;

/* Good records, one without fields of interest, two rejected ones, one with notes. */
static void make_input(void) {
  bytes_add_text(&input, " \n");
  add_record(&input, "1", "One");
  add_record(&input, "22", "Two");
  bytes_add_text(&input, "junk\x1d");
  add_record(&input, "3", "caf\xc3\xa9");
  const size_t bad = input.length;
  add_record(&input, "4", "caf\xff");
  const size_t wrong_length = input.length;
  add_record(&input, "5", "Five");
  memcpy(input.data + wrong_length, "00000", 5); /* read as pymarc reads it, with a note */
  CHECK(bad < wrong_length);
  add_record(&input, "6", "");
}

static marc_batch *read_input(void) {
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  CHECK(marc_reader_open_bytes(input.data, input.length, NULL, &reader, NULL) == MARC_OK);
  CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_OK);
  marc_reader_free(reader);
  return batch;
}

static marc_batch_view view_of(const marc_batch *batch) {
  marc_batch_view view;
  memset(&view, 0xA5, sizeof view);
  view.struct_size = sizeof view;
  marc_batch_get_view(batch, &view);
  CHECK(view.struct_size == sizeof view);
  return view;
}

static void test_view(void) {
  marc_batch *batch = read_input();
  const marc_batch_view view = view_of(batch);
  static const int32_t statuses[] = {MARC_OK, MARC_OK, MARC_BAD_LENGTH, MARC_OK, MARC_BAD_TEXT, MARC_OK, MARC_OK};
  const uint32_t good = MARC_REC_SOUND | MARC_REC_SPLITS | MARC_REC_PLAIN | MARC_REC_CANONICAL | MARC_REC_UTF8;
  const uint32_t flags[] = {good, good, 0, good | MARC_REC_NONASCII, MARC_REC_SOUND, MARC_REC_UTF8 | MARC_REC_NOTED,
                            good};
  static const uint32_t fields[] = {2, 2, 0, 2, 0, 2, 2};
  if (!CHECK(view.record_count == 7)) {
    marc_batch_release(batch);
    return;
  }
  CHECK(view.field_count == 10);
  CHECK(view.subfield_count == 10);
  CHECK(view.rejected_count == 2);
  CHECK(view.all_flags == 0);
  CHECK(view.reserved == 0);
  CHECK(view.source_offset == 0 && view.first_index == 0);
  CHECK(view.silent_bytes == 2);
  CHECK(view.data == input.data); /* borrowed, not copied */
  CHECK(view.data_length == input.length);
  CHECK(view.field_first[0] == 0 && view.subfield_first[0] == 0);
  uint32_t end = 2;
  for (uint32_t i = 0; i < 7; ++i) {
    CHECK(view.record_start[i] == end);
    end = view.record_start[i] + view.record_length[i];
    CHECK(view.record_status[i] == statuses[i]);
    CHECK(view.record_flags[i] == flags[i]);
    CHECK(view.field_first[i + 1] - view.field_first[i] == fields[i]);
  }
  CHECK(end == view.data_length);
  CHECK(view.field_first[7] == view.field_count);
  CHECK(view.subfield_first[view.field_count] == view.subfield_count);
  CHECK(view.field_tag[1] == ('2' | '4' << 8 | '5' << 16));
  if (CHECK(view.note_count == 3)) {
    CHECK(view.notes[0].record == 2 && view.notes[0].code == MARC_BAD_LENGTH && view.notes[0].tag == 0);
    CHECK(view.notes[1].record == 4 && view.notes[1].code == MARC_BAD_TEXT && view.notes[1].tag == view.field_tag[1]);
    CHECK(view.data[view.notes[1].offset + 3] == 0xFF && view.notes[1].length == 4);
    CHECK(view.notes[2].record == 5 && view.notes[2].code == MARC_NOTE_FRAMING);
  }
  marc_batch_release(batch);
}

static void test_accessors(void) {
  marc_batch *batch = read_input();
  const marc_batch_view view = view_of(batch);
  CHECK(marc_batch_record_count(batch) == view.record_count);
  for (uint32_t i = 0; i < view.record_count; ++i) {
    size_t length = 0;
    const uint8_t *data = marc_batch_record_data(batch, i, &length);
    CHECK(data == view.data + view.record_start[i] && length == view.record_length[i]);
    CHECK(marc_batch_record_data(batch, i, NULL) == data);
    CHECK(marc_batch_record_status(batch, i) == view.record_status[i]);
    CHECK(marc_batch_record_flags(batch, i) == view.record_flags[i]);
    CHECK(marc_batch_record_offset(batch, i) == view.source_offset + view.record_start[i]);
    const uint32_t fields = marc_batch_field_count(batch, i);
    CHECK(fields == view.field_first[i + 1] - view.field_first[i]);
    for (uint32_t f = 0; f < fields; ++f) {
      const uint32_t field = view.field_first[i] + f;
      char tag[4] = "???";
      data = marc_batch_field(batch, i, f, tag, &length);
      CHECK(data == view.data + view.field_offset[field] && length == view.field_length[field]);
      CHECK(tag[0] == (char)(view.field_tag[field] & 0xFF) && tag[1] == (char)(view.field_tag[field] >> 8 & 0xFF));
      CHECK(tag[2] == (char)(view.field_tag[field] >> 16) && tag[3] == '\0');
      CHECK(marc_batch_field(batch, i, f, NULL, NULL) == data);
      CHECK(data[length] == 0x1E); /* without its terminator */
      const uint32_t subfields = marc_batch_subfield_count(batch, i, f);
      CHECK(subfields == view.subfield_first[field + 1] - view.subfield_first[field]);
      CHECK(subfields == (f == 0 ? 0U : 2U));
      for (uint32_t s = 0; s < subfields; ++s) {
        const uint32_t subfield = view.subfield_first[field] + s;
        uint8_t code = 0;
        data = marc_batch_subfield(batch, i, f, s, &code, &length);
        CHECK(data == view.data + view.subfield_offset[subfield] + 1);
        CHECK(length + 1 == view.subfield_length[subfield]);
        CHECK(code == (s == 0 ? 'a' : 'b') && data[-1] == code && data[-2] == 0x1F);
        CHECK(marc_batch_subfield(batch, i, f, s, NULL, NULL) == data);
      }
    }
  }
  marc_batch_release(batch);
}

static void test_indexes_out_of_range(void) {
  marc_batch *batch = read_input();
  static const uint32_t records[] = {7, 8, UINT32_MAX};
  size_t length = 7;
  uint8_t code = 7;
  char tag[4] = "???";
  for (size_t i = 0; i < sizeof records / sizeof *records; ++i) {
    const uint32_t record = records[i];
    CHECK(marc_batch_record_status(batch, record) == MARC_E_ARGUMENT);
    CHECK(marc_batch_record_flags(batch, record) == 0);
    CHECK(marc_batch_record_offset(batch, record) == 0);
    CHECK(marc_batch_record_data(batch, record, &length) == NULL && length == 0);
    CHECK(marc_batch_record_data(batch, record, NULL) == NULL);
    CHECK(marc_batch_field_count(batch, record) == 0);
    CHECK(marc_batch_field(batch, record, 0, tag, &length) == NULL && tag[0] == '\0');
    CHECK(marc_batch_subfield_count(batch, record, 0) == 0);
    CHECK(marc_batch_subfield(batch, record, 0, 0, &code, &length) == NULL && code == 0);
  }
  /* A field number counts in its record: that of the next record's field is out of range. */
  memcpy(tag, "???", 4);
  length = 7;
  CHECK(marc_batch_field(batch, 0, 2, tag, &length) == NULL && tag[0] == '\0' && length == 0);
  CHECK(marc_batch_field(batch, 2, 0, NULL, NULL) == NULL); /* a rejected piece has none */
  CHECK(marc_batch_field(batch, 0, UINT32_MAX, NULL, NULL) == NULL);
  CHECK(marc_batch_subfield_count(batch, 0, 2) == 0);
  code = 7;
  length = 7;
  CHECK(marc_batch_subfield(batch, 0, 1, 2, &code, &length) == NULL && code == 0 && length == 0);
  CHECK(marc_batch_subfield(batch, 0, 0, 0, NULL, NULL) == NULL); /* a control field */
  CHECK(marc_batch_subfield(batch, 0, 1, UINT32_MAX, NULL, NULL) == NULL);
  marc_batch_release(batch);
}

static void test_size_of_view(void) {
  union {
    marc_batch_view view;
    unsigned char bytes[sizeof(marc_batch_view) + 32];
  } space;
  marc_batch *batch = read_input();
  const marc_batch_view whole = view_of(batch);
  for (uint32_t size = 0; size <= sizeof space; ++size) {
    memset(&space, 0xA5, sizeof space);
    space.view.struct_size = size;
    marc_batch_get_view(batch, &space.view);
    CHECK(space.view.struct_size == size);
    const size_t known = size < sizeof(marc_batch_view) ? size : sizeof(marc_batch_view);
    CHECK(known <= 4 || memcmp(space.bytes + 4, (const unsigned char *)&whole + 4, known - 4) == 0);
    for (size_t i = known < 4 ? 4 : known; i < sizeof space; ++i) {
      if (space.bytes[i] != 0xA5 && !CHECK(!"a byte behind the view was written")) {
        marc_batch_release(batch);
        return;
      }
    }
  }
  marc_batch_release(batch);
}

static void test_references(void) {
  feed from = feed_of(&input, 1000);
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  CHECK(marc_reader_open_callback(feed_read, &from, NULL, &reader, NULL) == MARC_OK);
  CHECK(marc_reader_next_batch(reader, &batch, NULL) == MARC_OK);
  marc_reader_free(reader);
  CHECK(marc_batch_retain(batch) == batch);
  CHECK(marc_batch_retain(batch) == batch);
  marc_batch_release(batch);
  marc_batch_release(batch);
  CHECK(marc_batch_record_count(batch) == 7);
  CHECK(memcmp(view_of(batch).data, input.data, input.length) == 0); /* still there */
  marc_batch_release(batch);
}

/* The status of one piece; its flags must hold MARC_REC_SOUND or not. */
static int32_t status_and_sound(const uint8_t *data, size_t length, uint32_t place, int sound) {
  marc_batch *batch = NULL;
  marc_error error;
  marc_error_init(&error, sizeof error);
  if (!CHECK(marc_parse_record(data, length, place, NULL, &batch, &error) == MARC_OK)) {
    return MARC_E_INTERNAL;
  }
  const marc_batch_view view = view_of(batch);
  CHECK(view.record_count == 1);
  CHECK(view.record_start[0] == 0 && view.record_length[0] == length);
  CHECK(view.data == data && view.data_length == length);
  CHECK(view.source_offset == 0 && view.first_index == 0 && view.silent_bytes == 0);
  CHECK(view.all_flags == view.record_flags[0]);
  CHECK((view.record_flags[0] & MARC_REC_SOUND) == (sound ? MARC_REC_SOUND : 0U));
  const int32_t status = view.record_status[0];
  marc_batch_release(batch);
  return status;
}

static int32_t status_of(const uint8_t *data, size_t length, uint32_t place) {
  return status_and_sound(data, length, place, 0);
}

static void test_parse_record(void) {
  /* A piece that a batch has given is parsed alone as it was in its batch. */
  marc_batch *batch = read_input();
  const marc_batch_view all = view_of(batch);
  for (uint32_t i = 0; i < all.record_count; ++i) {
    marc_batch *alone = NULL;
    const uint32_t place = i + 1 == all.record_count ? MARC_PIECE_LAST : MARC_PIECE_FOLLOWED;
    CHECK(marc_parse_record(all.data + all.record_start[i], all.record_length[i], place, NULL, &alone, NULL) ==
          MARC_OK);
    const marc_batch_view one = view_of(alone);
    CHECK(one.record_status[0] == all.record_status[i]);
    CHECK(one.record_flags[0] == all.record_flags[i]);
    CHECK(one.field_count == all.field_first[i + 1] - all.field_first[i]);
    for (uint32_t f = 0; f < one.field_count; ++f) {
      const uint32_t field = all.field_first[i] + f;
      CHECK(one.field_tag[f] == all.field_tag[field]);
      CHECK(one.field_offset[f] + all.record_start[i] == all.field_offset[field]);
      CHECK(one.field_length[f] == all.field_length[field]);
    }
    marc_batch_release(alone);
  }
  marc_batch_release(batch);
}

static void test_places(void) {
  bytes text = {NULL, 0};
  add_record(&text, "1", "One");
  const size_t whole = text.length;
  for (uint32_t place = MARC_PIECE_ALONE; place <= MARC_PIECE_LAST; ++place) {
    CHECK(status_and_sound(text.data, whole, place, 1) == MARC_OK);
  }
  /* Without its end. */
  CHECK(status_of(text.data, whole - 1, MARC_PIECE_FOLLOWED) == MARC_BAD_END_NOT_FOUND);
  CHECK(status_of(text.data, whole - 1, MARC_PIECE_LAST) == MARC_BAD_TRUNCATED);
  /* With more behind it than its length says: only that is looked at. */
  bytes_add_text(&text, "more");
  CHECK(status_of(text.data, text.length, MARC_PIECE_FOLLOWED) == MARC_OK);
  CHECK(status_of(text.data, text.length, MARC_PIECE_ALONE) == MARC_OK);
  /* Where its terminator is missing, a record by itself is one all the same. */
  text.data[whole - 1] = 'x';
  CHECK(status_of(text.data, whole, MARC_PIECE_FOLLOWED) == MARC_BAD_END_NOT_FOUND);
  CHECK(status_of(text.data, whole, MARC_PIECE_LAST) == MARC_BAD_END_NOT_FOUND);
  CHECK(status_of(text.data, whole, MARC_PIECE_ALONE) == MARC_OK);
  CHECK(status_of(text.data, 3, MARC_PIECE_FOLLOWED) == MARC_BAD_LENGTH);
  CHECK(status_of(text.data, 3, MARC_PIECE_LAST) == MARC_BAD_TRUNCATED);
  CHECK(status_of(text.data, 3, MARC_PIECE_ALONE) == MARC_BAD_LEADER);
  bytes_free(&text);
  /* No borders are looked for. */
  bytes two = {NULL, 0};
  add_record(&two, "1", "One");
  add_record(&two, "2", "Two");
  CHECK(status_of(two.data, two.length, MARC_PIECE_LAST) == MARC_OK);
  CHECK(status_of((const uint8_t *)" \n", 2, MARC_PIECE_LAST) == MARC_BAD_TRUNCATED);
  CHECK(status_of((const uint8_t *)" \n  \n \n", 7, MARC_PIECE_LAST) == MARC_BAD_LENGTH);
  bytes_free(&two);
}

int main(void) {
  make_input();
  test_view();
  test_accessors();
  test_indexes_out_of_range();
  test_size_of_view();
  test_references();
  test_parse_record();
  test_places();
  bytes_free(&input);
  return checks_result();
}

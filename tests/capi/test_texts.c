/* Titles of a batch, as one text.
 *
 * SPDX-License-Identifier: MIT
 */
#include "check.h"

static marc_text *titles_of(const bytes *input) {
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  marc_text *text = NULL;
  marc_error error;
  marc_error_init(&error, sizeof error);
  CHECK(marc_reader_open_bytes(input->data, input->length, NULL, &reader, &error) == MARC_OK);
  CHECK(marc_reader_next_batch(reader, &batch, &error) == MARC_OK);
  CHECK(marc_batch_titles(batch, &text, &error) == MARC_OK);
  marc_reader_free(reader);
  marc_batch_release(batch); /* a text does not need its batch */
  return text;
}

static marc_text_view view_of(const marc_text *text) {
  marc_text_view view;
  memset(&view, 0xA5, sizeof view);
  view.struct_size = sizeof view;
  marc_text_get_view(text, &view);
  return view;
}

static int entry_is(const marc_text_view *view, uint32_t i, const char *expected) {
  const uint64_t length = view->start[i + 1] - view->start[i];
  return length == strlen(expected) + 1 && memcmp(view->data + view->start[i], expected, strlen(expected)) == 0 &&
         view->data[view->start[i] + length - 1] == 0x1D;
}

static void test_titles(void) {
  bytes input = {NULL, 0};
  add_record(&input, "1", "One");
  bytes_add_text(&input, "junk\x1d");
  add_record(&input, "2", "");
  add_record(&input, "3", "caf\xc3\xa9");
  const size_t last = input.length;
  add_record(&input, "4",
             "caf\xe2"
             "e");
  input.data[last + 9] = ' '; /* MARC-8 by its leader: the accent before its letter */
  marc_text *text = titles_of(&input);
  const marc_text_view view = view_of(text);
  CHECK(view.struct_size == sizeof view);
  if (CHECK(view.count == 5)) {
    CHECK(view.start[0] == 0 && view.start[5] == view.data_length);
    CHECK(entry_is(&view, 0, "One rest"));
    CHECK(entry_is(&view, 1, "\x1f"));
    CHECK(entry_is(&view, 2, ""));
    CHECK(entry_is(&view, 3, "caf\xc3\xa9 rest"));
    CHECK(entry_is(&view, 4, "caf\xc3\xa9 rest"));
  }
  CHECK(view.splits == 1);
  CHECK(view.absent == 1);
  marc_text_free(text);
  add_record(&input, "5", "a \x1d b");
  text = titles_of(&input);
  CHECK(view_of(text).splits == 0);
  marc_text_free(text);
  bytes_free(&input);
}

static void test_size_of_view(void) {
  union {
    marc_text_view view;
    unsigned char bytes[sizeof(marc_text_view) + 32];
  } space;
  bytes input = {NULL, 0};
  add_record(&input, "1", "One");
  marc_text *text = titles_of(&input);
  const marc_text_view whole = view_of(text);
  for (uint32_t size = 0; size <= sizeof space; ++size) {
    memset(&space, 0xA5, sizeof space);
    space.view.struct_size = size;
    marc_text_get_view(text, &space.view);
    CHECK(space.view.struct_size == size);
    const size_t known = size < sizeof(marc_text_view) ? size : sizeof(marc_text_view);
    CHECK(known <= 4 || memcmp(space.bytes + 4, (const unsigned char *)&whole + 4, known - 4) == 0);
    for (size_t i = known < 4 ? 4 : known; i < sizeof space; ++i) {
      CHECK(space.bytes[i] == 0xA5);
    }
  }
  marc_text_free(text);
  bytes_free(&input);
}

int main(void) {
  test_titles();
  test_size_of_view();
  return checks_result();
}

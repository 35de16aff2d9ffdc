/* Records that are made, from scratch and from others.
 *
 * SPDX-License-Identifier: MIT
 */
#include "check.h"

#include <stdint.h>
#include <string.h>

static marc_error error;

static marc_builder *new_builder(void) {
  marc_builder *builder = NULL;
  marc_error_init(&error, sizeof error);
  if (marc_builder_new(&builder, &error) != MARC_OK) {
    abort();
  }
  return builder;
}

static int32_t subfield(marc_builder *builder, char code, const char *value) {
  return marc_builder_add_subfield(builder, code, value, strlen(value), &error);
}

static int32_t control(marc_builder *builder, const char *tag, const char *data) {
  return marc_builder_add_control(builder, tag, data, strlen(data), &error);
}

static marc_batch *finished(marc_builder *builder) {
  marc_batch *batch = NULL;
  CHECK(marc_builder_finish(builder, &batch, &error) == MARC_OK);
  CHECK(marc_batch_record_count(batch) == 1);
  CHECK(marc_batch_record_status(batch, 0) == MARC_OK);
  return batch;
}

static int record_is(const marc_batch *batch, const char *expected, size_t size) {
  size_t length = 0;
  const uint8_t *data = marc_batch_record_data(batch, 0, &length);
  return length == size && memcmp(data, expected, size) == 0;
}

static const char small[] = "00072cam a2200049 i 4500001000300000245001900003\x1e"
                            "id\x1e"
                            "10\x1f"
                            "aTitle\x1f"
                            "bcaf\xc3\xa9 /\x1e\x1d";

static void build_small(marc_builder *builder) {
  CHECK(marc_builder_set_leader(builder, "?????cam  99????? i ....", &error) == MARC_OK);
  CHECK(control(builder, "001", "id") == MARC_OK);
  CHECK(marc_builder_add_data(builder, "245", '1', '0', &error) == MARC_OK);
  CHECK(subfield(builder, 'a', "Title") == MARC_OK);
  CHECK(subfield(builder, 'b', "caf\xc3\xa9 /") == MARC_OK);
}

static void test_from_scratch(void) {
  marc_builder *builder = new_builder();
  build_small(builder);
  marc_batch *batch = finished(builder);
  CHECK(record_is(batch, small, sizeof small - 1));
  CHECK(marc_batch_record_flags(batch, 0) ==
        (MARC_REC_SOUND | MARC_REC_SPLITS | MARC_REC_PLAIN | MARC_REC_CANONICAL | MARC_REC_UTF8 | MARC_REC_NONASCII));
  size_t length = 0;
  uint8_t code = 0;
  const uint8_t *value = marc_batch_subfield(batch, 0, 1, 1, &code, &length);
  CHECK(code == 'b' && length == 7 && memcmp(value, "caf\xc3\xa9 /", 7) == 0);
  /* The builder begins anew, and the batch outlives it. */
  marc_batch *second = finished(builder);
  CHECK(record_is(second, "00026nam a2200025   4500\x1e\x1d", 26));
  CHECK((marc_batch_record_flags(second, 0) & MARC_REC_SOUND) == 0);
  marc_batch_release(second);
  marc_builder_free(builder);
  CHECK(record_is(batch, small, sizeof small - 1));
  marc_batch_release(batch);
}

static void test_read_again(void) {
  marc_builder *builder = new_builder();
  build_small(builder);
  marc_batch *batch = finished(builder);
  marc_batch *again = NULL;
  size_t length = 0;
  const uint8_t *data = marc_batch_record_data(batch, 0, &length);
  CHECK(marc_parse_record(data, length, MARC_PIECE_ALONE, NULL, &again, &error) == MARC_OK);
  CHECK(marc_batch_record_flags(again, 0) == marc_batch_record_flags(batch, 0));
  CHECK(marc_batch_field_count(again, 0) == 2);
  marc_batch_release(again);
  marc_batch_release(batch);
  marc_builder_free(builder);
}

static void test_change(void) {
  marc_builder *builder = new_builder();
  marc_batch *batch = NULL;
  CHECK(marc_parse_record((const uint8_t *)small, sizeof small - 1, MARC_PIECE_ALONE, NULL, &batch, &error) == MARC_OK);
  CHECK(marc_builder_copy_leader(builder, batch, 0, &error) == MARC_OK);
  CHECK(control(builder, "001", "xy") == MARC_OK);
  CHECK(marc_builder_copy_fields(builder, batch, 0, 1, 1, &error) == MARC_OK);
  CHECK(subfield(builder, 'c', "new") == MARC_OK); /* to the field that was copied */
  marc_batch *changed = finished(builder);
  static const char expected[] = "00077cam a2200049 i 4500001000300000245002400003\x1e"
                                 "xy\x1e"
                                 "10\x1f"
                                 "aTitle\x1f"
                                 "bcaf\xc3\xa9 /\x1f"
                                 "cnew\x1e\x1d";
  CHECK(record_is(changed, expected, sizeof expected - 1));
  marc_batch_release(changed);
  /* Fields that are not there. */
  CHECK(marc_builder_copy_fields(builder, batch, 0, 1, 2, &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_copy_fields(builder, batch, 0, UINT32_MAX, 2, &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_copy_fields(builder, batch, 1, 0, 0, &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_copy_leader(builder, batch, 1, &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_copy_fields(builder, batch, 0, 2, 0, &error) == MARC_OK);
  marc_batch_release(batch);
  marc_builder_free(builder);
}

static void test_refused(void) {
  marc_builder *builder = new_builder();
  build_small(builder);
  CHECK(subfield(builder, 'a', "a\x1e") == MARC_E_UNWRITABLE);
  CHECK(error.code == MARC_E_UNWRITABLE && strcmp(error.tag, "245") == 0);
  CHECK(subfield(builder, 'a',
                 "a\x1f"
                 "b") == MARC_E_UNWRITABLE);
  CHECK(subfield(builder, 'a', "\xff") == MARC_E_ARGUMENT);
  CHECK(subfield(builder, '\x1f', "x") == MARC_E_ARGUMENT);
  CHECK(subfield(builder, '\xc3', "x") == MARC_E_ARGUMENT);
  CHECK(control(builder, "001", "\x1d") == MARC_E_UNWRITABLE);
  CHECK(control(builder, "245", "x") == MARC_E_ARGUMENT);
  CHECK(control(builder, "01", "x") == MARC_E_ARGUMENT);
  CHECK(control(builder, "0011", "x") == MARC_E_ARGUMENT);
  CHECK(marc_builder_add_data(builder, "001", ' ', ' ', &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_add_data(builder, "24\x1e", ' ', ' ', &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_add_data(builder, "245", '\x1f', ' ', &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_add_data(builder, "245", ' ', '\xe9', &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_set_leader(builder, "too short", &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_set_leader(builder, "00000nam a2200000\xe9  4500", &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_set_leader(builder, "000001234a2200000   4500", &error) == MARC_E_ARGUMENT);
  marc_batch *batch = finished(builder); /* nothing of it all is there */
  CHECK(record_is(batch, small, sizeof small - 1));
  marc_batch_release(batch);
  CHECK(subfield(builder, 'a', "no field") == MARC_E_ARGUMENT);
  CHECK(control(builder, "001", "x") == MARC_OK);
  CHECK(subfield(builder, 'a', "a control field") == MARC_E_ARGUMENT);
  marc_builder_free(builder);
}

static void test_arguments(void) {
  marc_builder *builder = new_builder();
  CHECK(marc_builder_new(NULL, &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_finish(builder, NULL, &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_finish(NULL, NULL, &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_add_control(builder, NULL, "x", 1, &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_add_control(builder, "001", NULL, 1, &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_add_control(builder, "001", NULL, 0, &error) == MARC_OK);
  CHECK(marc_builder_add_data(builder, NULL, ' ', ' ', &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_add_data(builder, "500", ' ', ' ', NULL) == MARC_OK);
  CHECK(marc_builder_add_subfield(builder, 'a', NULL, 1, &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_add_subfield(builder, 'a', NULL, 0, &error) == MARC_OK);
  CHECK(marc_builder_add_subfield(NULL, 'a', "x", 1, &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_set_leader(builder, NULL, &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_copy_leader(builder, NULL, 0, &error) == MARC_E_ARGUMENT);
  CHECK(marc_builder_copy_fields(builder, NULL, 0, 0, 0, NULL) == MARC_E_ARGUMENT);
  marc_batch *batch = finished(builder);
  CHECK(marc_batch_field_count(batch, 0) == 2);
  marc_batch_release(batch);
  marc_builder_free(builder);
  marc_builder_free(NULL);
}

static void test_large(void) {
  static char value[9000];
  marc_builder *builder = new_builder();
  memset(value, 'x', sizeof value);
  for (int i = 0; i < 2000; ++i) {
    CHECK(marc_builder_add_data(builder, "500", ' ', ' ', &error) == MARC_OK);
    CHECK(marc_builder_add_subfield(builder, 'a', value, sizeof value, &error) == MARC_OK);
  }
  marc_batch *batch = finished(builder);
  CHECK((marc_batch_record_flags(batch, 0) & (MARC_REC_SOUND | MARC_REC_CANONICAL)) == 0);
  size_t length = 0;
  marc_batch_record_data(batch, 0, &length);
  CHECK(length == 26 + 2000 * (12 + 9005));
  CHECK(marc_batch_field_count(batch, 0) == 2000);
  marc_batch_subfield(batch, 0, 1999, 0, NULL, &length);
  CHECK(length == sizeof value);
  marc_batch_release(batch);
  marc_builder_free(builder);
}

int main(void) {
  test_from_scratch();
  test_read_again();
  test_change();
  test_refused();
  test_arguments();
  test_large();
  return checks_result();
}

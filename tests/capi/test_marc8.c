/* Conversion of MARC-8 through the C interface.
 * SPDX-License-Identifier: MIT */
#include "check.h"

#include <marc/marc.h>

#include <stdlib.h>
#include <string.h>

static marc_conversion_view view_of(const marc_conversion *conversion) {
  marc_conversion_view view;
  memset(&view, 0xFF, sizeof view);
  view.struct_size = sizeof view;
  marc_conversion_get_view(conversion, &view);
  return view;
}

static int holds(const marc_conversion *conversion, const char *text) {
  const marc_conversion_view view = view_of(conversion);
  return view.data_length == strlen(text) && memcmp(view.data, text, view.data_length) == 0;
}

/* The bytes lie in memory of just their size, so that a tool sees a read behind them. */
static marc_conversion *decoded(const char *text, uint32_t rule) {
  marc_marc8_options options;
  marc_conversion *conversion = NULL;
  uint8_t *copy = malloc(strlen(text) + 1);
  memcpy(copy, text, strlen(text));
  marc_marc8_options_init(&options, sizeof options);
  options.rule = rule;
  CHECK(marc_marc8_to_utf8(copy, strlen(text), &options, &conversion, NULL) == MARC_OK);
  free(copy);
  return conversion;
}

static void decode(void) {
  marc_conversion *conversion = decoded("Dvo\xE9r\xE2"
                                        "ak, longer than one block of bytes \xA0 \x1B(N",
                                        MARC_PARSE_PYMARC);
  marc_conversion_view view = view_of(conversion);
  CHECK(holds(conversion, "Dvo\xC5\x99\xC3\xA1k, longer than one block of bytes   "));
  CHECK(view.finding_count == 1 && view.stopped == 0 && view.g0 == 0x4E && view.g1 == 0x45);
  CHECK(view.findings[0].offset == 41 && view.findings[0].code == 0xA0 && view.findings[0].g0 == 0x42);
  CHECK(view.findings[0].kind == MARC_FINDING_UNMAPPED);
  marc_conversion_free(conversion);

  conversion = decoded("\xEBt\xECs&#x2014;\n\xA0", MARC_PARSE_BEST);
  CHECK(holds(conversion, "t\xCD\xA1s\xE2\x80\x94\n\xEF\xBF\xBD"));
  marc_conversion_free(conversion);

  conversion = decoded("cut \x1B", MARC_PARSE_PYMARC);
  view = view_of(conversion);
  CHECK(view.stopped == 1 && view.finding_count == 1 && view.findings[0].kind == MARC_FINDING_ESCAPE);
  marc_conversion_free(conversion);
}

static void encode(void) {
  marc_marc8_options options;
  marc_conversion *conversion = NULL;
  marc_error error;
  const char *text = "\xC5\x99 \xE2\x98\x83";
  const uint8_t *utf8 = (const uint8_t *)text;
  marc_error_init(&error, sizeof error);
  CHECK(marc_utf8_to_marc8(utf8, strlen(text), NULL, &conversion, &error) == MARC_E_UNMAPPABLE);
  CHECK(conversion == NULL && error.byte_offset == 3 && error.detail == 0x2603);
  marc_marc8_options_init(&options, sizeof options);
  options.unmappable = MARC_UNMAPPABLE_REFERENCE;
  CHECK(marc_utf8_to_marc8(utf8, strlen(text), &options, &conversion, &error) == MARC_OK);
  CHECK(holds(conversion, "\xE9r &#x2603;") && view_of(conversion).finding_count == 1);
  marc_conversion_free(conversion);
  options.unmappable = MARC_UNMAPPABLE_REPLACE;
  CHECK(marc_utf8_to_marc8(utf8, strlen(text), &options, &conversion, &error) == MARC_OK);
  CHECK(holds(conversion, "\xE9r ?"));
  marc_conversion_free(conversion);
  CHECK(marc_utf8_to_marc8((const uint8_t *)"\xE2\x98", 2, NULL, &conversion, &error) == MARC_E_ARGUMENT);
}

static void arguments(void) {
  marc_conversion *conversion = NULL;
  marc_marc8_options options;
  marc_conversion_view view = view_of(NULL);
  CHECK(view.data == NULL && view.data_length == 0 && view.finding_count == 0);
  marc_conversion_free(NULL);
  marc_conversion_get_view(NULL, NULL);
  marc_marc8_options_init(NULL, 0);
  CHECK(marc_marc8_to_utf8(NULL, 0, NULL, &conversion, NULL) == MARC_OK);
  CHECK(view_of(conversion).data_length == 0);
  marc_conversion_free(conversion);
  CHECK(marc_utf8_to_marc8(NULL, 0, NULL, &conversion, NULL) == MARC_OK);
  marc_conversion_free(conversion);
  CHECK(marc_marc8_to_utf8(NULL, 1, NULL, &conversion, NULL) == MARC_E_ARGUMENT && conversion == NULL);
  CHECK(marc_marc8_to_utf8((const uint8_t *)"a", 1, NULL, NULL, NULL) == MARC_E_ARGUMENT);
  marc_marc8_options_init(&options, sizeof options);
  CHECK(options.struct_size == sizeof options && options.g0 == 0x42 && options.g1 == 0x45);
  options.rule = 2;
  CHECK(marc_marc8_to_utf8(NULL, 0, &options, &conversion, NULL) == MARC_E_ARGUMENT);
  options.rule = MARC_PARSE_BEST;
  options.unmappable = 3;
  CHECK(marc_utf8_to_marc8(NULL, 0, &options, &conversion, NULL) == MARC_E_ARGUMENT);
  options.struct_size = 1;
  CHECK(marc_utf8_to_marc8(NULL, 0, &options, &conversion, NULL) == MARC_E_ARGUMENT);
}

int main(void) {
  decode();
  encode();
  arguments();
  return checks_result();
}

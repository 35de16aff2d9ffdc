/* A program outside the project: counts the records in a few bytes, through an installed libmarc.
 * SPDX-License-Identifier: MIT
 */
#include <marc/marc.h>

#include <stdio.h>
#include <string.h>

/* Leader, one directory entry, one field; 0x1E ends a field and 0x1D the record. */
static const char record[] = "00057nam a2200037   4500"
                             "245001900000\x1e"
                             "10\x1f"
                             "aA short title.\x1e\x1d";

int main(void) {
  unsigned char two[2 * (sizeof record - 1)];
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  marc_error error;
  unsigned records = 0;
  int32_t status;
  memcpy(two, record, sizeof record - 1);
  memcpy(two + sizeof record - 1, record, sizeof record - 1);
  marc_error_init(&error, sizeof error);
  status = marc_reader_open_bytes(two, sizeof two, NULL, &reader, &error);
  while (status == MARC_OK && (status = marc_reader_next_batch(reader, &batch, &error)) == MARC_OK) {
    uint32_t i;
    for (i = 0; i < marc_batch_record_count(batch); ++i) {
      records += marc_batch_record_status(batch, i) == MARC_OK;
    }
    marc_batch_release(batch);
  }
  marc_reader_free(reader);
  if (status != MARC_END) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  printf("libmarc %s: %u records\n", marc_version_string(), records);
  return 0;
}

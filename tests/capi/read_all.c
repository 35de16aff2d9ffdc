/* Reads one file from its path, from memory and through a callback, looks at every field and subfield, and says how
 * many there were. The three must agree. Run under valgrind for leaks, instructions and bytes.
 *
 * usage: read_all FILE [path|bytes|callback]     (all three without the second argument)
 *
 * SPDX-License-Identifier: MIT
 */
#include <marc/marc.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct totals {
  uint64_t records, rejected, fields, subfields, bytes, notes, titles;
} totals;

static int failed(const char *what, const marc_error *error) {
  fprintf(stderr, "read_all: %s: %s (%s)\n", what, error->message, marc_code_name(error->code));
  return 1;
}

/* Counts what a batch holds, through the view and through the accessors, which must agree. */
static int count_batch(const marc_batch *batch, totals *sum, marc_error *error) {
  marc_batch_view view;
  view.struct_size = sizeof view;
  marc_batch_get_view(batch, &view);
  if (view.record_count != marc_batch_record_count(batch)) {
    fprintf(stderr, "read_all: view and accessors disagree\n");
    return 1;
  }
  sum->rejected += view.rejected_count;
  sum->records += view.record_count - view.rejected_count;
  sum->fields += view.field_count;
  sum->subfields += view.subfield_count;
  sum->notes += view.note_count;
  for (uint32_t r = 0; r < view.record_count; ++r) {
    const uint32_t fields = marc_batch_field_count(batch, r);
    sum->bytes += view.record_length[r];
    for (uint32_t f = 0; f < fields; ++f) {
      const uint32_t subfields = marc_batch_subfield_count(batch, r, f);
      const uint32_t m = view.field_first[r] + f;
      char tag[4];
      size_t length = 0;
      const uint8_t *field = marc_batch_field(batch, r, f, tag, &length);
      if (length != view.field_length[m] || field != view.data + view.field_offset[m] ||
          subfields != view.subfield_first[m + 1] - view.subfield_first[m]) {
        fprintf(stderr, "read_all: view and accessors disagree\n");
        return 1;
      }
    }
  }
  marc_text *text = NULL;
  if (marc_batch_titles(batch, &text, error) != MARC_OK) {
    return failed("titles", error);
  }
  marc_text_view titles;
  titles.struct_size = sizeof titles;
  marc_text_get_view(text, &titles);
  for (uint32_t i = 0; i < titles.count; ++i) {
    const uint64_t length = titles.start[i + 1] - titles.start[i] - 1;
    if (length != 1 || titles.data[titles.start[i]] != 0x1F) {
      ++sum->titles;
    }
  }
  marc_text_free(text);
  return 0;
}

static int read_to_end(marc_reader *reader, totals *sum, marc_error *error) {
  marc_batch *batch = NULL;
  marc_batch *kept = NULL;
  int bad = 0;
  int32_t status = MARC_OK;
  memset(sum, 0, sizeof *sum);
  while (!bad && (status = marc_reader_next_batch(reader, &batch, error)) == MARC_OK) {
    bad = count_batch(batch, sum, error);
    /* One batch always outlives the next call: batches are not the reader's. */
    marc_batch_release(kept);
    kept = batch;
  }
  if (status < 0) {
    bad = failed("reading", error);
  }
  marc_reader_free(reader);
  marc_batch_release(kept);
  return bad;
}

typedef struct memory {
  uint8_t *data;
  size_t length, position;
  unsigned call;
} memory;

/* Gives what is left in pieces of changing size. */
static int64_t read_memory(void *context, uint8_t *buffer, size_t capacity) {
  static const size_t sizes[] = {1, 7, 4096, 100003, 65536, 24};
  memory *from = (memory *)context;
  size_t size = sizes[from->call++ % (sizeof sizes / sizeof *sizes)];
  if (size > capacity) {
    size = capacity;
  }
  if (size > from->length - from->position) {
    size = from->length - from->position;
  }
  if (size != 0) {
    memcpy(buffer, from->data + from->position, size);
  }
  from->position += size;
  return (int64_t)size;
}

static int load(const char *path, memory *out) {
  FILE *file = fopen(path, "rb");
  long size = -1;
  memset(out, 0, sizeof *out);
  if (file != NULL && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0) {
    out->length = (size_t)size;
    out->data = (uint8_t *)malloc(out->length + 1);
  }
  const int good = out->data != NULL && fread(out->data, 1, out->length, file) == out->length;
  if (file != NULL) {
    fclose(file);
  }
  if (!good) {
    perror(path);
    free(out->data);
    out->data = NULL;
  }
  return !good;
}

int main(int argc, char **argv) {
  static const char *const ways[] = {"path", "bytes", "callback"};
  const char *only = argc > 2 ? argv[2] : NULL;
  totals sums[3];
  int ran = 0;
  int bad = 0;
  memory file = {NULL, 0, 0, 0};
  marc_error error;
  marc_error_init(&error, sizeof error);
  if (argc < 2 || argc > 3) {
    fprintf(stderr, "usage: read_all FILE [path|bytes|callback]\n");
    return 2;
  }
  if ((only == NULL || strcmp(only, "path") != 0) && load(argv[1], &file) != 0) {
    return 2;
  }
  for (int way = 0; way < 3 && !bad; ++way) {
    marc_reader *reader = NULL;
    int32_t status = MARC_OK;
    totals *sum = &sums[ran];
    if (only != NULL && strcmp(only, ways[way]) != 0) {
      continue;
    }
    if (way == 0) {
      status = marc_reader_open_path(argv[1], NULL, &reader, &error);
    } else if (way == 1) {
      status = marc_reader_open_bytes(file.data, file.length, NULL, &reader, &error);
    } else {
      status = marc_reader_open_callback(read_memory, &file, NULL, &reader, &error);
    }
    bad = status == MARC_OK ? read_to_end(reader, sum, &error) : failed("open", &error);
    if (bad) {
      break;
    }
    printf("%-9s %" PRIu64 " records, %" PRIu64 " rejected pieces, %" PRIu64 " fields, %" PRIu64 " subfields, %" PRIu64
           " bytes, %" PRIu64 " notes, %" PRIu64 " titles\n",
           ways[way], sum->records, sum->rejected, sum->fields, sum->subfields, sum->bytes, sum->notes, sum->titles);
    if (ran++ > 0 && memcmp(sum, &sums[0], sizeof *sum) != 0) {
      fprintf(stderr, "read_all: %s does not agree with the reading before\n", ways[way]);
      bad = 1;
    }
  }
  if (!bad && ran == 0) {
    fprintf(stderr, "usage: read_all FILE [path|bytes|callback]\n");
    bad = 2;
  }
  free(file.data);
  return bad;
}

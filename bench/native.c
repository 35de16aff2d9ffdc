/* How fast libmarc.so reads and converts a file, through marc.h alone: every record is parsed, all of its fields and
 * subfields are indexed, and, if asked for, all is written in another format. Prints one line of JSON with the seconds of
 * each round (of the clock, of the CPU, and of the CPU on the thread that asks for batches), what was found, the most
 * memory that was resident, and, of the last round, what the reader says of its threads.
 *
 * usage: bench_native FILE [--rounds N] [--copies N] [--path] [--walk] [--write FORMAT] [--best] [--wait]
 *
 *   --rounds N  reads everything N times, each time with a new reader (1)
 *   --copies N  one reader reads the content of the file N times over, as if the file were so long (1; not with --path)
 *   --path      reads from the file, not from memory
 *   --write F   writes every record to /dev/null as iso2709, marcxml, json, ndjson or mrk
 *   --best      reads with MARC_PARSE_BEST
 *   --wait      says "ready" on a line of its own when the file is loaded, and begins when it gets a line
 *   --walk      goes through every field and subfield of every batch as well, touching their bytes
 *
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include <marc/marc.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct totals {
  uint64_t records, rejected, fields, subfields, bytes, checksum, written;
} totals;

typedef struct content {
  uint8_t *data;
  size_t length;
} content;

enum { WALL, CPU, CALLER, CLOCKS };
typedef struct clocks {
  double seconds[CLOCKS];
} clocks;

static clocks read_clocks(void) {
  const clockid_t ids[CLOCKS] = {CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
  clocks all;
  for (int i = 0; i < CLOCKS; ++i) {
    struct timespec now;
    clock_gettime(ids[i], &now);
    all.seconds[i] = (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
  }
  return all;
}

static void print_seconds(const char *name, int clock, const clocks *rounds, unsigned long count) {
  printf("\"%s\": [", name);
  for (unsigned long i = 0; i < count; ++i) {
    printf("%s%.6f", i == 0 ? "" : ", ", rounds[i].seconds[clock]);
  }
  printf("], ");
}

/* The most memory that was resident in this process. */
static uint64_t peak_bytes(void) {
  FILE *status = fopen("/proc/self/status", "r");
  char line[256];
  uint64_t kib = 0;
  while (status != NULL && fgets(line, sizeof line, status) != NULL) {
    if (strncmp(line, "VmHWM:", 6) == 0) {
      kib = strtoull(line + 6, NULL, 10);
    }
  }
  if (status != NULL) {
    fclose(status);
  }
  return kib * 1024;
}

/* Until then another process can be made ready, so that both begin together. */
static void wait_for_start(void) {
  printf("ready\n");
  fflush(stdout);
  int character;
  do {
    character = getchar();
  } while (character != '\n' && character != EOF);
}

/* Reads a file and puts `copies` of it one behind another. */
static int load(const char *path, unsigned long copies, content *out) {
  FILE *file = fopen(path, "rb");
  long size = -1;
  memset(out, 0, sizeof *out);
  if (file != NULL && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0) {
    out->length = (size_t)size * copies;
    out->data = (uint8_t *)malloc(out->length + 1);
  }
  const int good = out->data != NULL && fread(out->data, 1, (size_t)size, file) == (size_t)size;
  if (file != NULL) {
    fclose(file);
  }
  if (!good) {
    perror(path);
    return 1;
  }
  for (unsigned long i = 1; i < copies; ++i) {
    memcpy(out->data + i * (size_t)size, out->data, (size_t)size);
  }
  return 0;
}

/* Tag, first and last byte of every field; code, first and last byte of every subfield. */
static uint64_t walk(const marc_batch_view *view) {
  uint64_t sum = 0;
  for (uint32_t r = 0; r < view->record_count; ++r) {
    for (uint32_t f = view->field_first[r]; f < view->field_first[r + 1]; ++f) {
      const uint8_t *field = view->data + view->field_offset[f];
      const uint32_t length = view->field_length[f];
      sum = sum * 31 + view->field_tag[f] + length;
      if (length != 0) {
        sum += (uint64_t)field[0] + field[length - 1];
      }
      for (uint32_t s = view->subfield_first[f]; s < view->subfield_first[f + 1]; ++s) {
        const uint8_t *subfield = view->data + view->subfield_offset[s];
        sum = sum * 31 + subfield[0] + subfield[view->subfield_length[s] - 1];
      }
    }
  }
  return sum;
}

/* What is done with the records of a batch. */
typedef struct task {
  int walking;
  const char *format;    /* NULL: nothing is written */
  marc_writer *writer;   /* of this round */
  marc_reader_info info; /* of this round */
} task;

static const char *const formats[] = {"iso2709", "marcxml", "json", "ndjson", "mrk"};

/* Opens a writer to /dev/null in the format with this name. */
static int32_t open_writer(const char *format, marc_writer **writer, marc_error *error) {
  marc_writer_options options;
  marc_writer_options_init(&options, sizeof options);
  options.format = UINT32_MAX; /* refused */
  for (uint32_t i = 0; i < sizeof formats / sizeof *formats; ++i) {
    if (strcmp(format, formats[i]) == 0) {
      options.format = i;
    }
  }
  options.oversize = MARC_OVERSIZE_ZEROS;
  return marc_writer_open_path("/dev/null", &options, writer, error);
}

static int read_all(marc_reader *reader, const task *todo, totals *sum, marc_error *error) {
  marc_batch *batch = NULL;
  int32_t status;
  memset(sum, 0, sizeof *sum);
  while ((status = marc_reader_next_batch(reader, &batch, error)) == MARC_OK) {
    marc_batch_view view;
    view.struct_size = sizeof view;
    marc_batch_get_view(batch, &view);
    sum->records += view.record_count - view.rejected_count;
    sum->rejected += view.rejected_count;
    sum->fields += view.field_count;
    sum->subfields += view.subfield_count;
    sum->bytes += view.data_length;
    if (todo->writer != NULL) {
      status = marc_writer_write_batch(todo->writer, batch, 0, view.record_count, NULL, error);
    }
    if (todo->walking) {
      sum->checksum = sum->checksum * 31 + walk(&view);
    }
    marc_batch_release(batch);
    if (status != MARC_OK) {
      return 1;
    }
  }
  return status == MARC_END ? 0 : 1;
}

/* One round with a new reader and writer. */
static int run_round(const char *path, const content *file, const marc_reader_options *options, task *todo, totals *sum,
                     marc_error *error) {
  marc_reader *reader = NULL;
  int32_t status = file->data == NULL ? marc_reader_open_path(path, options, &reader, error)
                                      : marc_reader_open_bytes(file->data, file->length, options, &reader, error);
  todo->writer = NULL;
  if (status == MARC_OK && todo->format != NULL) {
    status = open_writer(todo->format, &todo->writer, error);
  }
  int bad = status != MARC_OK || read_all(reader, todo, sum, error);
  todo->info.struct_size = sizeof todo->info;
  if (!bad) {
    marc_reader_get_info(reader, &todo->info);
  }
  if (todo->writer != NULL && !bad) {
    marc_writer_info info;
    info.struct_size = sizeof info;
    bad = marc_writer_close(todo->writer, error) != MARC_OK || marc_writer_get_info(todo->writer, &info) != MARC_OK;
    sum->written = info.bytes;
  }
  marc_writer_free(todo->writer);
  marc_reader_free(reader);
  return bad;
}

static void print_threads(const marc_reader_info *info) {
  printf(", \"source_reads\": %" PRIu64, info->source_reads);
  printf(", \"threads\": %" PRIu32 ", \"chunks_ahead\": %" PRIu32 ", \"bytes_held\": %" PRIu64, info->threads,
         info->chunks_ahead, info->bytes_held);
  printf(", \"wait_source\": %.6f, \"wait_workers\": %.6f, \"wait_consumer\": %.6f", (double)info->wait_source * 1e-9,
         (double)info->wait_workers * 1e-9, (double)info->wait_consumer * 1e-9);
}

int main(int argc, char **argv) {
  const char *path = NULL;
  unsigned long rounds = 1;
  unsigned long copies = 1;
  int from_path = 0;
  int waiting = 0;
  int wrong = 0;
  task todo;
  memset(&todo, 0, sizeof todo);
  marc_reader_options options;
  marc_reader_options_init(&options, sizeof options);
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
      rounds = strtoul(argv[++i], NULL, 10);
    } else if (strcmp(argv[i], "--copies") == 0 && i + 1 < argc) {
      copies = strtoul(argv[++i], NULL, 10);
    } else if (strcmp(argv[i], "--path") == 0) {
      from_path = 1;
    } else if (strcmp(argv[i], "--walk") == 0) {
      todo.walking = 1;
    } else if (strcmp(argv[i], "--write") == 0 && i + 1 < argc) {
      todo.format = argv[++i];
    } else if (strcmp(argv[i], "--best") == 0) {
      options.parse_mode = MARC_PARSE_BEST;
    } else if (strcmp(argv[i], "--wait") == 0) {
      waiting = 1;
    } else if (path == NULL && argv[i][0] != '-') {
      path = argv[i];
    } else {
      wrong = 1;
    }
  }
  if (wrong || path == NULL || rounds == 0 || copies == 0 || (from_path && copies > 1)) {
    fprintf(stderr, "usage: bench_native FILE [--rounds N] [--copies N] [--path] [--walk] [--write FORMAT] [--best] "
                    "[--wait]\n");
    return 2;
  }

  content file = {NULL, 0};
  if (!from_path && load(path, copies, &file) != 0) {
    free(file.data);
    return 2;
  }
  totals sum;
  memset(&sum, 0, sizeof sum);
  marc_error error;
  marc_error_init(&error, sizeof error);
  clocks *spent = (clocks *)calloc(rounds, sizeof *spent);
  int bad = spent == NULL;
  if (waiting) {
    wait_for_start();
  }
  for (unsigned long round = 0; round < rounds && !bad; ++round) {
    const clocks begin = read_clocks();
    bad = run_round(path, &file, &options, &todo, &sum, &error);
    const clocks end = read_clocks();
    for (int i = 0; i < CLOCKS; ++i) {
      spent[round].seconds[i] = end.seconds[i] - begin.seconds[i];
    }
  }
  if (bad) {
    fprintf(stderr, "bench_native: %s (%s)\n", error.message, marc_code_name(error.code));
    free(spent);
    free(file.data);
    return 1;
  }
  printf("{");
  print_seconds("wall_seconds", WALL, spent, rounds);
  print_seconds("cpu_seconds", CPU, spent, rounds);
  print_seconds("caller_cpu_seconds", CALLER, spent, rounds);
  printf("\"records\": %" PRIu64 ", \"rejected\": %" PRIu64 ", \"fields\": %" PRIu64 ", \"subfields\": %" PRIu64
         ", \"bytes\": %" PRIu64 ", \"checksum\": %" PRIu64 ", \"written\": %" PRIu64 ", \"peak_bytes\": %" PRIu64,
         sum.records, sum.rejected, sum.fields, sum.subfields, sum.bytes, sum.checksum, sum.written, peak_bytes());
  print_threads(&todo.info);
  printf("}\n");
  free(spent);
  free(file.data);
  return 0;
}

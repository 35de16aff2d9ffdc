/* Signals while a call waits for a FIFO: with options.interruptible it comes back, and nothing is lost; without, it
 * waits on. A child writes, sends signals until it is let go on, and writes the rest.
 *
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIGNALS = 5 };

static volatile sig_atomic_t signals_seen = 0;
static volatile sig_atomic_t go_by_signals = 0; /* whether enough signals let the child go on */
static int go_writer = -1;

static void let_child_go_on(void) {
  if (write(go_writer, "g", 1) != 1) {
    abort();
  }
}

static void on_signal(int number) {
  (void)number;
  const int before = errno;
  if (++signals_seen == SIGNALS && go_by_signals) {
    let_child_go_on();
  }
  errno = before;
}

/* Writes the first half of the record, then sends signals, then the rest once it is let. */
static void be_the_child(const char *path, const bytes *record, int go, pid_t parent) {
  char byte = 0;
  const int fifo = open(path, O_WRONLY);
  const ssize_t half = (ssize_t)(record->length / 2);
  const ssize_t rest = (ssize_t)record->length - half;
  int good = fifo >= 0 && write(fifo, record->data, (size_t)half) == half;
  fcntl(go, F_SETFL, O_NONBLOCK);
  while (good && read(go, &byte, 1) != 1) {
    const struct timespec pause = {0, 2000000};
    good = kill(parent, SIGUSR1) == 0;
    nanosleep(&pause, NULL);
  }
  good = good && write(fifo, record->data + half, (size_t)rest) == rest;
  _exit(good ? 0 : 1);
}

static void test_fifo(const char *folder, uint32_t interruptible) {
  char path[200];
  int go[2] = {-1, -1};
  bytes record = {NULL, 0};
  add_record(&record, "1", "One");
  snprintf(path, sizeof path, "%s/fifo", folder);
  CHECK(mkfifo(path, 0600) == 0);
  CHECK(pipe(go) == 0);
  go_writer = go[1];
  signals_seen = 0;
  go_by_signals = !interruptible;
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    be_the_child(path, &record, go[0], parent);
  }
  marc_reader_options options;
  marc_reader_options_init(&options, sizeof options);
  options.interruptible = interruptible;
  marc_reader *reader = NULL;
  marc_batch *batch = NULL;
  marc_error error;
  unsigned interrupted = 0;
  int32_t status = MARC_OK;
  marc_error_init(&error, sizeof error);
  /* A signal may come while the FIFO is opened, too. */
  while ((status = marc_reader_open_path(path, &options, &reader, &error)) == MARC_E_INTERRUPTED) {
    CHECK(interruptible == 1 && reader == NULL);
  }
  CHECK(status == MARC_OK);
  while ((status = marc_reader_next_batch(reader, &batch, &error)) == MARC_E_INTERRUPTED) {
    CHECK(batch == NULL);
    CHECK(error.code == MARC_E_INTERRUPTED);
    if (interrupted++ == 0) {
      let_child_go_on();
    }
  }
  CHECK(status == MARC_OK);
  CHECK(marc_batch_record_count(batch) == 1 && marc_batch_record_status(batch, 0) == MARC_OK);
  marc_batch_release(batch);
  while ((status = marc_reader_next_batch(reader, &batch, &error)) == MARC_E_INTERRUPTED) {
  }
  CHECK(status == MARC_END);
  marc_reader_free(reader);
  CHECK(interruptible ? interrupted > 0 : interrupted == 0 && signals_seen >= SIGNALS);
  int ended = -1;
  while (waitpid(child, &ended, 0) < 0 && errno == EINTR) {
  }
  CHECK(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
  close(go[0]);
  close(go[1]);
  unlink(path);
  bytes_free(&record);
}

int main(void) {
  char folder[] = "/tmp/libmarc-test-XXXXXX";
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal; /* no SA_RESTART: it ends system calls */
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  if (CHECK(mkdtemp(folder) != NULL)) {
    test_fifo(folder, 0);
    test_fifo(folder, 1);
    rmdir(folder);
  }
  return checks_result();
}

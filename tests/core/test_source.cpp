// Files, pipes, memory and callbacks: what a read brings, and how it fails.
// SPDX-License-Identifier: MIT
#include "source.hpp"

#include "files.hpp"
#include "make.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace test;

namespace {

std::unique_ptr<marc::Source> open_good(const std::string &path, bool interruptible = false) {
  marc::Failure failure;
  std::unique_ptr<marc::Source> source = marc::open_file(path.c_str(), interruptible, failure);
  BOOST_TEST_REQUIRE((source != nullptr));
  BOOST_TEST(!failure);
  return source;
}

marc::Failure open_bad(const std::string &path) {
  marc::Failure failure;
  BOOST_TEST((marc::open_file(path.c_str(), false, failure) == nullptr));
  return failure;
}

struct Read {
  std::string bytes;
  marc::Failure failure;
};

Read read(marc::Source &source, std::size_t capacity = 100) {
  std::vector<std::uint8_t> buffer(capacity + 1, 0xA5);
  marc::ReadResult result = source.read(buffer.data(), capacity);
  BOOST_TEST(result.bytes <= capacity);
  BOOST_TEST(buffer[capacity] == 0xA5); // nothing behind the buffer
  return {text_of(buffer.data(), result.bytes), std::move(result.failure)};
}

// All there is up to the end; an interrupted read goes on.
std::string read_all(marc::Source &source, std::size_t capacity) {
  std::string all;
  for (;;) {
    const Read one = read(source, capacity);
    if (one.failure.code == MARC_E_INTERRUPTED) continue;
    BOOST_TEST_REQUIRE(!one.failure, one.failure.message);
    if (one.bytes.empty()) return all;
    all += one.bytes;
  }
}

std::atomic<int> signals_seen{0};

// SIGUSR1 interrupts system calls (no SA_RESTART) and is counted.
class Signals {
public:
  Signals() {
    signals_seen = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { ++signals_seen; };
    ::sigaction(SIGUSR1, &action, &before_);
  }
  Signals(const Signals &) = delete;
  Signals &operator=(const Signals &) = delete;
  ~Signals() { ::sigaction(SIGUSR1, &before_, nullptr); }

private:
  struct sigaction before_ {};
};

// Runs something on a thread that may sleep in a system call and can be sent signals there.
class Sleeper {
public:
  explicit Sleeper(std::function<void()> work)
      : thread_([this, work = std::move(work)] {
          number_ = this_thread_number();
          work();
          done_ = true;
        }) {}
  ~Sleeper() { thread_.join(); }
  Sleeper(const Sleeper &) = delete;
  Sleeper &operator=(const Sleeper &) = delete;

  bool is_done() const { return done_; }
  void wait_until_asleep() const {
    while (!done_ && (number_ == 0 || !is_asleep(number_))) std::this_thread::yield();
  }
  // A signal that finds it asleep, or done.
  void interrupt() {
    const int before = signals_seen;
    wait_until_asleep();
    if (done_) return;
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    while (!done_ && signals_seen == before) std::this_thread::yield();
  }

private:
  std::atomic<long> number_{0};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

} // namespace

// ---- Files ---------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_file) {
  const Folder folder;
  std::string content;
  for (int i = 0; i < 5000; ++i) content += std::to_string(i);
  const std::string path = folder.file("content", content);
  for (const std::size_t capacity : {1000U, 4096U, 100000U}) {
    const auto source = open_good(path);
    BOOST_TEST(!source->memory().has_value());
    BOOST_TEST(read_all(*source, capacity) == content);
    BOOST_TEST(read(*source).bytes.empty()); // the end stays the end
  }
  const auto source = open_good(path);
  BOOST_TEST(read(*source, 1).bytes == "0");
  BOOST_TEST(read(*source, 2).bytes == "12");
}

BOOST_AUTO_TEST_CASE(an_empty_file_and_a_device) {
  const Folder folder;
  BOOST_TEST(read_all(*open_good(folder.file("empty", "")), 100).empty());
  BOOST_TEST(read_all(*open_good("/dev/null"), 100).empty());
  BOOST_TEST(read(*open_good("/dev/zero"), 3).bytes == std::string(3, '\0'));
}

BOOST_AUTO_TEST_CASE(a_file_that_grows) {
  const Folder folder;
  const std::string path = folder.file("growing", "first");
  const auto source = open_good(path);
  BOOST_TEST(read(*source).bytes == "first");
  append(path, "second");
  BOOST_TEST(read(*source).bytes == "second");
  BOOST_TEST(read(*source).bytes.empty());
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_opened) {
  const Folder folder;
  const std::string file = folder.file("file", "content");
  const auto check = [](const std::string &path, int number) {
    const marc::Failure failure = open_bad(path);
    BOOST_TEST(failure.code == MARC_E_IO, path);
    BOOST_TEST(failure.detail == number, path);
    BOOST_TEST(!failure.message.empty());
  };
  check(folder.path("missing"), ENOENT);
  check("", ENOENT);
  check(folder.path(""), EISDIR);
  check("/", EISDIR);
  check(file + "/below", ENOTDIR);
  check(folder.path(std::string(300, 'n')), ENAMETOOLONG);
  if (::geteuid() != 0) { // root may read all
    ::chmod(file.c_str(), 0);
    check(file, EACCES);
  }
}

BOOST_AUTO_TEST_CASE(a_read_that_fails) {
  // The first page of a process is not mapped: reading it is EIO.
  const auto source = open_good("/proc/self/mem");
  const Read one = read(*source);
  BOOST_TEST(one.bytes.empty());
  BOOST_TEST(one.failure.code == MARC_E_IO);
  BOOST_TEST(one.failure.detail == EIO);
  BOOST_TEST(!one.failure.message.empty());
}

BOOST_AUTO_TEST_CASE(descriptors_are_closed_and_not_inherited) {
  const Folder folder;
  const std::string path = folder.file("file", "content");
  const std::size_t before = open_descriptors();
  {
    const auto source = open_good(path);
    BOOST_TEST(open_descriptors() == before + 1);
    bool found = false;
    for (int descriptor = 0; descriptor < 100; ++descriptor) {
      std::error_code none;
      const auto target = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor), none);
      if (none || target != std::filesystem::canonical(path)) continue;
      found = true;
      BOOST_TEST((::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    }
    BOOST_TEST(found);
  }
  open_bad(folder.path("missing"));
  open_bad(folder.path(""));
  BOOST_TEST(open_descriptors() == before);
}

// ---- FIFOs ---------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_fifo_gives_what_is_there) {
  for (const bool interruptible : {false, true}) {
    const Folder folder;
    const std::string path = folder.fifo("pipe");
    std::string sent;
    std::thread writer([&] {
      const Writer pipe(path);
      for (int i = 0; i < 500; ++i) {
        const std::string part(static_cast<std::size_t>(i % 97 + 1), static_cast<char>('a' + i % 26));
        pipe.write(part);
        sent += part;
        if (i % 50 == 0) std::this_thread::yield();
      }
    });
    const std::string got = read_all(*open_good(path, interruptible), 64);
    writer.join();
    BOOST_TEST(got == sent);
  }
}

BOOST_AUTO_TEST_CASE(a_fifo_is_delivered_while_its_writer_waits) {
  for (const bool interruptible : {false, true}) {
    const Folder folder;
    const std::string path = folder.fifo("pipe");
    std::unique_ptr<Writer> pipe;
    std::thread opener([&] { pipe = std::make_unique<Writer>(path); });
    const auto source = open_good(path, interruptible);
    opener.join();
    for (const char *part : {"one", "two", "three"}) {
      pipe->write(part);
      BOOST_TEST(read(*source).bytes == part); // fewer than asked for
    }
    pipe->close();
    BOOST_TEST(read_all(*source, 10).empty());
  }
}

BOOST_AUTO_TEST_CASE(a_signal_does_not_end_a_read) {
  const Folder folder;
  const Signals signals;
  const std::string path = folder.fifo("pipe");
  std::unique_ptr<Writer> pipe;
  std::thread opener([&] { pipe = std::make_unique<Writer>(path); });
  const auto source = open_good(path);
  opener.join();
  Read one;
  {
    Sleeper reader([&] { one = read(*source); });
    for (int i = 0; i < 20; ++i) reader.interrupt();
    BOOST_TEST(!reader.is_done());
    pipe->write("after the signals");
  }
  BOOST_TEST(signals_seen >= 20);
  BOOST_TEST(!one.failure);
  BOOST_TEST(one.bytes == "after the signals");
}

BOOST_AUTO_TEST_CASE(a_signal_ends_an_interruptible_read_for_now) {
  const Folder folder;
  const Signals signals;
  const std::string path = folder.fifo("pipe");
  std::unique_ptr<Writer> pipe;
  std::thread opener([&] { pipe = std::make_unique<Writer>(path); });
  const auto source = open_good(path, true);
  opener.join();
  for (int round = 0; round < 3; ++round) {
    Read one;
    {
      Sleeper reader([&] { one = read(*source); });
      while (!reader.is_done()) reader.interrupt();
    }
    BOOST_TEST(one.failure.code == MARC_E_INTERRUPTED);
    BOOST_TEST(one.bytes.empty());
    pipe->write("more");
    BOOST_TEST(read(*source).bytes == "more"); // nothing was lost
  }
  // Without a signal as well it comes back now and then.
  BOOST_TEST(read(*source).failure.code == MARC_E_INTERRUPTED);
}

BOOST_AUTO_TEST_CASE(a_signal_while_a_fifo_is_opened) {
  const Folder folder;
  const Signals signals;
  const std::string path = folder.fifo("pipe");
  marc::Failure failure;
  std::unique_ptr<marc::Source> source;
  {
    Sleeper reader([&] { source = marc::open_file(path.c_str(), true, failure); });
    while (!reader.is_done()) reader.interrupt(); // one may come before the thread waits
  }
  BOOST_TEST((source == nullptr));
  BOOST_TEST(failure.code == MARC_E_INTERRUPTED);
  failure = {};
  {
    Sleeper reader([&] { source = marc::open_file(path.c_str(), false, failure); });
    for (int i = 0; i < 10; ++i) reader.interrupt();
    BOOST_TEST(!reader.is_done());
    const Writer pipe(path);
    pipe.write("opened");
  }
  BOOST_TEST_REQUIRE((source != nullptr));
  BOOST_TEST(read_all(*source, 10) == "opened");
}

BOOST_AUTO_TEST_CASE(an_interruptible_file_reads_as_any_other) {
  const Folder folder;
  BOOST_TEST(read_all(*open_good(folder.file("file", "content"), true), 3) == "content");
  BOOST_TEST(read_all(*open_good("/dev/null", true), 3).empty());
}

// ---- Memory --------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(memory_is_borrowed) {
  const std::string text = "content";
  const auto source = marc::open_memory({bytes_of(text), text.size()});
  const auto memory = source->memory();
  BOOST_TEST_REQUIRE(memory.has_value());
  BOOST_TEST(memory->data() == bytes_of(text));
  BOOST_TEST(memory->size() == text.size());
  BOOST_TEST(read(*source).bytes.empty());
  const auto empty = marc::open_memory({});
  BOOST_TEST_REQUIRE(empty->memory().has_value());
  BOOST_TEST(empty->memory()->empty());
}

// ---- Callbacks -----------------------------------------------------------------------------------------------------

namespace {

// A callback that answers with values, and remembers what it was asked.
struct Answers {
  std::vector<std::int64_t> values;
  std::vector<std::size_t> asked = {};
  std::vector<std::uint64_t> offsets = {};

  std::int64_t next(std::uint8_t *buffer, std::size_t capacity) {
    const std::int64_t value = values.at(asked.size());
    asked.push_back(capacity);
    for (std::int64_t i = 0; i < value && i < static_cast<std::int64_t>(capacity); ++i)
      buffer[i] = static_cast<std::uint8_t>('a' + i);
    return value;
  }
  static std::int64_t read(void *context, std::uint8_t *buffer, std::size_t capacity) {
    return static_cast<Answers *>(context)->next(buffer, capacity);
  }
  static std::int64_t read_at(void *context, std::uint64_t offset, std::uint8_t *buffer, std::size_t capacity) {
    auto *self = static_cast<Answers *>(context);
    self->offsets.push_back(offset);
    return self->next(buffer, capacity);
  }
};

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

} // namespace

BOOST_AUTO_TEST_CASE(a_callback) {
  Answers answers{{3, 10, 1, 0, 2}};
  const auto source = marc::open_callback(Answers::read, &answers);
  BOOST_TEST(!source->memory().has_value());
  BOOST_TEST(read(*source, 10).bytes == "abc");
  BOOST_TEST(read(*source, 10).bytes == "abcdefghij"); // all that was asked for
  BOOST_TEST(read(*source, 7).bytes == "a");
  const Read end = read(*source, 10);
  BOOST_TEST(!end.failure);
  BOOST_TEST(end.bytes.empty());
  BOOST_TEST(answers.asked == (std::vector<std::size_t>{10, 10, 7, 10}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_callback_that_fails) {
  for (const std::int64_t value :
       {std::int64_t{-1}, std::int64_t{-2}, std::int64_t{-2147483646}, std::int64_t{-2147483648}, kLowest}) {
    Answers answers{{value}};
    const Read one = read(*marc::open_callback(Answers::read, &answers));
    BOOST_TEST(one.failure.code == MARC_E_CALLBACK);
    BOOST_TEST(one.failure.detail == value);
    BOOST_TEST(one.bytes.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_callback_that_claims_more_than_it_was_asked_for) {
  for (const std::int64_t value : {std::int64_t{101}, std::int64_t{1} << 32, kHighest}) {
    Answers answers{{value, value}};
    const Read one = read(*marc::open_callback(Answers::read, &answers), 100);
    BOOST_TEST(one.failure.code == MARC_E_CALLBACK);
    BOOST_TEST(one.failure.detail == value);
    BOOST_TEST(!one.failure.message.empty()); // it says why, since the value does not
    BOOST_TEST(one.bytes.empty());
    Answers positioned{{value}};
    const Read other = read(*marc::open_read_at(Answers::read_at, &positioned, 1000), 100);
    BOOST_TEST(other.failure.code == MARC_E_CALLBACK);
  }
}

BOOST_AUTO_TEST_CASE(a_callback_that_was_interrupted) {
  Answers answers{{2, MARC_READ_INTERRUPTED, MARC_READ_INTERRUPTED, 3, 0}};
  const auto source = marc::open_callback(Answers::read, &answers);
  BOOST_TEST(read(*source).bytes == "ab");
  BOOST_TEST(read(*source).failure.code == MARC_E_INTERRUPTED);
  BOOST_TEST(read(*source).failure.code == MARC_E_INTERRUPTED);
  BOOST_TEST(read(*source).bytes == "abc");
  BOOST_TEST(read(*source).bytes.empty());
}

BOOST_AUTO_TEST_CASE(a_positioned_callback) {
  Answers answers{{10, 4, MARC_READ_INTERRUPTED, 1, -5, 10}};
  const auto source = marc::open_read_at(Answers::read_at, &answers, 25);
  BOOST_TEST(read(*source, 10).bytes.size() == 10U);
  BOOST_TEST(read(*source, 10).bytes.size() == 4U); // a short one
  BOOST_TEST(read(*source, 10).failure.code == MARC_E_INTERRUPTED);
  BOOST_TEST(read(*source, 10).bytes.size() == 1U); // from the same place
  const Read failed = read(*source, 20);
  BOOST_TEST(failed.failure.code == MARC_E_CALLBACK);
  BOOST_TEST(failed.failure.detail == -5);
  BOOST_TEST(read(*source, 20).bytes.size() == 10U);
  BOOST_TEST(read(*source, 20).bytes.empty()); // its size is reached: not called any more
  BOOST_TEST(answers.offsets == (std::vector<std::uint64_t>{0, 10, 14, 14, 15, 15}), boost::test_tools::per_element());
  BOOST_TEST(answers.asked == (std::vector<std::size_t>{10, 10, 10, 10, 10, 10}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_positioned_callback_at_its_limits) {
  Answers none{{}};
  BOOST_TEST(read(*marc::open_read_at(Answers::read_at, &none, 0)).bytes.empty());
  BOOST_TEST(none.asked.empty());
  Answers shorter{{5, 0, 0}}; // it ends before the size that was promised
  const auto source = marc::open_read_at(Answers::read_at, &shorter, 100);
  BOOST_TEST(read(*source, 10).bytes.size() == 5U);
  BOOST_TEST(read(*source, 10).bytes.empty());
  Answers huge{{8}};
  const auto largest = marc::open_read_at(Answers::read_at, &huge, std::numeric_limits<std::uint64_t>::max());
  BOOST_TEST(read(*largest, 8).bytes.size() == 8U);
}

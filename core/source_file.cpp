// SPDX-License-Identifier: MIT
#include "source.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace marc {
namespace {

Failure system_failure(int number) { return {MARC_E_IO, number, std::generic_category().message(number)}; }

// Repeats a system call that a signal has interrupted, unless the caller wants to know of it.
template <typename Call> auto repeat(bool interruptible, Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR && !interruptible) result = call();
  return result;
}

Failure last_failure() { return errno == EINTR ? Failure{MARC_E_INTERRUPTED, 0, {}} : system_failure(errno); }

// How long an interruptible read of a pipe waits before it lets the caller look for signals. A signal that comes just
// before the system call would otherwise be seen only when the next bytes come.
constexpr int kPatience = 200; // milliseconds

class FileSource final : public Source {
public:
  explicit FileSource(bool interruptible) : interruptible_(interruptible) {}
  FileSource(const FileSource &) = delete;
  FileSource &operator=(const FileSource &) = delete;
  ~FileSource() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  Failure open(const char *path) {
    descriptor_ = repeat(interruptible_, [path] { return ::open(path, O_RDONLY | O_CLOEXEC); });
    struct stat info {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &info) != 0) return last_failure();
    if (S_ISDIR(info.st_mode)) return system_failure(EISDIR);
    live_ = !S_ISREG(info.st_mode);
    size_ = static_cast<std::uint64_t>(info.st_size);
#if defined(POSIX_FADV_SEQUENTIAL)
    static_cast<void>(::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL));
#endif
    return {};
  }

  ReadResult read(std::uint8_t *buffer, std::size_t capacity) override {
    if (live_ && interruptible_) {
      pollfd waiting{descriptor_, POLLIN, 0};
      const int ready = ::poll(&waiting, 1, kPatience); // other failures are for read() to tell
      if (ready == 0 || (ready < 0 && errno == EINTR)) return {0, {MARC_E_INTERRUPTED, 0, {}}};
    }
    const ssize_t got = repeat(interruptible_, [&] { return ::read(descriptor_, buffer, capacity); });
    if (got < 0) return {0, last_failure()};
    return {static_cast<std::size_t>(got), {}};
  }

  bool is_live() const override { return live_; }
  std::uint64_t size() const override { return size_; }
  Failure position(std::uint64_t offset) override {
    return ::lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) < 0 ? last_failure() : Failure{};
  }

private:
  int descriptor_ = -1;
  bool interruptible_;
  std::uint64_t size_ = 0;
  bool live_ = false; // no regular file: reads may have to wait
};

} // namespace

std::unique_ptr<Source> open_file(const char *path, bool interruptible, Failure &failure) {
  auto source = std::make_unique<FileSource>(interruptible);
  failure = source->open(path);
  if (failure) return nullptr;
  return source;
}

} // namespace marc

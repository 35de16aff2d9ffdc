// SPDX-License-Identifier: MIT
#include "sink.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace marc {
namespace {

Failure last_failure() { return {MARC_E_IO, errno, std::generic_category().message(errno)}; }

class FileSink final : public Sink {
public:
  FileSink() = default;
  FileSink(const FileSink &) = delete;
  FileSink &operator=(const FileSink &) = delete;
  ~FileSink() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  Failure open(const char *path) {
    do descriptor_ = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    while (descriptor_ < 0 && errno == EINTR);
    return descriptor_ < 0 ? last_failure() : Failure{};
  }

  Failure write(std::span<const std::uint8_t> bytes) override {
    while (!bytes.empty()) {
      const ssize_t taken = ::write(descriptor_, bytes.data(), bytes.size());
      if (taken < 0 && errno == EINTR) continue;
      if (taken < 0) return last_failure();
      bytes = bytes.subspan(static_cast<std::size_t>(taken));
    }
    return {};
  }

  Failure close() override {
    // The descriptor is gone even where close() fails; EINTR says nothing of the data.
    return ::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR ? last_failure() : Failure{};
  }

private:
  int descriptor_ = -1;
};

class CallbackSink final : public Sink {
public:
  CallbackSink(marc_write_fn function, void *context) : write_(function), context_(context) {}

  Failure write(std::span<const std::uint8_t> bytes) override {
    while (!bytes.empty()) {
      const std::int64_t taken = write_(context_, bytes.data(), bytes.size());
      if (taken < 0) return {MARC_E_CALLBACK, taken, {}};
      if (taken == 0 || static_cast<std::uint64_t>(taken) > bytes.size())
        return {MARC_E_CALLBACK, taken, "the write callback took no bytes, or more than it was given"};
      bytes = bytes.subspan(static_cast<std::size_t>(taken));
    }
    return {};
  }

  Failure close() override { return {}; }

private:
  marc_write_fn write_;
  void *context_;
};

} // namespace

std::unique_ptr<Sink> create_file(const char *path, Failure &failure) {
  auto sink = std::make_unique<FileSink>();
  failure = sink->open(path);
  if (failure) return nullptr;
  return sink;
}

std::unique_ptr<Sink> create_callback(marc_write_fn write, void *context) {
  return std::make_unique<CallbackSink>(write, context);
}

} // namespace marc

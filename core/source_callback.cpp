// SPDX-License-Identifier: MIT
#include "source.hpp"

#include <algorithm>

namespace marc {
namespace {

// What a callback returned, as a result.
ReadResult result_of(std::int64_t value, std::size_t capacity) {
  if (value == MARC_READ_INTERRUPTED) return {0, {MARC_E_INTERRUPTED, 0, {}}};
  if (value < 0) return {0, {MARC_E_CALLBACK, value, {}}};
  if (static_cast<std::uint64_t>(value) > capacity)
    return {0, {MARC_E_CALLBACK, value, "the read callback returned more bytes than it was asked for"}};
  return {static_cast<std::size_t>(value), {}};
}

class CallbackSource final : public Source {
public:
  CallbackSource(marc_read_fn function, void *context) : read_(function), context_(context) {}
  ReadResult read(std::uint8_t *buffer, std::size_t capacity) override {
    return result_of(read_(context_, buffer, capacity), capacity);
  }
  bool is_live() const override { return true; }

private:
  marc_read_fn read_;
  void *context_;
};

class ReadAtSource final : public Source {
public:
  ReadAtSource(marc_read_at_fn read_at, void *context, std::uint64_t size)
      : read_at_(read_at), context_(context), size_(size) {}
  ReadResult read(std::uint8_t *buffer, std::size_t capacity) override {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(capacity, size_ - at_));
    if (wanted == 0) return {};
    ReadResult result = result_of(read_at_(context_, at_, buffer, wanted), wanted);
    at_ += result.bytes;
    return result;
  }
  std::uint64_t size() const override { return size_; }
  Failure position(std::uint64_t offset) override {
    at_ = std::min(offset, size_);
    return {};
  }

private:
  marc_read_at_fn read_at_;
  void *context_;
  std::uint64_t size_;
  std::uint64_t at_ = 0;
};

} // namespace

std::unique_ptr<Source> open_callback(marc_read_fn read, void *context) {
  return std::make_unique<CallbackSource>(read, context);
}

std::unique_ptr<Source> open_read_at(marc_read_at_fn read_at, void *context, std::uint64_t size) {
  return std::make_unique<ReadAtSource>(read_at, context, size);
}

} // namespace marc

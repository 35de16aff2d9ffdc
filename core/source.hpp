// Where bytes come from: files and pipes, memory, callbacks. Nothing above this knows which.
// SPDX-License-Identifier: MIT
#pragma once

#include "error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace marc {

// What a read has brought: bytes, the end (none), or a failure.
struct ReadResult {
  std::size_t bytes = 0;
  Failure failure;
};

class Source {
public:
  virtual ~Source() = default;
  // As per read(2): waits for at least one byte, writes at most `capacity`; no bytes means the end.
  virtual ReadResult read(std::uint8_t *buffer, std::size_t capacity) = 0;
  // Whether a read may have to wait for whoever writes: a pipe, a socket, a callback.
  virtual bool is_live() const { return false; }
  // Of a source that is not live: its bytes when it was opened.
  virtual std::uint64_t size() const { return 0; }
  // Of one that is neither live nor in memory: where the next read begins.
  virtual Failure position(std::uint64_t) { return {MARC_E_UNSUPPORTED, 0, {}}; }
  // The whole input, where it lies in memory already; it is then never read().
  virtual std::optional<std::span<const std::uint8_t>> memory() const { return std::nullopt; }
};

// A file, pipe or device. NULL and a failure with errno if it cannot be opened. `interruptible`: a signal ends a call
// with MARC_E_INTERRUPTED; otherwise the call goes on.
std::unique_ptr<Source> open_file(const char *path, bool interruptible, Failure &failure);
// Borrowed memory.
std::unique_ptr<Source> open_memory(std::span<const std::uint8_t> bytes);
std::unique_ptr<Source> open_callback(marc_read_fn read, void *context);
std::unique_ptr<Source> open_read_at(marc_read_at_fn read_at, void *context, std::uint64_t size);

} // namespace marc

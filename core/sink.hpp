// Where bytes go to: files and pipes, callbacks. Nothing above this knows which.
// SPDX-License-Identifier: MIT
#pragma once

#include "error.hpp"

#include <cstdint>
#include <memory>
#include <span>

namespace marc {

class Sink {
public:
  virtual ~Sink() = default;
  // Takes all of the bytes, or fails. Signals do not end it.
  virtual Failure write(std::span<const std::uint8_t> bytes) = 0;
  // Says what is only known at the end. Called once.
  virtual Failure close() = 0;
};

// A file, made or emptied; a pipe or device. NULL and a failure with errno if it cannot be opened.
std::unique_ptr<Sink> create_file(const char *path, Failure &failure);
std::unique_ptr<Sink> create_callback(marc_write_fn write, void *context);

} // namespace marc

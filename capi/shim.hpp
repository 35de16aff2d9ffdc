// What the shims of the C interface share: handles, structs of the caller, errors, and the guard that keeps exceptions in.
// SPDX-License-Identifier: MIT
#pragma once

#include <marc/marc.h>

#include "batch.hpp"
#include "error.hpp"
#include "text.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>

#include <unistd.h>

struct marc_text {
  marc::Text text;
};

namespace marc::shim {

inline const Batch *core(const marc_batch *batch) { return reinterpret_cast<const Batch *>(batch); }
inline marc_batch *handle(Batch *batch) { return reinterpret_cast<marc_batch *>(batch); }

// Copies as much of a struct as the caller knows of it; struct_size stays the caller's.
template <typename Struct> void give(Struct full, Struct *out) {
  full.struct_size = out->struct_size;
  std::memcpy(out, &full, std::min<std::size_t>(out->struct_size, sizeof(Struct)));
}

// Fills the caller's struct of `size` bytes with the defaults of its options.
template <typename Options> void init_options(Options *options, std::size_t size, const Options &defaults) {
  if (options == nullptr) return;
  std::memset(options, 0, size);
  options->struct_size = static_cast<std::uint32_t>(size);
  give(defaults, options);
}

// Fills the caller's error, without allocating. Returns the code.
inline std::int32_t report(std::int32_t code, const char *text, marc_error *error, std::int64_t detail = 0,
                           std::int64_t index = -1, std::int64_t offset = -1, std::uint32_t tag = 0,
                           std::int64_t line = 0, std::int64_t column = 0) {
  if (error == nullptr || error->struct_size < sizeof(marc_error::struct_size)) return code;
  marc_error full{};
  full.code = code;
  full.detail = detail;
  full.record_index = index;
  full.byte_offset = offset;
  full.line = line;
  full.column = column;
  for (unsigned i = 0; i < 3; ++i) full.tag[i] = static_cast<char>(tag >> (8 * i));
  std::strncpy(full.message, text, sizeof full.message - 1);
  give(full, error);
  return code;
}

inline std::int32_t report(const Failure &failure, marc_error *error, std::int64_t index = -1,
                           std::int64_t offset = -1) {
  const char *text = failure.message.empty() ? marc::code_message(failure.code) : failure.message.c_str();
  return report(failure.code, text, error, failure.detail, index, offset, failure.tag, failure.line, failure.column);
}

inline std::int32_t report(std::int32_t code, marc_error *error) {
  return report(code, marc::code_message(code), error);
}

inline std::int32_t bad_argument(marc_error *error, const char *message) {
  return report(MARC_E_ARGUMENT, message, error);
}

// Adds to an error that has been reported where in the source it belongs to.
inline void report_index(marc_error *error, std::uint64_t index) {
  if (error != nullptr && error->struct_size >= offsetof(marc_error, record_index) + sizeof error->record_index)
    error->record_index = static_cast<std::int64_t>(index);
}

// Puts the caller's options, if any are given, over the defaults in `options`. MARC_OK, or a status that has been
// reported with the message `unknown`: their size is none that is known.
template <typename Options>
std::int32_t take_options(const Options *given, Options &options, const char *unknown, marc_error *error) {
  if (given == nullptr) return MARC_OK;
  if (given->struct_size < sizeof(std::uint32_t) || given->struct_size > sizeof options)
    return bad_argument(error, unknown);
  std::memcpy(&options, given, given->struct_size);
  return MARC_OK;
}

// Runs the body of a function; exceptions become a status.
template <typename Body> std::int32_t guard(marc_error *error, Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return report(MARC_E_NOMEM, error);
  } catch (const std::exception &problem) {
    return report(MARC_E_INTERNAL, problem.what(), error);
  } catch (...) {
    return report(MARC_E_INTERNAL, error);
  }
}

// What a handle has that belongs to one process, and to one caller at a time.
struct Owner {
  pid_t process = ::getpid();
  std::atomic_flag in_use = ATOMIC_FLAG_INIT;

  bool is_forked() const { return process != ::getpid(); }
};

// Keeps a second caller out for as long as it lives.
class Use {
public:
  explicit Use(Owner &owner) : flag_(owner.in_use), mine_(!flag_.test_and_set(std::memory_order_acquire)) {}
  Use(const Use &) = delete;
  Use &operator=(const Use &) = delete;
  ~Use() {
    if (mine_) flag_.clear(std::memory_order_release);
  }
  explicit operator bool() const { return mine_; }

private:
  std::atomic_flag &flag_;
  bool mine_;
};

// Runs the body of a function in guard(), if its caller is the only one.
template <typename Body> std::int32_t guard_use(Owner &owner, marc_error *error, Body body) noexcept {
  return guard(error, [&] {
    if (owner.is_forked()) return report(MARC_E_FORKED, error);
    const Use use(owner);
    return use ? body() : report(MARC_E_BUSY, error);
  });
}

inline bool has_record(const marc_batch *batch, std::uint32_t record) {
  return batch != nullptr && record < core(batch)->size();
}

// The text that `make(batch)` is.
template <typename Make>
std::int32_t give_text(const marc_batch *batch, marc_text **out, marc_error *error, Make make) {
  if (out == nullptr) return bad_argument(error, "out is NULL");
  *out = nullptr;
  if (batch == nullptr) return bad_argument(error, "batch is NULL");
  return guard(error, [&] {
    *out = new marc_text{make(*core(batch))};
    return std::int32_t{MARC_OK};
  });
}

} // namespace marc::shim

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

// Keeps a second caller out for as long as it lives.
class Use {
public:
  explicit Use(std::atomic_flag &flag) : flag_(flag), mine_(!flag.test_and_set(std::memory_order_acquire)) {}
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

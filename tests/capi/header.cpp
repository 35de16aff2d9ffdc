// marc.h as C++ reads it: first, alone, and twice.
// SPDX-License-Identifier: MIT
#include <marc/marc.h>

#include <marc/marc.h>

#include <cstdint>
#include <type_traits>

static_assert(std::is_standard_layout_v<marc_error> && std::is_trivial_v<marc_error>);
static_assert(std::is_standard_layout_v<marc_reader_options> && std::is_trivial_v<marc_reader_options>);
static_assert(std::is_standard_layout_v<marc_batch_view> && std::is_trivial_v<marc_batch_view>);

int main() {
  marc_reader *reader = nullptr;
  if (marc_reader_open_bytes(nullptr, 0, nullptr, &reader, nullptr) != MARC_OK) return 1;
  marc_batch *batch = nullptr;
  const std::int32_t status = marc_reader_next_batch(reader, &batch, nullptr);
  marc_reader_free(reader);
  return status == MARC_END && batch == nullptr ? 0 : 1;
}

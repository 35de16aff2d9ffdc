// SPDX-License-Identifier: MIT
#include "leader.hpp"

#include <cstring>

namespace marc {

bool is_inside_directory(const std::uint8_t *at) { return all_digits(at, 4) && std::memcmp(at, "00000", 5) != 0; }

bool read_leader(const std::uint8_t *at, Leader &leader) {
  if (!all_digits(at + 12, 5)) return false;
  count_steps(kLeaderSize);
  if (((block_masks(at).delimiter) | (block_masks(at + kLeaderSize - kBlock).delimiter)) != 0) return false;
  if (is_inside_directory(at + 5)) return false;
  leader.base = decimal(at + 12, 5);
  leader.map = entry_map(at);
  const std::size_t width = leader.map.width();
  return leader.map.digits() >= 9 && leader.base >= kLeaderSize + 1 + width &&
         (leader.base - kLeaderSize - 1) % width == 0;
}

} // namespace marc
